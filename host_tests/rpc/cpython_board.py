# SPDX-License-Identifier: MIT
"""A board without a board: the firmware's packages on CPython behind a pseudo terminal.

    python host_tests/rpc/cpython_board.py [--locked] [--serial TEXT] [--noise]

prints the terminal's path and serves RPC on it until standard input ends. A fast double of the
emulated board for the tests of the daemon and of the PKCS#11 clients: the same Python, a twin of
p11crypto, the store on a flash device in memory.
"""

import argparse
import os
import pty
import sys
import threading
import tty
from pathlib import Path

HERE = Path(__file__).resolve().parent
for folder in (".", "firmware", "host_tests/twin", "host_tests/pkcs11", "host_tests", "tools"):
    sys.path.insert(0, str(HERE.parents[1] / folder))
sys.path.insert(0, str(HERE))

from local_board import Stream, make_token  # noqa: E402

from pkcs11.application import Application  # noqa: E402
from pkcs11.rpc_server import DEVELOPMENT, LOCKED, Server  # noqa: E402


def main():
    """Serve until standard input ends."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--locked", action="store_true")
    arguments.add_argument("--serial", default="%016X" % os.getpid())
    arguments.add_argument("--noise", action="store_true", help="now and then a byte too many")
    options = arguments.parse_args()
    board_end, host_end = pty.openpty()
    tty.setraw(host_end)
    print(os.ttyname(host_end), flush=True)
    token = make_token(iterations=1000, clock=None)
    token.settings.serial = options.serial.encode()
    threading.Thread(target=serve, args=(board_end, token, options), daemon=True).start()
    sys.stdin.read()
    os._exit(0)


class NoisyStream(Stream):
    """Every 17th frame is followed, every 23rd damaged by noise."""

    count = 0

    def write(self, data):
        self.count += 1
        data = bytearray(data)
        if self.count % 23 == 0:
            data[len(data) // 2] ^= 0x20
        super().write(data)
        if self.count % 17 == 0:
            super().write(b"\xf5noise\r\n")


def serve(board_end, token, options):
    """Serve for ever: END on connection 0 leads a locked board back to the start."""
    stream = (NoisyStream if options.noise else Stream)(board_end, board_end)
    flags = LOCKED if options.locked else DEVELOPMENT
    while True:
        Server(stream, stream, lambda: Application(token), flags, b"CPYTHON 0.0").serve()


if __name__ == "__main__":
    main()
