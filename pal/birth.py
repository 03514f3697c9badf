# SPDX-License-Identifier: MIT
"""How a store begins and ends (FORMAT.md §7): CREATE, creation, factory reset.

Promises: an interrupted creation is recognised and counts as blank; a reset that has begun is
finished by the next mount, whatever power does.
"""

from .cells import CREATE, RECORD, pack_mark
from .events import Events
from .flash import ZERO_NONE, FlashError
from .index import LIVE
from .log import BLANK, BROKEN, DIRTY, IO, MARK, OLD, SPARE, StoreError

RESET_INTENT = 0x06
EMPTY = (SPARE, OLD, BLANK)  # states of sectors that hold nothing


class Birth(Events):
    """Creation and reset."""

    def start_over(self):
        """Creation or reset was under way: erase what is neither spare nor the CREATE sector."""
        if self.rest():
            self.firm_mark()
            for s in self.rest():
                self.state[s] = DIRTY
            self.erase_dirty()
        wear, state, marks, worn = self.wear, self.state, self.marks, self.worn
        mark, value = self.mark_sector, self.mark_value
        self.clear()
        self.wear, self.state, self.marks, self.worn = wear, state, marks, worn
        self.mark_sector, self.mark_value = mark, value

    def rest(self):
        """Sectors that are neither spare nor hold CREATE."""
        return [s for s in range(self.count) if self.state[s] != OLD and s != self.mark_sector]

    def disown(self, scans):
        """Make sure that a creation whose commit cannot be read is not believed half erased.

        The commit may be a weak one and readable again at a later boot.
        """
        for scan in scans:
            if scan and not self.blot_header(scan.sector):
                s = self.mark_sector
                self.mark_value = scan.store_id
                self.marks[s] = 0
                self.firm_mark()

    def firm_mark(self):
        """Have a CREATE that stays: its second copy was started when it was complete.

        Where cuts have filled its sector with torn ones, another one with the same CREATE or an
        empty one takes its place.
        """
        first = self.mark_sector
        for s in range(first, first + self.count):
            s %= self.count
            same = self.state[s] == MARK and self.mark_names[s] == self.mark_value
            if (s == first or same) and self.append_mark(s):
                self.mark_sector = s
                return
        self.mark_sector = -1
        self.place_mark(first, self.mark_value)
        if self.mark_sector < 0:
            self.mark_sector = first
            raise FlashError("CREATE")

    def append_mark(self, s):
        """Write both copies of CREATE to sector s; False when it is full.

        No fence: an interrupted call touched one cell, and CREATE over a trace of the same CREATE
        either takes or is refused; then the next cell serves.
        """
        z = self.z
        c = copy = 0
        cell = bytearray(z)
        while not self.marks[s] & 2:
            if c == self.cells:
                return False
            self.device.raw_read(self.base[s] + c * z, cell)
            if cell == b"\xff" * z:
                self.blank_cell()
                pack_mark(self.cell, CREATE, self.mark_value, copy)
                try:
                    self.device.program(self.base[s] + c * z, self.cell)
                    copy += 1
                    self.marks[s] |= copy
                except FlashError:
                    pass
            c += 1
        return True

    def erase_dirty(self):
        """Erase the sectors that wait for it; the store is read-only when one resists."""
        for s in range(self.count):
            if self.state[s] == DIRTY or self.state[s] == BROKEN:
                try:
                    self.erase(s)
                except StoreError:
                    pass

    def intended(self):
        """Sector with a live reset intent, -1: none."""
        a = self.index.a
        for e in self.index:
            if a[e] == RESET_INTENT and a[e + 2] & LIVE and a[e + 3] & 0xF0 == RECORD:
                return a[e + 2] & 0xFF
        return -1

    def reset_region(self):
        """Erase every sector, the one with the intent last (FORMAT.md §7).

        Goes on past sectors that cannot be erased, which are blotted out; the store is read-only then.
        """
        intent = self.intended()
        last = intent if intent >= 0 else self.active
        if self.mark_sector < 0:
            # First: half erased, a sector may say that the one with the intent was moved.
            self.place_mark(last, self.store_id)
        for s in range(self.count):
            if s != last and s != self.mark_sector:
                if self.mark_sector < 0 and self.void >> s & 1:
                    self.give_up(s)
                if self.state[s] != SPARE and self.state[s] != OLD:
                    self.destroy(s)
        if self.mark_sector < 0:
            self.place_mark(last, self.store_id)
        if self.mark_sector < 0 and intent < 0:
            self.leave_mark(last)
        if self.mark_sector < 0:
            self.zeroise_all()  # no sector can be erased: the intent has to stay
            wear = self.wear
            self.clear()
            self.wear, self.worn, self.blank = wear, True, True
            return
        self.firm_mark()
        if last != self.mark_sector:
            self.state[last] = DIRTY
        self.start_over()
        self.blank = True

    def place_mark(self, last, value):
        """Write CREATE to an empty sector other than `last` that can be erased, if there is one."""
        for s in range(self.count - 1, -1, -1):
            if s != last and self.state[s] in EMPTY:
                self.wear[s] += 1
                try:
                    self.device.erase(s)
                except FlashError:
                    self.state[s] = BROKEN
                    self.worn = True
                    continue
                self.state[s] = MARK
                self.mark_sector = s
                self.mark_value = self.mark_names[s] = value
                self.marks[s] = 0
                self.firm_mark()
                return

    def leave_mark(self, s):
        """Zero the last sector, with CREATE behind its content. Destroy it where that cannot be.

        For a worn-out store that had no room for an intent and of which no other sector can be erased.
        """
        if self.zero_mode != ZERO_NONE and (self.fenced >> s & 1 or self.fence(s)):
            end = self.tail[s]
            if self.cells - end >= 2:
                self.mark_sector = s
                self.mark_value = self.mark_names[s] = self.store_id
                self.marks[s] = 0
                self.firm_mark()
                self.state[s] = MARK
                self.blot(s, end)
                return
        self.destroy(s)
        self.place_mark(-1, self.store_id)

    def destroy(self, s):
        """Erase a sector, or zero it where it cannot be erased."""
        try:
            self.erase(s)
        except StoreError:
            self.blot(s)

    def zeroise_all(self):
        """Destroy every payload but that of the intent where it lies."""
        a = self.index.a
        for e in self.index:
            if a[e] != RESET_INTENT and self.zero_mode != ZERO_NONE:
                a[e + 2] &= ~LIVE
                if self.dead_payload(e):
                    try:
                        self.zeroise(e)
                    except FlashError:
                        pass

    def create(self):
        """Make a blank region an empty store (FORMAT.md §7)."""
        if self.mark_sector < 0:
            self.mark_value = 0
            for s in range(self.count):
                self.mark_sector = s
                try:
                    self.firm_mark()
                    break
                except FlashError:
                    self.mark_sector = -1
            if self.mark_sector < 0:
                raise StoreError(IO)
        else:
            self.firm_mark()
        mark = self.mark_sector
        self.state[mark] = MARK
        for s in range(self.count):
            if s != mark and self.state[s] != SPARE:
                self.erase(s)
        self.store_id = self.mark_value
        while self.store_id == self.mark_value or not self.store_id:
            self.store_id = self.number()
        self.begin(self.open_next())
        self.seal()  # of nothing: from here on there is a store
        self.blank = False
        self.erase(mark)
        self.mark_sector = -1
