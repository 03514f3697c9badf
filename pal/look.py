# SPDX-License-Identifier: MIT
"""Reads the region: what each sector holds, and whether this is a store at all (FORMAT.md §5).

Promises: each byte is read once; a region that is not recognised is refused and left alone.
"""

import struct
from binascii import crc32

from .birth import RESET_INTENT, Birth
from .cells import CREATE, KINDS, STAMP, header_fields, mark_value, torn_create, wipe
from .flash import FlashError
from .index import BAD, OPEN
from .log import BLANK, DIRTY, FOREIGN, LOST, MARK, NEWER, OLD, UNRECOGNISED, USED, StoreError
from .salvage import salvage
from .scan import Scan
from .window import Window


class Look(Birth):
    """Reading and recognising."""

    SCAN = Scan

    def clear(self):
        """Forget everything that was learned from the flash."""
        super().clear()
        self.mark_sector = -1  # holds CREATE
        self.mark_value = 0  # the store it replaces
        self.marks = bytearray(self.count)  # by sector: 1 CREATE, 2 its second copy
        self.mark_names = [0] * self.count  # the store that the last CREATE in a sector replaces
        self.mistrusted = 0  # bit per sector: its CREATE cannot be made firm
        self.chains = {}  # (id, version): parts, while mounting
        self.unnamed = 0  # records lost beyond naming
        self.orphans = 0  # bit per sector: content, but no header
        self.lost = False
        self.blank = False

    def saw_chain(self, oid, version, payload):
        """A good record whose value is in parts."""
        self.chains[(oid, version)] = payload[len(payload) - 1] ^ payload[0]

    def look(self, s, w):
        """Read sector s. Returns its Scan when it has a valid header with something behind."""
        w.open(self.base[s])
        z = self.z
        o = w.at(0, self.body)
        view = w.view
        self.wear[s] = mark_value(view[o : o + 16], STAMP)
        header = None
        for copy in range(2):
            h = o + z * (1 + copy * self.header_cells)
            if view[h] != 0xFF or view[h + 1] != 0xFF:
                header = header or header_fields(view[h : h + 32])
        if header:
            return self.look_used(s, w, header)
        self.look_free(s, w)
        return None

    def look_free(self, s, w):
        """Read the rest of a sector without header: blank, spare, CREATE or to be erased."""
        z = self.z
        stamped = self.wear[s] >= 0
        rest = True  # cells 1 and up read erased
        first = True
        given_up = False
        create = True  # nothing but CREATE, whole or torn
        marks = 0
        signs = {}
        c = 0
        while c < self.cells:
            o = w.at(c, 1)
            n = w.first + w.count - c
            if w.blank(o, n):
                c += n
                continue
            if not w.blank(o, 1):
                cell = w.view[o : o + z]
                value = mark_value(cell, CREATE)
                if value >= 0 and not self.mistrusted >> s & 1:
                    if value != self.mark_names[s]:
                        self.mark_names[s] = value
                        marks = 0
                    marks |= 2 if cell[8] else 1
                if c:
                    rest = False
                else:
                    first = False
                create = create and not stamped
                create = create and (w.faults or torn_create(cell))
                if c == 1 and w.zero(o, 1):
                    given_up = True  # by `blot_header`, which starts with this cell
                if not rest and not given_up and self.kin(cell, signs):
                    self.orphans |= 1 << s
            c += 1
        if first and rest:
            self.state[s] = BLANK
        elif stamped and rest:
            self.state[s] = OLD
        elif marks:
            self.state[s] = MARK
            self.marks[s] = marks
        else:
            self.state[s] = DIRTY
        self.creatable = self.creatable and create

    def kin(self, cell, signs):
        """True when two control cells of a sector share a seed: it is not just garbage.

        CRC is linear, so the stored one and that from 0 differ by the same word for one seed. Two
        equal cells say nothing: a payload that is written twice has them.
        """
        if KINDS[cell[0]] != 1:
            return False
        crc = struct.unpack_from("<I", cell, 12)[0]
        sign = crc32(cell[0:12]) ^ crc
        if sign in signs:
            return signs[sign] != crc
        signs[sign] = crc
        return False

    def look_used(self, s, w, header):
        """Read the body of a sector with a valid header."""
        major, _, index, count, seq, _, store, used, version, seed = header
        self.creatable = False
        self.state[s] = DIRTY
        if major not in self.READS:
            raise StoreError(NEWER)
        if index != s or count != self.count:
            self.misfit = True
            return None
        self.seq[s] = seq
        self.seed[s] = seed
        self.major[s] = major
        if seq > self.top:
            self.top = seq
        if version > self.version:
            self.version = version
        scan = self.SCAN(self, w, s, seed, self.body)
        scan.store_id = store
        scan.used = used
        if scan.tail <= self.body and not scan.accepted:
            return None  # opened, nothing behind the header: erased again
        for held in scan.salvages:
            salvage(self, scan, held)
        self.state[s] = USED
        self.tail[s] = scan.tail
        if scan.tainted:
            self.taint |= 1 << s
        if not scan.accepted:
            self.void |= 1 << s
            self.taint |= 1 << s
        return scan

    def region_blank(self):
        """True when the bytes that no sector uses read erased, too (sectors of unequal size)."""
        size = self.cells * self.z
        for offset, whole in self.device.caps.sectors:
            while size < whole:
                n = min(whole - size, 256)
                buf = bytearray(n)
                self.device.raw_read(offset + size, buf)
                if buf != b"\xff" * n:
                    return False
                size += n
            size = self.cells * self.z
        return True

    def read_all(self):
        """Read the region. Returns the scans by sector; sets `blank`, or raises."""
        self.creatable = True
        self.misfit = False
        w = Window(self.device, self.z, self.cells)
        try:
            scans = [self.look(s, w) for s in range(self.count)]
        finally:
            wipe(w.buf)
            wipe(w.raw)
        for s in range(self.count):
            if self.marks[s] > (self.marks[self.mark_sector] if self.mark_sector >= 0 else 0):
                self.mark_sector = s
        worn = max(self.wear)
        for s in range(self.count):
            if self.wear[s] < 0:
                self.wear[s] = max(worn, 0)
        announced = False
        if self.mark_sector >= 0:
            self.mark_value = self.mark_names[self.mark_sector]
            for s in range(self.count):
                if scans[s] and scans[s].store_id == self.mark_value:
                    announced = announced or self.announces(s)
                    self.discard(s, scans)  # a store whose reset had reached this point
        if self.void_only(scans):
            if self.mark_sector >= 0:
                if not self.creatable:
                    try:
                        self.disown(scans)
                        self.start_over()
                    except FlashError:
                        if not announced:
                            raise
                        return self.read_without_mark()
            elif not self.creatable or not self.region_blank():
                raise StoreError(UNRECOGNISED)
            self.blank = True
        return scans

    def announces(self, s):
        """True when sector s holds a reset intent that can be read."""
        a = self.index.a
        for e in self.index:
            if a[e] == RESET_INTENT and a[e + 2] & 0xFF == s and not a[e + 2] & (BAD | OPEN):
                return True
        return False

    def read_without_mark(self):
        """Read again, for the reset that the intent announces: CREATE does not take its second copy.

        Power failed in an erase that was to make room for CREATE. What it left reads as one.
        """
        mistrusted = self.mistrusted | 1 << self.mark_sector
        self.clear()
        self.mistrusted = mistrusted
        return self.read_all()

    def void_only(self, scans):
        """True when no sector holds accepted content."""
        for scan in scans:
            if scan and scan.accepted:
                return False
        return True

    def discard(self, s, scans):
        """Do not use sector s."""
        scans[s] = None
        self.forget(s)
        self.state[s] = DIRTY
        self.taint &= ~(1 << s)
        self.void &= ~(1 << s)

    def retired(self, scans):
        """Take sectors named by an accepted RETIRE out of use."""
        pairs = []
        for s in range(self.count):
            if scans[s]:
                pairs += [(s, p, q) for p, q in scans[s].retires]
        for s, p, q in pairs:
            # names a newer sector: it was written because that one holds nothing accepted
            if scans[p] and self.seq[p] == q and scans[s] and q > self.seq[s]:
                self.discard(p, scans)
        # from the newest down: a sector that is retired itself, and half erased, has no say
        pairs.sort(key=lambda pair: -self.seq[pair[0]])
        for s, p, q in pairs:
            if scans[s] and scans[p] and self.seq[p] == q:
                self.discard(p, scans)
        newest = -1
        for s in range(self.count):
            if scans[s] and not self.void >> s & 1:
                if newest < 0 or self.seq[s] > self.seq[newest]:
                    newest = s
        self.active = newest
        self.store_id = scans[newest].store_id
        gone = [p for p, _ in scans[newest].retires]
        for s in range(self.count):
            if scans[s]:
                if scans[s].store_id != self.store_id:
                    raise StoreError(FOREIGN)
            elif s in gone or self.seq[s]:
                continue  # taken out of use
            elif (scans[newest].used | self.orphans) >> s & 1:
                self.state[s] = LOST
                self.lost = True
        if self.misfit and self.lost:
            raise StoreError(UNRECOGNISED)
        for p, q in scans[newest].retires:
            if not self.seq[p] and self.state[p] == DIRTY:
                self.seq[p] = q  # to be named again, should it resist its erase
