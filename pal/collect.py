# SPDX-License-Identifier: MIT
"""Garbage collection and purge (FORMAT.md §5 the sector to collect, §6).

Promises: `make_room` leaves a spare and spreads the wear; when `purge` returns no dead secret is
left in the flash.
"""

from .cells import CRITICAL, PART, SECRET
from .evacuate import Evacuation
from .flash import ZERO_NONE, FlashError
from .index import BAD, LIVE, ZEROED
from .log import FULL, IO, USED, WORN, StoreError


class Collector(Evacuation):
    """Finds room for appends, destroys what must be dead."""

    def clear(self):
        """Forget everything that was learned from the flash."""
        super().clear()
        self.full_at = 1 << 16  # cells that are known not to fit

    # --- room ----------------------------------------------------------------------------------

    def laggard(self):
        """The least worn sector in use when it lags behind, -1 when none does."""
        least = -1
        for s in range(self.count):
            if self.state[s] == USED and (least < 0 or self.wear[s] < self.wear[least]):
                least = s
        return least if least >= 0 and max(self.wear) - self.wear[least] > 1 else -1

    def victim(self):
        """The sector to collect next: one that lags in wear, or the oldest but the active one."""
        oldest = self.laggard()
        if oldest >= 0:
            return oldest
        for s in range(self.count):
            if self.state[s] == USED and s != self.active:
                if oldest < 0 or self.seq[s] < self.seq[oldest]:
                    oldest = s
        return self.active if oldest < 0 else oldest

    def make_room(self, need, keep):
        """Return the active sector, ready to take `need` cells. StoreError FULL when it cannot."""
        if need + self.body > self.cells - keep:
            raise StoreError(FULL)
        rounds = 0
        while True:
            a = self.active
            if a >= 0 and not self.taint >> a & 1 and self.ready(a, need, keep):
                return a
            if self.worn:
                raise StoreError(WORN)
            if self.spares() > 1 or a < 0:
                self.open_next()
                self.spread(need, keep)
                continue
            if rounds == 3 * self.count:
                raise StoreError(FULL)
            rounds += 1
            v = self.victim()
            if v != a and 2 * self.live_cells() > self.capacity():
                self.move_some(v)  # nearly full: sectors must pack well
            self.evacuate(v)

    def spread(self, need, keep):
        """Give critical records whose copies share a sector one in the sector just opened."""
        if self.count < 3:
            return
        t = self.active
        a = self.index.a
        room = self.cells - keep - need - self.tail[t] - 2
        entries = []
        seen = set()
        for e in self.index:
            place = a[e + 2]
            oid = a[e]
            if not a[e + 3] & CRITICAL or not place & LIVE or place & BAD or oid in seen:
                continue
            seen.add(oid)
            if len(set(self.others(oid, -1))) < 2 and self.size(e) <= room:
                room -= self.size(e)
                entries.append(e)
        if not entries:
            return
        self.begin(t)
        moved = [self.copy(e) for e in entries]
        self.seal()
        for e, (c, bad) in zip(entries, moved):
            a = self.index.a
            self.index.add(
                a[e], c, t | LIVE | bad, a[e + 3], self.index.version(e), a[e + 6], a[e + 7]
            )

    # --- purge ---------------------------------------------------------------------------------

    def dead_payload(self, e):
        """True when entry e is dead and its payload must not stay in flash.

        Secrets never stay. Where zeros can be programmed no dead payload does, so that an old
        value cannot come back when the sector with the new one is lost.
        """
        a = self.index.a
        return (
            a[e]
            and (a[e + 3] & SECRET or self.zero_mode != ZERO_NONE)
            and a[e + 3] & 0xF0 <= PART
            and a[e + 6]
            and not a[e + 2] & (LIVE | ZEROED)
        )

    def shared(self, e):
        """True when a live entry has the place of the dead entry e: a record must not wipe itself."""
        a = self.index.a
        cell = a[e + 1]
        sector = a[e + 2] & 0xFF
        for other in range(0, self.index.words, 8):
            if a[other + 1] == cell and a[other + 2] & LIVE and a[other + 2] & 0xFF == sector:
                return True
        return False

    def zeroise(self, e):
        """Program the payload of entry e with zeros. FlashError when the flash refuses."""
        a = self.index.a
        z = self.z
        c = a[e + 1] + 1
        end = a[e + 1] + self.size(e)
        base = self.base[a[e + 2] & 0xFF]
        while c < end:
            step = min(self.f - c % self.f, end - c)
            self.device.program(base + c * z, memoryview(self.zeros)[0 : step * z])
            c += step
        a[e + 2] |= ZEROED

    def purge(self):
        """Destroy every payload that is dead."""
        hit = 0
        for e in self.index:
            if self.dead_payload(e):
                if self.shared(e):
                    self.index.a[e] = 0  # listed twice
                    continue
                if self.zero_mode != ZERO_NONE:
                    try:
                        self.zeroise(e)
                        continue
                    except FlashError:
                        pass
                if self.index.a[e + 3] & SECRET:
                    hit |= 1 << (self.index.a[e + 2] & 0xFF)
        for s in range(self.count):
            if hit >> s & 1 and self.state[s] == USED:
                self.evacuate(s)
        if hit:
            self.level()

    def level(self):
        """Let sectors that lag in wear take part: purges erase where the secrets are."""
        for _ in range(self.count):
            v = self.laggard()
            if v < 0 or not self.spares():
                return
            self.evacuate(v)

    def failed(self, error):
        """Translate a FlashError: what the flash holds now is found out by the next mount."""
        self.stale = True
        return StoreError(IO)
