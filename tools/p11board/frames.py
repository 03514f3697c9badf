# SPDX-License-Identifier: MIT
"""Frames of the line protocol (docs/PROTOCOL.md sections 1 to 5), host side: bytes in, frames out.

Promises: no input or output of its own; a broken frame costs only itself; what is not a frame is
kept as `noise` (the last part of it), because it may be the text that explains what went wrong.
"""

import struct
import zlib
from dataclasses import dataclass

MARK = 0xF5
HEADER = 7
OVERHEAD = 11
RESIDUE = 0x2144DF1C

HELLO, RPC, END, PING, LOG, ACK, BAD, TUNNEL = range(1, 9)
MORE = 0x80
PART = 0x40

PREFIX = 8  # of the first frame of a long request
FLUSH = 2048  # zero bytes that end any frame a board may be waiting for
NOISE = 2000  # bytes of noise kept

BAD_REASONS = {1: "CRC", 2: "sequence", 3: "length", 4: "type"}
NAMES = {HELLO: "HELLO", RPC: "RPC", END: "END", PING: "PING", LOG: "LOG", ACK: "ACK", BAD: "BAD"}


@dataclass(frozen=True)
class Frame:
    """One frame. `kind` is the type without MORE and PART."""

    kind: int
    connection: int
    sequence: int
    payload: bytes = b""
    more: bool = False
    part: bool = False

    def encode(self):
        """The bytes on the line."""
        kind = self.kind | (MORE if self.more else 0) | (PART if self.part else 0)
        head = struct.pack(">BBBBH", MARK, kind, self.connection, self.sequence, len(self.payload))
        check = 0xFF
        for byte in head:
            check ^= byte
        data = head + bytes([check]) + self.payload
        return data + struct.pack("<I", zlib.crc32(data))


class FrameReader:
    """Turns received bytes into frames."""

    def __init__(self):
        self.buffer = bytearray()
        self.noise = bytearray()
        self.broken = 0  # frames with a wrong CRC so far

    def feed(self, data):
        """Take received bytes; return the list of frames that are complete now."""
        self.buffer += data
        frames = []
        while True:
            at = self.buffer.find(MARK)
            self._skip(len(self.buffer) if at < 0 else at)
            if len(self.buffer) < OVERHEAD:
                return frames
            check = 0
            for byte in self.buffer[:HEADER]:
                check ^= byte
            size = self.buffer[4] << 8 | self.buffer[5]
            if check != 0xFF:
                self._skip(1)
            elif len(self.buffer) < size + OVERHEAD:
                return frames
            elif zlib.crc32(self.buffer[: size + OVERHEAD]) != RESIDUE:
                self.broken += 1
                self._skip(1)
            else:
                frames.append(self._take(size))

    def _take(self, size):
        buffer = self.buffer
        kind = buffer[1]
        frame = Frame(
            kind & ~(MORE | PART),
            buffer[2],
            buffer[3],
            bytes(buffer[HEADER : HEADER + size]),
            bool(kind & MORE),
            bool(kind & PART),
        )
        del buffer[: size + OVERHEAD]
        return frame

    def _skip(self, count):
        if count:
            self.noise += self.buffer[:count]
            del self.noise[:-NOISE]
            del self.buffer[:count]

    def text(self):
        """The noise as text, for a message; forgets it."""
        text = self.noise.decode(errors="replace").strip("\x00 \r\n")
        self.noise.clear()
        return text


@dataclass(frozen=True)
class Hello:
    """What a board says in HELLO on connection 0."""

    line_version: int
    rpc_version: int
    chunk: int
    connections: int
    locked: bool
    development: bool
    boot: bytes
    name: str

    @classmethod
    def decode(cls, payload):
        """Raises ValueError when it is too short."""
        if len(payload) < 10:
            raise ValueError("HELLO is too short")
        line, rpc, chunk, connections, flags, boot = struct.unpack_from(">BBHBB4s", payload)
        name = payload[10:].decode(errors="replace")
        return cls(line, rpc, chunk, connections, bool(flags & 1), bool(flags & 2), boot, name)


def pieces(body, chunk):
    """Cut a request body: list of (payload, more, part), with the prefix where there is one."""
    if len(body) <= chunk:
        return [(body, False, False)]
    data = struct.pack(">I", len(body)) + body[-4:] + body
    parts = [data[at : at + chunk] for at in range(0, len(data), chunk)]
    last = len(parts) - 1
    return [(part, at < last, at > 0) for at, part in enumerate(parts)]
