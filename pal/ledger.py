# SPDX-License-Identifier: MIT
"""What event cells add up to (FORMAT.md §3.4): of one sector while it is read, of the store then.

Promises: cells may come in any order and more than once. Knows nothing of flash.
"""

from .log import SLOTS


class Ledger:
    """Attempts, successes and carried sums by slot; numbers of slots that do not exist are ignored."""

    def __init__(self):
        self.highest = [0] * SLOTS  # number of the last attempt
        self.answered = [-1] * SLOTS  # highest number with a success
        self.base_fails = [0] * SLOTS  # failures up to and including attempt base_upto
        self.base_upto = [0] * SLOTS
        self.slots = 0  # bit per slot that was met

    def attempt(self, slot, number):
        """An ATTEMPT, or another cell that bears the number of one."""
        if slot < SLOTS:
            self.slots |= 1 << slot
            if number > self.highest[slot]:
                self.highest[slot] = number

    def success(self, slot, number):
        """A SUCCESS that is sealed or resolved."""
        if slot < SLOTS:
            self.attempt(slot, number)
            if number > self.answered[slot]:
                self.answered[slot] = number

    def state(self, slot, fails, upto):
        """An accepted STATE."""
        if slot < SLOTS:
            self.attempt(slot, upto)
            known = self.base_upto[slot]
            if upto > known or (upto == known and fails < self.base_fails[slot]):
                self.base_upto[slot] = upto
                self.base_fails[slot] = fails

    def add(self, other):
        """Take in what another ledger says."""
        for slot in range(SLOTS):
            if other.slots >> slot & 1:
                self.attempt(slot, other.highest[slot])
                if other.answered[slot] >= 0:
                    self.success(slot, other.answered[slot])
                self.state(slot, other.base_fails[slot], other.base_upto[slot])

    def fold(self, slot):
        """Let the present sum of a slot stand for all of its cells."""
        self.base_fails[slot] = self.failures(slot)
        self.base_upto[slot] = self.highest[slot]

    def failures(self, slot):
        """Attempts of a slot since its last success."""
        if self.answered[slot] >= self.base_upto[slot]:
            return self.highest[slot] - self.answered[slot]
        return self.base_fails[slot] + self.highest[slot] - self.base_upto[slot]
