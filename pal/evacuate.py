# SPDX-License-Identifier: MIT
"""Evacuation: what lives in a sector is moved, then the sector is erased (FORMAT.md §5).

Promises: a sector is erased only after a sealed transaction elsewhere holds what was live in it
and names it in RETIRE; a record is programmed from the RAM copy that was checked; a payload that
fails its CRC stays marked as damaged. Assumes: outside of a call at least one sector is a spare.
"""

from .cells import CRITICAL, DAMAGED, RECORD, RETIRE, STATE, TOMBSTONE, wipe
from .flash import ZERO_NONE, FlashError
from .index import BAD, LIVE
from .log import BROKEN, DIRTY, FULL, SLOTS, USED, WORN, StoreError
from .records import Records


class Evacuation(Records):
    """Moving records from one sector to another."""

    def clear(self):
        """Forget everything that was learned from the flash."""
        super().clear()
        self.carry = []  # sectors to be named in the next evacuation besides its own

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
                    self.mark(STATE, slot, 4, fails, self.highest(slot))
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
        named = self.carry + self.resisting(v)
        need = 3 + len(named)
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
        for s in named:
            if s != t:
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

    def resisting(self, v):
        """Sectors besides v that could not be erased: the active sector has to name them."""
        if not self.worn:
            return []
        return [s for s in range(self.count) if self.state[s] == BROKEN and s != v]

    def give_up(self, v):
        """Make sure that sector v, which holds nothing accepted, is not believed half erased.

        Its COMMIT may be a weak one: a verdict that lies in v itself might be erased before it.
        """
        if self.blot_header(v):
            return
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
            named = self.resisting(v)
            if self.ready(best, 3 + len(named), self.keep_retire):
                self.begin(best)
                for s in named:
                    self.retire(s)
                self.retire(v)
                self.seal()
                return
            tried |= 1 << best

    def blot_header(self, v):
        """Zero both headers of a sector. False: the flash does not allow it."""
        if self.zero_mode == ZERO_NONE:
            return False
        try:
            for c in range(1, self.body, self.f):
                step = min(self.f, self.body - c)
                zeros = memoryview(self.zeros)[0 : step * self.z]
                self.device.program(self.base[v] + c * self.z, zeros)
        except FlashError:
            return False
        return True

    def release(self, v):
        """Erase a sector whose content is no longer needed."""
        self.state[v] = DIRTY
        self.forget(v)
        try:
            self.erase(v)
        except StoreError:
            self.blot(v)
            raise

    def blot(self, v, end=0):
        """Zero what a sector that cannot be erased holds, where the flash allows it.

        Its first `end` cells, by default all; the first one last, so that headers stand until the end.
        """
        if self.zero_mode == ZERO_NONE:
            return
        zeros = memoryview(self.zeros)[0 : self.z]
        for c in range((end or self.cells) - 1, -1, -1):
            try:
                self.device.program(self.base[v] + c * self.z, zeros)
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
