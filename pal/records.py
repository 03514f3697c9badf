# SPDX-License-Identifier: MIT
"""The records of the log: how large, which of them count, and reading one into RAM.

Promises: a record is checked after it was copied to RAM, and what was checked is what is used; a
payload that fails its CRC is never called good. The sums that callers ask for again and again are
kept beside the index until it changes.
"""

from .cells import CRITICAL, DAMAGED, RECORD, TOMBSTONE
from .index import BAD, LIVE
from .log import SLOTS, Log
from .salvage import judge, mend


class Records(Log):
    """What the index knows of the records in flash."""

    def size(self, e):
        """Cells of the record of entry e."""
        if self.index.a[e + 3] & 0xF0 == TOMBSTONE:
            return 2
        return 1 + (self.index.a[e + 6] + self.z - 1) // self.z

    def fetch(self, e):
        """Read the record of entry e into RAM: (buffer with header cell and payload, good).

        Tries three times: a read may fail once and succeed later.
        """
        a = self.index.a
        z = self.z
        s = a[e + 2] & 0xFF
        buf = bytearray(self.size(e) * z)
        for _ in range(3):
            self.device.read(self.base[s] + a[e + 1] * z, buf)
            fields = judge(buf, z, self.seed[s]) or mend(buf, z, self.seed[s])
            if fields and fields[2] == a[e] and fields[4] == self.index.version(e):
                if fields[5] and not fields[0] & DAMAGED:
                    return buf, True
        return buf, False

    def needed(self, e):
        """True when the live entry e must survive its sector."""
        a = self.index.a
        if a[e + 3] & 0xF0 != TOMBSTONE:
            return True
        oid = a[e]
        s = a[e + 2] & 0xFF
        for other in self.index:
            if a[other] == oid and a[other + 2] & 0xFF != s:
                return True
        return False

    def others(self, oid, s):
        """Sectors besides s that hold a good live copy of oid, with repetitions."""
        a = self.index.a
        found = []
        for e in self.index:
            place = a[e + 2]
            if a[e] == oid and place & LIVE and not place & BAD and place & 0xFF != s:
                found.append(place & 0xFF)
        return found

    def movable(self, s):
        """Entries of sector s that must survive it, in the order of their cells."""
        a = self.index.a
        found = []
        copies = {}
        for e in self.index:
            place = a[e + 2]
            if place & 0xFF != s or not place & LIVE or not self.needed(e):
                continue
            if a[e + 3] & CRITICAL and a[e + 3] & 0xF0 == RECORD:
                # two good copies must remain, in two sectors if another one has any
                oid = a[e]
                if oid not in copies:
                    others = self.others(oid, s)
                    copies[oid] = 2 if not others else 1 if len(set(others)) < 2 else 0
                if not copies[oid]:
                    continue
                copies[oid] -= 1
            found.append(e)
        found.sort(key=lambda e: a[e + 1])
        return found

    def sums(self):
        """Count the live cells and list the damaged ids, once for each state of the index."""
        index = self.index
        a = index.a
        z = self.z
        cells = 0
        damaged = []
        for e in range(0, index.words, 8):
            place = a[e + 2]
            if place & LIVE:
                cells += 2 if a[e + 3] & 0xF0 == TOMBSTONE else 1 + (a[e + 6] + z - 1) // z
                if place & BAD and a[e] not in damaged:
                    damaged.append(a[e])
        index.live = cells
        index.damaged = damaged

    def live_cells(self):
        """Cells of all records that must survive, STATE cells included."""
        index = self.index
        if index.live < 0:
            self.sums()
        n = index.live
        for slot in range(SLOTS):
            if self.in_sectors[slot]:
                n += 2
        return n

    def damaged(self):
        """Ids of the live records that cannot be read."""
        index = self.index
        if index.live < 0:
            self.sums()
        return index.damaged

    def capacity(self):
        """Cells that live records may fill."""
        return (self.count - 1) * (self.cells - self.body - self.keep_put - 3)
