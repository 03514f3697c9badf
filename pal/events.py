# SPDX-License-Identifier: MIT
"""PIN attempts and counters: event cells and their sum (FORMAT.md §3.4).

Slots 0 and 1 count the failures of the user and the SO PIN, slots 2 and 3 are counters that
never go back. Promises: `attempt` returns only when the attempt is durable and verified, so a PIN
that is looked at after it has been counted, whatever power does; `success` and `advance` are
sealed, so what they said once stays said.
"""

from micropython import const

from .cells import ATTEMPT, SUCCESS, SUCCESS_SEAL, pack_event
from .collect import Collector
from .log import SLOTS

USER = const(0)
SO = const(1)


class Events(Collector):
    """Event cells in the log."""

    def clear(self):
        """Forget everything that was learned from the flash."""
        super().clear()
        self.highest = [0] * SLOTS  # number of the last attempt
        self.answered = [-1] * SLOTS  # highest number with a success
        self.base_fails = [0] * SLOTS
        self.base_upto = [0] * SLOTS
        self.in_sectors = [0] * SLOTS  # bit per sector that holds cells of the slot

    # --- what the scan saw ---------------------------------------------------------------------

    def saw_attempt(self, sector, slot, number):
        """An ATTEMPT cell that reads valid."""
        if slot < SLOTS:
            self.in_sectors[slot] |= 1 << sector
            if number > self.highest[slot]:
                self.highest[slot] = number

    def saw_success(self, sector, slot, number):
        """A SUCCESS that is sealed or resolved."""
        if slot < SLOTS:
            self.saw_attempt(sector, slot, number)
            if number > self.answered[slot]:
                self.answered[slot] = number

    def saw_state(self, sector, slot, fails, upto):
        """An accepted STATE cell."""
        if slot < SLOTS:
            self.saw_attempt(sector, slot, upto)
            known = self.base_upto[slot]
            if upto > known or (upto == known and fails < self.base_fails[slot]):
                self.base_upto[slot] = upto
                self.base_fails[slot] = fails

    def folded(self, slots, sector):
        """The sums of these slots now stand in `sector`; older cells of them are obsolete."""
        for slot in range(SLOTS):
            if slots >> slot & 1:
                self.base_fails[slot] = self.failures(slot)
                self.base_upto[slot] = self.highest[slot]
                self.in_sectors[slot] = 1 << sector

    def failures(self, slot):
        """Attempts of a slot since its last success."""
        if self.answered[slot] >= self.base_upto[slot]:
            return self.highest[slot] - self.answered[slot]
        return self.base_fails[slot] + self.highest[slot] - self.base_upto[slot]

    # --- appending -----------------------------------------------------------------------------

    def event(self, s, kind, slot, number):
        """Append one event cell."""
        self.blank_cell()
        pack_event(self.cell, kind, slot, number, self.seed[s])
        self.put(s, self.tail[s], self.cell)
        self.in_sectors[slot] |= 1 << s

    def add_attempt(self, slot):
        """Write the next ATTEMPT; returns its number."""
        s = self.make_room(1, self.keep_small)
        number = self.highest[slot] + 1
        self.event(s, ATTEMPT, slot, number)
        self.highest[slot] = number
        return number

    def add_success(self, slot, number):
        """Write SUCCESS and its seal."""
        s = self.make_room(2, self.keep_small)
        self.event(s, SUCCESS, slot, number)
        self.event(s, SUCCESS_SEAL, slot, number)
        self.answered[slot] = number
        if number > self.highest[slot]:
            self.highest[slot] = number
