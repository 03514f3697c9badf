# SPDX-License-Identifier: MIT
"""Garbage collection and purge (FORMAT.md §5 evacuation, §6).

Promises: a sector is erased only after a sealed transaction elsewhere holds what was live in it
and names it in RETIRE; a record is checked after it was copied to RAM and programmed from there; a
payload that fails its CRC stays marked as damaged; when `purge` returns no dead secret is left.
Assumes: outside of a call at least one sector is a spare.
"""

from .cells import (
    CRITICAL,
    DAMAGED,
    PART,
    RECORD,
    RETIRE,
    SECRET,
    STATE,
    TOMBSTONE,
    wipe,
)
from .flash import ZERO_NONE, FlashError
from .index import BAD, LIVE, ZEROED
from .log import DIRTY, FULL, IO, SLOTS, USED, WORN, Log, StoreError
from .salvage import judge, mend


class Collector(Log):
    """Finds room for appends, keeps what lives, destroys what must be dead."""

    # --- records -------------------------------------------------------------------------------

    def clear(self):
        """Forget everything that was learned from the flash."""
        super().clear()
        self.carry = []  # sectors to be named in the next evacuation besides its own
        self.full_at = 1 << 16  # cells that are known not to fit

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

    def live_cells(self):
        """Cells of all records that must survive, STATE cells included."""
        a = self.index.a
        n = 0
        for e in self.index:
            if a[e + 2] & LIVE:
                n += self.size(e)
        for slot in range(SLOTS):
            if self.in_sectors[slot]:
                n += 2
        return n

    def capacity(self):
        """Cells that live records may fill."""
        return (self.count - 1) * (self.cells - self.body - self.keep_put - 3)

    # --- evacuation ----------------------------------------------------------------------------

    def copy(self, e):
        """Append the record of entry e to the open transaction. Returns (cell, bits of PLACE)."""
        a = self.index.a
        tf = a[e + 3] & 0xFF
        kind = a[e + 3] >> 8
        version = self.index.version(e)
        if tf & 0xF0 == TOMBSTONE:
            c = self.mark(tf, 0, a[e], 0, version)
            self.mark(tf, 0, a[e], 0, version)
            return c, 0
        buf, good = self.fetch(e)
        try:
            if not good:
                tf |= DAMAGED
                a[e + 3] |= DAMAGED
            return self.record(buf, tf, kind, a[e], a[e + 6], version), 0 if good else BAD
        finally:
            wipe(buf)

    def states(self, s):
        """Append the event sums that would be lost with sector s. Returns their slots."""
        slots = 0
        for slot in range(SLOTS):
            if self.in_sectors[slot] >> s & 1:
                slots |= 1 << slot
                fails = min(self.failures(slot), 65535)
                for _ in range(2):
                    self.mark(STATE, slot, 4, fails, self.highest[slot])
        return slots

    def retire(self, s):
        """Append RETIRE of sector s to the open transaction."""
        self.mark(RETIRE, s, 0, 0, self.seq[s])

    def target(self, v, need):
        """A sector with room for `need` cells to evacuate v to, -1 when there is none."""
        a = self.active
        if a >= 0 and a != v and not self.taint >> a & 1 and self.ready(a, need, self.keep_move):
            return a
        if self.spares() and self.body + need <= self.cells - self.keep_move:
            return self.open_next()
        return -1

    def evacuate(self, v):
        """Move what lives in sector v elsewhere, retire it, erase it."""
        if self.void >> v & 1:
            self.give_up(v)
            self.release(v)
            return
        entries = self.movable(v)
        need = 3 + len(self.carry)
        for e in entries:
            need += self.size(e)
        for slot in range(SLOTS):
            if self.in_sectors[slot] >> v & 1:
                need += 2
        t = self.target(v, need)
        if t < 0:
            raise StoreError(WORN if self.worn else FULL)
        self.begin(t)
        moved = [self.copy(e) for e in entries]
        slots = self.states(v)
        for s in self.carry:
            self.retire(s)
        self.retire(v)
        self.seal()
        for e, (c, bad) in zip(entries, moved):
            self.index.a[e + 1] = c
            self.index.a[e + 2] = t | LIVE | bad
        self.folded(slots, t)
        if self.active == v:
            self.active = t
        self.release(v)

    def give_up(self, v):
        """Make sure that sector v, which holds nothing accepted, is not believed half erased.

        Its COMMIT may be a weak one: a verdict that lies in v itself might be erased before it.
        """
        if self.zero_mode != ZERO_NONE:
            try:
                for c in range(1, self.body, self.f):
                    step = min(self.f, self.body - c)
                    zeros = memoryview(self.zeros)[0 : step * self.z]
                    self.device.program(self.base[v] + c * self.z, zeros)
                return
            except FlashError:
                pass
        # RETIRE in any other sector, the newest first; a spare when none has room
        tried = 1 << v
        while True:
            best = -1
            for s in range(self.count):
                if self.state[s] == USED and not (tried | self.void) >> s & 1:
                    if best < 0 or self.seq[s] > self.seq[best]:
                        best = s
            if best < 0:
                if not self.spares():
                    return
                best = self.open_next()
            if self.ready(best, 3, self.keep_retire):
                self.begin(best)
                self.retire(v)
                self.seal()
                return
            tried |= 1 << best

    def release(self, v):
        """Erase a sector whose content is no longer needed."""
        self.state[v] = DIRTY
        self.forget(v)
        try:
            self.erase(v)
        except StoreError:
            self.blot(v)
            raise

    def blot(self, v):
        """Zero what a sector that cannot be erased holds, where the flash allows it."""
        if self.zero_mode == ZERO_NONE:
            return
        for c in range(self.cells):
            try:
                self.device.program(self.base[v] + c * self.z, memoryview(self.zeros)[0 : self.z])
            except FlashError:
                pass

    def forget(self, v):
        """Drop a sector from index and event sums."""
        self.index.drop_sector(v)
        for slot in range(SLOTS):
            self.in_sectors[slot] &= ~(1 << v)

    def move_some(self, v):
        """Fill the rest of the active sector with records of v, so that sectors pack well."""
        t = self.active
        if self.taint >> t & 1 or not self.ready(t, 4, self.keep_put):
            return
        room = self.cells - self.keep_put - self.tail[t] - 2
        entries = []
        for e in self.movable(v):
            if self.index.a[e + 3] & 0xF0 == RECORD and not self.index.a[e + 3] & CRITICAL:
                if self.size(e) <= room:
                    room -= self.size(e)
                    entries.append(e)
        if not entries:
            return
        self.begin(t)
        a = self.index.a
        moved = [self.copy(e) for e in entries]
        self.seal()
        for e, (c, bad) in zip(entries, moved):
            tf_kind = a[e + 3]
            self.index.add(
                a[e], c, t | LIVE | bad, tf_kind, self.index.version(e), a[e + 6], a[e + 7]
            )
            a = self.index.a
            a[e + 2] &= ~LIVE

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
