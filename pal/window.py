# SPDX-License-Identifier: MIT
"""The window through which a sector is read: each byte once, records whole.

Keeps the raw bytes besides the decoded ones on encrypted flash, where only those tell what is
erased.
"""

from micropython import const

_WINDOW = const(4096)


class Window:
    """A buffer that slides over one sector after the other; each byte is read once."""

    def __init__(self, device, cell, cells):
        self.device = device
        self.cell = cell
        self.cells = cells  # of a sector
        self.room = min(cells, _WINDOW // cell + (1 if cells * cell > _WINDOW else 0))
        size = self.room * cell
        self.buf = bytearray(size)
        self.view = memoryview(self.buf)
        self.encrypted = device.caps.encrypted
        self.raw = bytearray(size) if self.encrypted else self.buf
        self.raw_view = memoryview(self.raw)
        self.ones = memoryview(b"\xff" * size)
        self.zeros = memoryview(bytes(size))
        self.faults = 0

    def open(self, base):
        """Start on the sector at offset base."""
        self.base = base
        self.first = 0
        self.count = 0
        self.faults = 0

    def at(self, c, n):
        """Return the offset in `buf` of cell c, with n cells from there on in the buffer."""
        first = self.first
        if c + n > first + self.count:
            z = self.cell
            kept = first + self.count - c
            if kept > 0:
                old = (c - first) * z
                end = old + kept * z
                self.view[0 : kept * z] = bytes(self.view[old:end])
                if self.encrypted:
                    self.raw_view[0 : kept * z] = bytes(self.raw_view[old:end])
            else:
                kept = 0
            got = min(self.room - kept, self.cells - c - kept)
            offset = self.base + (c + kept) * z
            a = kept * z
            b = a + got * z
            self.faults |= self.device.read(offset, self.view[a:b])
            if self.encrypted:
                self.device.raw_read(offset, self.raw_view[a:b])
            self.first = c
            self.count = kept + got
            return 0
        return (c - first) * self.cell

    def blank(self, o, n):
        """True when n cells from offset o of the buffer read erased."""
        size = n * self.cell
        return self.raw_view[o : o + size] == self.ones[0:size]

    def zero(self, o, n):
        """True when n cells from offset o of the buffer are all zero."""
        size = n * self.cell
        return self.view[o : o + size] == self.zeros[0:size]
