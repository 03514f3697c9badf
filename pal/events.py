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
from .ledger import Ledger
from .log import SLOTS

USER = const(0)
SO = const(1)


class Events(Collector):
    """Event cells in the log."""

    def clear(self):
        """Forget everything that was learned from the flash."""
        super().clear()
        self.ledger = Ledger()
        self.in_sectors = [0] * SLOTS  # bit per sector that holds cells of the slot

    def hear(self, scans):
        """Take what the sectors in use say of events and losses; nothing from any other.

        A sector that was taken out of use may be half erased: a SUCCESS that was refused before it
        was moved can read as one that stands, with the verdict behind it gone.
        """
        self.unnamed = 0
        for scan in scans:
            if scan:
                self.unnamed += scan.unnamed
            if scan and scan.ledger:
                self.ledger.add(scan.ledger)
                for slot in range(SLOTS):
                    if scan.ledger.slots >> slot & 1:
                        self.in_sectors[slot] |= 1 << scan.sector

    def folded(self, slots, sector):
        """The sums of these slots now stand in `sector`; older cells of them are obsolete."""
        for slot in range(SLOTS):
            if slots >> slot & 1:
                self.ledger.fold(slot)
                self.in_sectors[slot] = 1 << sector

    def failures(self, slot):
        """Attempts of a slot since its last success."""
        return self.ledger.failures(slot)

    def highest(self, slot):
        """Number of the last attempt of a slot; value of a counter."""
        return self.ledger.highest[slot]

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
        number = self.highest(slot) + 1
        self.event(s, ATTEMPT, slot, number)
        self.ledger.attempt(slot, number)
        return number

    def add_success(self, slot, number):
        """Write SUCCESS and its seal."""
        s = self.make_room(2, self.keep_small)
        self.event(s, SUCCESS, slot, number)
        self.event(s, SUCCESS_SEAL, slot, number)
        self.ledger.success(slot, number)
