# SPDX-License-Identifier: MIT
"""The RPC server of the firmware in this process: the same code, CPython instead of MicroPython.

`LocalBoard` runs a Server in a thread between two pipes. It is fast, can be looked into, and is
fuzzed; the emulated board answers the same tests later.
"""

import os
import queue
import select
import threading

import p11crypto
from flashsim import ZERO_ANY, Flash, Geometry

from p11board.frames import END, HELLO, RPC, Frame, FrameReader, Hello, pieces
from pal.pal import Pal
from pal.store import Store
from pkcs11 import api  # noqa: F401  (attaches the C_ functions)
from pkcs11.application import Application
from pkcs11.rpc_server import DEVELOPMENT, Server
from pkcs11.settings import Settings
from pkcs11.token import Token

SECONDS = 20


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


class LocalBoard:
    """A board in this process. `send` and `receive` are the host's end of the line."""

    def __init__(self, token=None, flags=DEVELOPMENT):
        self.token = token or make_token()
        self.applications = []
        to_board, self._to_board = os.pipe()
        self._from_board, from_board = os.pipe()
        self._fds = [to_board, self._to_board, self._from_board, from_board]
        self.reader = FrameReader()
        self.frames = queue.SimpleQueue()
        self.sequence = 0
        self.received = bytearray()  # every byte the board sent
        self.problem = None
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

    def send(self, data):
        """Put bytes on the line."""
        while data:
            data = data[os.write(self._to_board, data) :]

    def next(self, seconds=SECONDS):
        """The next frame from the board; AssertionError when none comes."""
        while self.frames.empty():
            ready, _, _ = select.select([self._from_board], [], [], seconds)
            assert ready, "the board says nothing (%r)" % self.problem
            data = os.read(self._from_board, 65536)
            self.received += data
            for frame in self.reader.feed(data):
                self.frames.put(frame)
        return self.frames.get()

    def silent(self, seconds=0.05):
        """Whether nothing comes for a while."""
        return self.frames.empty() and not select.select([self._from_board], [], [], seconds)[0]

    def ask(self, kind, connection, payload=b"", more=False, part=False):
        """Send one frame and return the answer."""
        self.sequence = (self.sequence + 1) & 0xFF
        self.send(Frame(kind, connection, self.sequence, payload, more, part).encode())
        answer = self.next()
        assert answer.sequence == self.sequence
        return answer

    def connect(self, number=1, version=0):
        """Open a connection; returns exchange(body) -> body."""
        answer = self.ask(HELLO, number, bytes([version]))
        assert (answer.kind, answer.connection) == (HELLO, number)
        return lambda body: self.exchange(number, body)

    def exchange(self, number, body):
        """Send a request body in as many frames as it needs; return the answer body."""
        for payload, more, part in pieces(body, self.hello.chunk):
            answer = self.ask(RPC, number, payload, more, part)
            if answer.kind == RPC:
                break
        return self.collect(answer)

    def collect(self, answer):
        """The whole of an answer that may come in several frames."""
        assert answer.kind == RPC, answer
        data = answer.payload
        while answer.more:
            answer = self.next()
            assert answer.kind == RPC
            data = data + answer.payload if answer.part else answer.payload
        return data

    def end(self, number=1):
        """Close a connection."""
        assert self.ask(END, number).kind == END

    def stop(self):
        """Close the line and check that the server ended as it should."""
        os.close(self._to_board)
        self.thread.join(SECONDS)
        assert not self.thread.is_alive(), "the server hangs"
        for fd in (self._fds[0], self._from_board, self._fds[3]):
            os.close(fd)
        if self.problem:
            raise self.problem


def fresh():
    """Forget all key slots, as after power-on."""
    p11crypto.test_reset()
