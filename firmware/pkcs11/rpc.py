# SPDX-License-Identifier: MIT
"""`pkcs11.rpc.serve()`: the token on the board's serial line, for every program on the host.

Promises: from the first frame on nothing but frames is sent, and no byte received acts as an
interrupt; on return (END from the host) the line is the REPL's again. The host's side is
`p11board serve`; the bytes between are docs/PROTOCOL.md.
"""

import sys

import micropython

from . import application
from .rpc_server import DEVELOPMENT, LOCKED, Server

_CTRL_C = 3
_NAME_MAX = 200


def serve(source=None, sink=None, locked=False):
    """Serve until the host says END; a locked build serves for ever.

    source, sink: binary streams (blocking readinto, write), by default standard input and output.
    locked: there is no REPL to return to, and HELLO says so.
    """
    server = Server(
        source or sys.stdin.buffer,
        sink or sys.stdout.buffer,
        application,
        LOCKED if locked else DEVELOPMENT,
        name(),
    )
    micropython.kbd_intr(-1)
    while locked:
        server.serve()
    try:
        server.serve()
    finally:
        micropython.kbd_intr(_CTRL_C)


def name():
    """Return board and firmware version as bytes, for HELLO."""
    try:
        import buildinfo

        return bytes("%s %s" % (buildinfo.BOARD, buildinfo.VERSION), "utf-8")[:_NAME_MAX]
    except ImportError:
        return b"PKCS#11 token"
