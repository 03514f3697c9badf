# SPDX-License-Identifier: MIT
"""Negative controls: the store with one rule of FORMAT.md taken out.

Each must turn the suite red; a rule whose loss nobody notices is not tested. `CONTROLS` names the
rule, the class without it and the runs (see `cutting`) that must fail. Rules against bit rot and
forged content are controlled next to their tests (`test_rot*.py`, `test_forged.py`).
"""

from pal import cells
from pal.cells import TOMBSTONE
from pal.log import BLANK, DIRTY, OLD, SPARE, USED
from pal.scan import Held, Scan
from pal.store import Store


class NoResolution(Store):
    """Unclean tails stay as they are."""

    def resolve(self, scan):
        pass


class OneResolution(Store):
    """The verdict is written once."""

    def write_verdict(self, s, verdict):
        self.blank_cell()
        cells.pack_verdict(self.cell, *verdict, self.seed[s])
        self.put(s, self.tail[s], self.cell)


class SkipInsteadOfFence(Store):
    """Cells an interrupted program may have touched are skipped, not zeroed."""

    def fence(self, s):
        self.tail[s] = (self.tail[s] // self.f + 1) * self.f
        self.fenced |= 1 << s
        return True


class NoFenceOnCleanTail(Store):
    """The first append of a boot goes where the tail looks clean."""

    def ready(self, s, need, keep):
        self.fenced |= 1 << s
        return super().ready(s, need, keep)


class NoRetire(Store):
    """A sector is erased without being named."""

    def retire(self, s):
        pass


class NoSeal(Store):
    """COMMIT alone is final."""

    def seal(self):
        self.close_with(cells.COMMIT)

    class SCAN(Scan):
        def ending(self, c, t, n, h, ids, count):
            held = Held(1, c - n, n, h, ids, count)
            self.gather(c, held)
            self.accept(held)
            self.close(c)


class NoSuccessSeal(Store):
    """A SUCCESS cell alone is final."""

    def event(self, s, kind, slot, number):
        if kind != cells.SUCCESS_SEAL:
            super().event(s, kind, slot, number)

    class SCAN(Scan):
        def control(self, c, t, buf, o):
            super().control(c, cells.SUCCESS_SEAL if t == cells.SUCCESS else t, buf, o)


class NoTaint(Store):
    """Sectors with garbage or voided content stay."""

    def clean_up(self):
        pass


class NoPurge(Store):
    """Dead secrets stay until their sector is collected."""

    def purge(self):
        pass


class NoPurgeAtMount(Store):
    """A purge that power interrupted is not finished."""

    def recover(self, scans):
        self.purge = lambda: None
        try:
            super().recover(scans)
        finally:
            del self.purge


class NoStamp(Store):
    """A sector that reads erased is a spare."""

    def recover(self, scans):
        for s in range(self.count):
            if self.state[s] == BLANK:
                self.state[s] = OLD
        super().recover(scans)


class OldSpareTrusted(Store):
    """The stamp of an earlier boot is good enough."""

    def open_next(self):
        s = self.next_spare()
        if s >= 0:
            self.state[s] = SPARE
        return super().open_next()


class EmptySectorTrusted(Store):
    """A sector that was opened and holds nothing is used as it is."""

    def look_used(self, s, w, header):
        scan = super().look_used(s, w, header)
        if self.state[s] == DIRTY and not scan:
            self.state[s] = USED
            self.tail[s] = self.body
        return scan

    def recover(self, scans):
        super().recover(scans)
        for s in range(self.count):
            if self.state[s] == USED and self.seq[s] > self.seq[self.active]:
                self.active = s
                self.fenced |= 1 << s


class HastyErase(Store):
    """What an unresolved transaction retires is erased before the verdict is written."""

    def resolve(self, scan):
        self.waiting = getattr(self, "waiting", []) + [scan]

    def clean_up(self):
        for scan in getattr(self, "waiting", []):
            super().resolve(scan)
        self.waiting = []
        super().clean_up()


class NoCreate(Store):
    """Creation leaves no trace before the first sector stands."""

    def firm_mark(self):
        pass


class WeakCreate(Store):
    """One CREATE cell, whatever it is worth."""

    def firm_mark(self):
        if not self.marks[self.mark_sector]:
            super().firm_mark()


class IntentAfterwards(Store):
    """A reset that cannot be announced begins without CREATE in a spare."""

    def place_mark(self, last, value):
        if self.intended() >= 0 or USED not in self.state:
            super().place_mark(last, value)


class NoIntent(IntentAfterwards):
    """Factory reset begins to erase at once, with neither intent nor CREATE."""

    def factory_reset(self):
        self.enter()
        if not self.blank:
            self.reset_region()


class TombstonesDropped(Store):
    """A tombstone goes with its sector, whatever it still hides."""

    def needed(self, e):
        return self.index.a[e + 3] & 0xF0 != TOMBSTONE and super().needed(e)


class ZeroisedIsGone(Store):
    """A record whose payload was zeroised does not keep a tombstone alive."""

    def needed(self, e):
        a = self.index.a
        if a[e + 3] & 0xF0 != TOMBSTONE:
            return True
        s = a[e + 2] & 0xFF
        for other in self.index:
            if a[other] == a[e] and a[other + 2] & 0xFF != s and not a[other + 2] & 0x400:
                return True
        return False


class SequenceReused(Store):
    """A sequence that a RETIRE names may be given out again."""

    class SCAN(Scan):
        def extra(self, fields):
            top = self.store.top
            super().extra(fields)
            self.store.top = top


class NoGiveUp(Store):
    """A sector without accepted content is erased without being named or blotted out."""

    def give_up(self, v):
        pass


class NoMask(Store):
    """Cells of all ones are programmed as they come."""

    def build(self, pieces, size):
        unit = self.unit
        self.unit = 1 << 12
        try:
            return super().build(pieces, size)
        finally:
            self.unit = unit


class EventsNotFolded(Store):
    """Event cells are dropped with their sector."""

    def states(self, s):
        return 0


class LengthsBelieved(Store):
    """A payload is skipped by its length although it fails its CRC."""

    class SCAN(Scan):
        def payload(self, w, c, o, n, fields):
            super().payload(w, c, o, n, fields)
            self.last = c + n
            return c + 1 + n


class VerdictByStart(Store):
    """A verdict counts for what starts exactly where it says, not for a range."""

    class SCAN(Scan):
        def resolution(self, c, fields):
            _, start, at, _, _ = fields
            others = [h for h in self.held if h.start not in (start, at)]
            self.settle()
            super().resolution(c, fields)
            for held in others:
                held.verdict = None


class VerdictReachesBack(Store):
    """A verdict covers an earlier commit whose seal has become unreadable since."""

    class SCAN(Scan):
        def followed(self):
            self.settle()


class AcceptedTwice(Store):
    """What SEAL and RESOLUTION both accept is listed twice, and purged where it lives."""

    def shared(self, e):
        return False

    class SCAN(Scan):
        def sealed(self, at):
            return False


class BrokenForgotten(Store):
    """A sector that could not be erased is not named again in the next sector."""

    def resisting(self, v):
        return []


class NotDisowned(Store):
    """A creation whose commit cannot be read is erased as it is."""

    def disown(self, scans):
        pass


# name: (class, ((runs, geometry number, seeds, size), ...))
CONTROLS = {
    "resolution": (NoResolution, (("single", 6, 3, 20),)),
    "resolution twice": (OneResolution, (("single", 6, 2, 12),)),
    "fence": (SkipInsteadOfFence, (("random", 0, 8, 300), ("random", 10, 8, 300))),
    "fence on a clean tail": (NoFenceOnCleanTail, (("single", 0, 3, 20),)),
    "RETIRE": (NoRetire, (("single", 0, 6, 30), ("random", 0, 8, 300))),
    "SEAL": (NoSeal, (("single", 0, 4, 25),)),
    "SUCCESS SEAL": (NoSuccessSeal, (("events", 0, 4, 30),)),
    "taint": (NoTaint, (("single", 10, 3, 20),)),
    "purge": (NoPurge, (("single", 0, 2, 10),)),
    "purge at mount": (NoPurgeAtMount, (("single", 0, 4, 25),)),
    "STAMP": (NoStamp, (("random", 0, 8, 300), ("random", 10, 8, 300))),
    "old spares": (OldSpareTrusted, (("random", 0, 8, 300), ("random", 10, 8, 300))),
    "empty sectors": (EmptySectorTrusted, (("random", 0, 20, 300),)),
    "verdict before erase": (HastyErase, (("random", 10, 20, 300), ("random", 0, 20, 300))),
    "CREATE": (NoCreate, (("single", 0, 1, 3),)),
    "CREATE twice": (WeakCreate, (("create", 0, 20, 1), ("create", 10, 20, 1))),
    "creation is disowned": (NotDisowned, (("create", 12, 20, 2), ("create", 0, 60, 2))),
    "reset intent": (NoIntent, (("reset", 0, 4, 4),)),
    "tombstones": (TombstonesDropped, (("random", 0, 8, 300),)),
    "zeroised is not gone": (ZeroisedIsGone, (("random", 0, 20, 300),)),
    "sequences": (SequenceReused, (("random", 10, 8, 300),)),
    "give up": (
        NoGiveUp,
        (("random", 10, 8, 300), ("random", 13, 8, 300), ("random", 9, 12, 300)),
    ),
    "worn sectors are named again": (BrokenForgotten, (("worn", 13, 6, 400),)),
    "mask": (NoMask, (("ones", 10, 1, 6),)),
    "events folded": (EventsNotFolded, (("single", 0, 3, 20),)),
}
