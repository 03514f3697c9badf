# SPDX-License-Identifier: MIT
"""The index: one entry of 16 bytes per record header that is still in flash.

An entry is eight 16-bit words of one array; callers hold its offset `e` and use `a[e + FIELD]`.
Versions stay below 2**30, so that they are small integers of MicroPython.
"""

from array import array

from micropython import const

ID = const(0)  # 0: free entry
CELL = const(1)
PLACE = const(2)  # sector | state << 8
KIND = const(3)  # type and flags | kind << 8
VLOW = const(4)
VHIGH = const(5)
LENGTH = const(6)  # of the payload
HASH = const(7)  # length of the label << 8 | 8 bits of its CRC

LIVE = const(0x100)  # bits of PLACE
BAD = const(0x200)  # payload failed its CRC, or the header is lost
ZEROED = const(0x400)  # payload is all zero
OPEN = const(0x800)  # nothing closed its transaction (while mounting)

STRIDE = const(8)
_GROW = const(16)


class Index:
    """Entries in order of insertion. `words` is the number of array words in use.

    Whoever changes LIVE or BAD of an entry without adding or dropping one sets `live` to -1.
    """

    def __init__(self):
        self.a = array("H")
        self.words = 0
        self.live = -1  # cells of what lives, -1 not known (pal.records)
        self.damaged = ()  # ids, valid with `live`

    def __iter__(self):
        return iter(range(0, self.words, STRIDE))

    def add(self, oid, cell, place, kind, version, length, label_hash):
        """Append an entry and return its offset."""
        e = self.words
        a = self.a
        if e == len(a):
            a.extend(array("H", bytes(2 * STRIDE * _GROW)))
        a[e] = oid
        a[e + CELL] = cell
        a[e + PLACE] = place
        a[e + KIND] = kind
        a[e + VLOW] = version & 0xFFFF
        a[e + VHIGH] = version >> 16
        a[e + LENGTH] = length
        a[e + HASH] = label_hash
        self.words = e + STRIDE
        self.live = -1
        return e

    def version(self, e):
        """Version of entry e."""
        return self.a[e + VLOW] | self.a[e + VHIGH] << 16

    def cut(self, words):
        """Forget every entry from offset `words` on."""
        self.words = words
        self.live = -1

    def drop_sector(self, sector):
        """Forget every entry of a sector; the offsets of the others change."""
        a = self.a
        free = 0
        for e in range(0, self.words, STRIDE):
            if a[e] and a[e + PLACE] & 0xFF != sector:
                if free != e:
                    a[free : free + STRIDE] = a[e : e + STRIDE]
                free += STRIDE
        self.words = free
        self.live = -1
        if len(a) - free > 2 * STRIDE * _GROW:
            self.a = a[0:free]
