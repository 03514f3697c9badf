# SPDX-License-Identifier: MIT
"""Frames on the serial line (docs/PROTOCOL.md sections 1 to 5), board side.

Promises: `receive` returns whole, correct frames in sequence and nothing else; noise is skipped in
silence, a broken frame costs only itself, a repeated frame is dropped, PING is answered here.
Assumes: `source` has a blocking readinto(buffer), `sink` a write(buffer) that sends everything.
All memory is taken once, when the Line is made.
"""

from binascii import crc32
from struct import pack_into

from micropython import const

MARK = const(0xF5)
HEADER = const(7)
OVERHEAD = const(11)  # header and CRC: the shortest frame

HELLO = const(1)
RPC = const(2)
END = const(3)
PING = const(4)
LOG = const(5)
ACK = const(6)
BAD = const(7)

MORE = const(0x80)
PART = const(0x40)
_KIND = const(0x3F)  # type without MORE and PART

BAD_CRC = const(1)
BAD_SEQUENCE = const(2)
BAD_LENGTH = const(3)
BAD_TYPE = const(4)

_RESIDUE = const(0x2144DF1C)  # CRC-32 of anything followed by its own CRC-32
_MARK_BYTES = b"\xf5"
_PING_ROOM = const(16)


class Line:
    """The two directions of the line.

    Attributes: frame (bytearray, the received frame), view (memoryview of it), out (bytearray, the
    frame to send; its payload begins at HEADER), out_view, abandoned (set when a PING came).
    """

    def __init__(self, source, sink, chunk, room):
        """chunk: largest payload to receive; room: largest payload to send (bytes)."""
        self.chunk = chunk
        self.frame = bytearray(chunk + OVERHEAD)
        self.view = memoryview(self.frame)
        self.out = bytearray(room + OVERHEAD)
        self.out_view = memoryview(self.out)
        self.out[0] = MARK
        self.sequence = 0
        self.abandoned = False
        self._have = 0
        self._used = 0
        self._readinto = source.readinto
        self._write = sink.write

    def receive(self):
        """Wait for the next frame for the server and return the length of its payload (bytes).

        EOFError when the source has ended (never on a board).
        """
        frame = self.frame
        while True:
            self._drop()
            self._fill(OVERHEAD)
            if (
                frame[0] != MARK
                or frame[1] ^ frame[2] ^ frame[3] ^ frame[4] ^ frame[5] ^ frame[6] != MARK ^ 0xFF
            ):
                self._resync()
                continue
            size = frame[4] << 8 | frame[5]
            if size > self.chunk:
                self._bad(BAD_LENGTH)
                continue
            self._fill(size + OVERHEAD)
            if crc32(self.view[: size + OVERHEAD]) != _RESIDUE:
                self._bad(BAD_CRC)
                continue
            self._used = size + OVERHEAD
            if self._accept(size):
                return size

    def _accept(self, size):
        """Return whether a correct frame is the next one and for the server."""
        frame = self.frame
        kind = frame[1]
        sequence = frame[3]
        if kind == PING or (kind == HELLO and not frame[2]):
            self.sequence = sequence
            if kind == HELLO:
                return True
            self.abandoned = True
            if size <= _PING_ROOM:
                self.out_view[HEADER : HEADER + size][:] = self.view[HEADER : HEADER + size]
                self.send(PING, 0, size)
                return False
            self.bad(BAD_LENGTH)
            return False
        if sequence == self.sequence:
            return False
        if sequence != (self.sequence + 1) & 0xFF:
            self.bad(BAD_SEQUENCE)
            return False
        self.sequence = sequence
        if kind == HELLO or kind == END or kind & _KIND == RPC:
            return True
        self.bad(BAD_TYPE)
        return False

    def send(self, kind, connection, size):
        """Send a frame whose payload of size bytes is in `out` already."""
        out = self.out
        view = self.out_view
        sequence = self.sequence
        high = size >> 8
        low = size & 0xFF
        out[1] = kind
        out[2] = connection
        out[3] = sequence
        out[4] = high
        out[5] = low
        out[6] = MARK ^ 0xFF ^ kind ^ connection ^ sequence ^ high ^ low
        end = HEADER + size
        pack_into("<I", out, end, crc32(view[:end]))
        self._write(view[: end + 4])

    def bad(self, reason):
        """Tell the host that a frame was not accepted."""
        self.out[HEADER] = reason
        self.send(BAD, 0, 1)

    def _bad(self, reason):
        self._resync()
        self.bad(reason)

    def _fill(self, end):
        """Read until there are `end` bytes in the buffer."""
        while self._have < end:
            got = self._readinto(self.view[self._have : end])
            if not got:
                raise EOFError
            self._have += got

    def _drop(self):
        """Forget the frame handed out last; keep bytes behind it (after a resynchronisation)."""
        used = self._used
        if used:
            self._used = 0
            have = self._have
            self._have = have - used
            if have != used:
                self.view[: have - used][:] = bytes(self.view[used:have])

    def _resync(self):
        """Forget the first byte and everything up to the next mark."""
        at = self.frame.find(_MARK_BYTES, 1, self._have)
        self._used = self._have if at < 0 else at
