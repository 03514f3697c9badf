# SPDX-License-Identifier: MIT
"""Mount: brings a recognised region to rest (FORMAT.md §5).

Promises: a clean region is mounted without a program or an erase; nothing irreversible is done on
the word of a transaction that is neither sealed nor resolved; when mount returns, an interrupted
call has either happened or not, for good, and no dead secret is left.
"""

from .cells import pack_verdict
from .liveness import Liveness
from .log import BLANK, DIRTY, MARK, USED, StoreError


class Mount(Liveness):
    """Recovery."""

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

    def decisive(self):
        """The sector that gets a verdict before any other: the newest, or that of a reset's intent.

        The newest may be one that the reset has half erased: nothing is written there.
        """
        last = self.intended()
        if last < 0 or last == self.active:
            return self.active
        self.taint |= 1 << self.active
        return last

    def recover(self, scans):
        """Bring a recognised region to rest."""
        self.retired(scans)
        self.hear(scans)
        self.settle_lost(scans)
        self.judge_entries()
        self.taint_bad()
        if self.lost and self.intended() < 0:
            self.doubt_older()
            return
        newest = scans[self.decisive()]
        if newest.unclean:
            self.resolve(newest)
        if self.intended() >= 0:
            self.reset_region()
            return
        for scan in scans:
            if scan and scan.unclean and scan.accepted and scan is not newest:
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
