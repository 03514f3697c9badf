# SPDX-License-Identifier: MIT
"""Mount: from the bytes of the region to a state that can be served (FORMAT.md §5, §7).

Promises: a clean region is mounted without a program or an erase and each byte is read once; what
is not recognised is refused and left alone; nothing irreversible is done on the word of a
transaction that is neither sealed nor resolved; when mount returns, an interrupted call has either
happened or not, for good, and no dead secret is left.
"""

from .cells import (
    CHAIN,
    CREATE,
    CRITICAL,
    DAMAGED,
    PART,
    RECORD,
    STAMP,
    header_fields,
    mark_value,
    pack_mark,
    pack_verdict,
    torn_create,
)
from .events import Events
from .flash import FlashError
from .index import BAD, LIVE, ZEROED
from .log import (
    BLANK,
    BROKEN,
    DIRTY,
    FOREIGN,
    LOST,
    MARK,
    NEWER,
    OLD,
    UNRECOGNISED,
    USED,
    StoreError,
)
from .salvage import salvage
from .scan import Scan, Window

RESET_INTENT = 0x06


class Mount(Events):
    """Reading and recovery."""

    def clear(self):
        """Forget everything that was learned from the flash."""
        super().clear()
        self.mark_sector = -1  # holds CREATE
        self.mark_value = 0  # the store it replaces
        self.marks = bytearray(self.count)  # valid CREATE cells by sector
        self.chains = {}  # (id, version): parts, while mounting
        self.unnamed = 0  # records lost beyond naming
        self.lost = False
        self.blank = False

    def saw_chain(self, oid, version, payload):
        """A good record whose value is in parts."""
        self.chains[(oid, version)] = payload[len(payload) - 1] ^ payload[0]

    # --- reading -------------------------------------------------------------------------------

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
        create = True  # nothing but CREATE, whole or torn
        marks = 0
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
                if value >= 0:
                    marks += 1
                    self.mark_value = value
                if c:
                    rest = False
                else:
                    first = False
                create = create and (w.faults or torn_create(cell))
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
        scan = Scan(self, w, s, seed, self.body)
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

    # --- judging -------------------------------------------------------------------------------

    def read_all(self):
        """Read the region. Returns the scans by sector; sets `blank`, or raises."""
        self.creatable = True
        self.misfit = False
        w = Window(self.device, self.z, self.cells)
        scans = [self.look(s, w) for s in range(self.count)]
        for s in range(self.count):
            if self.marks[s] > (self.marks[self.mark_sector] if self.mark_sector >= 0 else 0):
                self.mark_sector = s
        worn = max(self.wear)
        for s in range(self.count):
            if self.wear[s] < 0:
                self.wear[s] = max(worn, 0)
        if self.mark_sector >= 0 and not self.intent_seen():
            for s in range(self.count):
                if scans[s] and scans[s].store_id == self.mark_value:
                    self.discard(s, scans)  # a store whose reset had reached this point
        if self.void_only(scans):
            if self.creatable:
                if not self.region_blank():
                    raise StoreError(UNRECOGNISED)
            elif self.mark_sector < 0:
                raise StoreError(UNRECOGNISED)
            else:
                self.start_over()
            self.blank = True
        return scans

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

    def start_over(self):
        """Creation or reset was under way: erase what is neither spare nor the CREATE sector."""
        dirty = False
        for s in range(self.count):
            if self.state[s] != OLD and s != self.mark_sector:
                self.state[s] = DIRTY
                dirty = True
        if dirty:
            self.firm_mark()
            self.erase_dirty()
        wear, state, marks = self.wear, self.state, self.marks
        mark, value = self.mark_sector, self.mark_value
        self.clear()
        self.wear, self.state, self.marks = wear, state, marks
        self.mark_sector, self.mark_value = mark, value

    def firm_mark(self):
        """Have two CREATE cells in the mark sector: one alone may be a weak one.

        No fence: an interrupted call touched one cell, and CREATE over a trace of the same CREATE
        either takes or is refused; then the next cell serves.
        """
        s = self.mark_sector
        z = self.z
        c = 0
        cell = bytearray(z)
        while self.marks[s] < 2 and c < self.cells:
            self.device.raw_read(self.base[s] + c * z, cell)
            if cell == b"\xff" * z:
                self.blank_cell()
                pack_mark(self.cell, CREATE, self.mark_value)
                try:
                    self.device.program(self.base[s] + c * z, self.cell)
                    self.marks[s] += 1
                except FlashError:
                    pass
            c += 1
        if self.marks[s] < 2:
            raise FlashError("CREATE")

    def intent_seen(self):
        """True when a reset intent was read."""
        a = self.index.a
        for e in self.index:
            if a[e] == RESET_INTENT and a[e + 3] & 0xF0 == RECORD and not a[e + 2] & BAD:
                return True
        return False

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
            elif scans[newest].used >> s & 1 and s not in gone and not self.retired_here(s):
                self.state[s] = LOST
                self.lost = True
        if self.misfit and self.lost:
            raise StoreError(UNRECOGNISED)

    def retired_here(self, s):
        """True when sector s was seen with a header and then taken out of use."""
        return self.seq[s] > 0

    # --- liveness ------------------------------------------------------------------------------

    def settle_lost(self, scans):
        """Enter records whose header is beyond repair, unless a later one replaces them."""
        index = self.index
        for e in index:
            if index.a[e] and index.version(e) > self.version:
                self.version = index.version(e)
        for s in range(self.count):
            for oid, cell in scans[s].lost if scans[s] else ():
                newer = False
                for e in index:
                    if index.a[e] == oid:
                        other = index.a[e + 2] & 0xFF
                        later = self.seq[other] - self.seq[s]
                        newer = newer or later > 0 or (later == 0 and index.a[e + 1] > cell)
                if not newer:
                    index.add(oid, cell, s | BAD, RECORD | DAMAGED, self.version + 1, 0, 0)

    def later(self, e, other):
        """True when the cell of entry e was written after that of `other`."""
        a = self.index.a
        mine = self.seq[a[e + 2] & 0xFF]
        theirs = self.seq[a[other + 2] & 0xFF]
        return mine > theirs or (mine == theirs and a[e + 1] > a[other + 1])

    def judge_entries(self):
        """Mark the live entries: highest version of each id, one copy, two for critical ones."""
        index = self.index
        a = index.a
        newest = {}
        parts = False
        for e in range(0, index.words, 8):
            oid = a[e]
            if oid:
                if a[e + 3] & 0xF0 == PART:
                    parts = True
                    continue
                version = a[e + 4] | a[e + 5] << 16
                if oid not in newest or newest[oid] < version:
                    newest[oid] = version
        keep = {}
        self.incomplete = []
        for e in range(0, index.words, 8):
            oid = a[e]
            if not oid or a[e + 3] & 0xF0 == PART:
                continue
            if newest[oid] != a[e + 4] | a[e + 5] << 16:
                continue
            if oid in keep:
                other = keep[oid]
                if a[e + 3] & CRITICAL and not (a[e + 2] | a[other + 2]) & BAD:
                    a[e + 2] |= LIVE
                    continue
                if a[e + 2] & BAD and not a[other + 2] & BAD:
                    continue
                if a[e + 2] & BAD == a[other + 2] & BAD and not self.later(e, other):
                    continue
                a[other + 2] &= ~LIVE
            keep[oid] = e
            a[e + 2] |= LIVE
        if parts:
            self.judge_parts(keep)
        for oid in newest:
            if newest[oid] > self.version:
                self.version = newest[oid]

    def judge_parts(self, keep):
        """Mark the parts of live values; a value that lacks one is damaged."""
        index = self.index
        a = index.a
        best = {}
        for e in index:
            oid = a[e]
            if a[e + 3] & 0xF0 != PART or not oid:
                continue
            version = index.version(e)
            if oid not in keep:
                continue
            m = keep[oid]
            if not a[m + 3] & CHAIN or index.version(m) != version:
                continue
            number = (oid, a[e + 3] >> 8)
            if number in best:
                other = best[number]
                if a[e + 2] & BAD and not a[other + 2] & BAD:
                    continue
                if a[e + 2] & BAD == a[other + 2] & BAD and not self.later(e, other):
                    continue
                a[other + 2] &= ~LIVE
            best[number] = e
            a[e + 2] |= LIVE
        for oid in keep:
            m = keep[oid]
            if a[m + 3] & CHAIN and not a[m + 2] & BAD:
                for i in range(self.chains[(oid, index.version(m))]):
                    e = best[(oid, i)] if (oid, i) in best else -1
                    if e < 0 or a[e + 2] & BAD:
                        self.incomplete.append(m)

    def taint_bad(self):
        """A payload that fails its CRC taints its sector, unless it is marked or purged."""
        # A value in parts that lacks one is damaged, although its record is sound.
        a = self.index.a
        for e in self.index:
            place = a[e + 2]
            if place & BAD and not a[e + 3] & DAMAGED:
                if place & LIVE or not (place & ZEROED or self.dead_secret(e)):
                    self.taint |= 1 << (place & 0xFF)
        for e in self.incomplete:
            a[e + 2] |= BAD

    # --- recovering ----------------------------------------------------------------------------

    def resolve(self, scan):
        """Close an unclean tail: fence, RESOLUTION, RESOLUTION."""
        s = scan.sector
        verdict = scan.verdict()
        end = (self.tail[s] // self.f + 1) * self.f
        if end + 2 <= self.cells and self.fence(s):
            self.write_verdict(s, verdict)
            return
        # No room for a verdict: a sealed evacuation is one, if it can come before anything else.
        self.taint |= 1 << s
        if scan.doubt and self.spares():
            self.carry = [p for p, q in scan.retires if self.seq[p] == q and p != s]
            self.evacuate(s)
            self.carry = []

    def write_verdict(self, s, verdict):
        """Append the two copies."""
        for _ in range(2):
            self.blank_cell()
            pack_verdict(self.cell, *verdict, self.seed[s])
            self.put(s, self.tail[s], self.cell)

    def erase_dirty(self):
        """Erase the sectors that wait for it; the store is read-only when one resists."""
        for s in range(self.count):
            if self.state[s] == DIRTY or self.state[s] == BROKEN:
                try:
                    self.erase(s)
                except StoreError:
                    pass

    def clean_up(self):
        """Evacuate tainted sectors: nothing accepted, nothing alive, oldest first, active last."""
        for s in range(self.count):
            if self.major[s] != self.FORMAT[0] and self.state[s] == USED:
                self.taint |= 1 << s
        while True:
            best = -1
            lowest = 0
            for s in range(self.count):
                if self.taint >> s & 1 and self.state[s] == USED:
                    rank = self.rank(s)
                    if best < 0 or rank < lowest:
                        best = s
                        lowest = rank
            if best < 0:
                return
            self.evacuate(best)

    def rank(self, s):
        """Order of evacuation."""
        if self.void >> s & 1:
            return -2
        if s == self.active:
            return self.top + 1
        return self.seq[s] if self.movable(s) else -1

    def recover(self, scans):
        """Bring a recognised region to rest."""
        self.retired(scans)
        self.settle_lost(scans)
        self.judge_entries()
        self.taint_bad()
        if self.lost and not self.intended():
            self.doubt_older()
            return
        newest = scans[self.active]
        if newest.unclean:
            self.resolve(newest)
        if self.intended():
            self.reset_region()
            return
        for scan in scans:
            if scan and scan.unclean and scan is not newest:
                self.resolve(scan)
        for s in range(self.count):
            state = self.state[s]
            if state == BLANK or state == MARK:
                self.state[s] = DIRTY
        self.mark_sector = -1
        self.erase_dirty()
        try:
            if not self.worn:
                self.clean_up()
            self.purge()
        except StoreError:
            self.worn = True  # what is here can be served, nothing can be written

    def doubt_older(self):
        """A sector in use is lost: what was written before the newest one may be out of date."""
        a = self.index.a
        for e in self.index:
            if a[e + 2] & 0xFF != self.active:
                a[e + 2] |= BAD

    def intended(self):
        """True when a live reset intent names this store."""
        a = self.index.a
        for e in self.index:
            if a[e] == RESET_INTENT and a[e + 2] & LIVE and a[e + 3] & 0xF0 == RECORD:
                return True
        return False
