# SPDX-License-Identifier: MIT
"""The RPC server of the firmware in this process: the same code, CPython instead of MicroPython.

`LocalBoard` runs a Server in a thread between two pipes. It is fast, can be looked into, and is
fuzzed; the emulated board answers the same tests later.
"""

import os
import threading

import p11crypto
from flashsim import Flash, Geometry
from host_end import SECONDS, HostEnd

from p11board.frames import Hello
from pal.flash import ZERO_ANY
from pal.pal import Pal
from pal.store import Store
from pkcs11 import api  # noqa: F401  (attaches the C_ functions)
from pkcs11.application import Application
from pkcs11.rpc_server import DEVELOPMENT, Server
from pkcs11.settings import Settings
from pkcs11.token import Token


class Stream:
    """readinto and write over file descriptors, blocking, as a serial line is on the board."""

    def __init__(self, reader, writer):
        self.reader = reader
        self.writer = writer

    def readinto(self, buffer):
        return os.readv(self.reader, [buffer])

    def write(self, data):
        data = bytes(data)
        while data:
            data = data[os.write(self.writer, data) :]


def make_token(flash=None, iterations=50, **choices):
    """A Token over the store on a simulated flash chip (by default a new, blank one)."""
    flash = flash or Flash(Geometry(1, 4096, 16, ZERO_ANY, 256))
    choices.setdefault("clock", lambda: 1000)
    store = Store(flash, p11crypto.random)
    return Token(Pal(store), Settings(iterations=iterations, **choices))


class LocalBoard(HostEnd):
    """A board in this process."""

    def __init__(self, token=None, flags=DEVELOPMENT):
        self.token = token or make_token()
        self.applications = []
        to_board, writer = os.pipe()
        reader, from_board = os.pipe()
        super().__init__(reader, writer)
        self._fds = [to_board, from_board]
        self.server = Server(
            Stream(to_board, None), Stream(None, from_board), self._application, flags, b"TEST 0.0"
        )
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()
        self.hello = Hello.decode(self.next().payload)

    def _application(self):
        application = Application(self.token)
        self.applications.append(application)
        return application

    def _run(self):
        try:
            self.server.serve()
        except EOFError:
            pass
        except BaseException as error:
            self.problem = error

    def stop(self):
        """Close the line and check that the server ended as it should."""
        os.close(self._to_board)
        self.thread.join(SECONDS)
        assert not self.thread.is_alive(), "the server hangs"
        for fd in (*self._fds, self._from_board):
            os.close(fd)
        if self.problem:
            raise self.problem


def fresh():
    """Forget all key slots, as after power-on."""
    p11crypto.test_reset()
