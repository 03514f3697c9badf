# SPDX-License-Identifier: MIT
"""The host's end of a line, for tests: frames out, answers in, one at a time."""

import os
import queue
import select
import time
import tty

from p11board.frames import END, HELLO, RPC, Frame, FrameReader, Hello, pieces

SECONDS = 20


class HostEnd:
    """The host's end of a line: frames out, answers in."""

    def __init__(self, reader, writer):
        self._from_board = reader
        self._to_board = writer
        self.reader = FrameReader()
        self.frames = queue.SimpleQueue()
        self.sequence = 0
        self.received = bytearray()  # every byte the board sent
        self.problem = None
        self.hello = None

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


class PortBoard(HostEnd):
    """The host's end of a serial port, without a daemon. start: get a REPL to serve first."""

    def __init__(self, port, start=True):
        descriptor = os.open(port, os.O_RDWR | os.O_NOCTTY)
        tty.setraw(descriptor)
        super().__init__(descriptor, descriptor)
        if start:
            self.send(b"\r\x03\x03\r\x01")
            self.read_until(b"raw REPL; CTRL-B to exit\r\n>")
            self.send(b"from pkcs11 import rpc\nrpc.serve()\n\x04")
            self.hello = Hello.decode(self.next().payload)
            self.reader.noise.clear()

    def read_until(self, text, seconds=SECONDS):
        """Read text that is no frame; returns it."""
        seen = b""
        deadline = time.monotonic() + seconds
        while text not in seen:
            ready, _, _ = select.select([self._from_board], [], [], 0.1)
            if ready:
                seen += os.read(self._from_board, 65536)
            assert time.monotonic() < deadline, seen
        return seen

    def greet(self):
        """HELLO: finalise everything, step into sequence."""
        self.sequence = (self.sequence + 100) & 0xFF
        self.send(bytes(2048))
        self.send(Frame(HELLO, 0, self.sequence, b"\1").encode())
        answer = self.next()
        while (answer.kind, answer.connection, answer.sequence) != (HELLO, 0, self.sequence):
            answer = self.next()
        self.hello = Hello.decode(answer.payload)

    def close(self):
        """Close the port."""
        os.close(self._from_board)

    def stop(self):
        """Leave the server and close the port."""
        self.ask(END, 0)
        self.close()
