# SPDX-License-Identifier: MIT
"""Gathering the records of a transaction while a sector is read (for `pal.scan`).

Records enter the index as they are met; here they are given to the COMMIT or SEAL that closes
them, or taken out again, and what an accepted transaction says of other sectors is noted.
"""

from micropython import const

from .index import BAD
from .ledger import Ledger

NONE = const(0)  # verdicts
TRANSACTION = const(1)
LOGIN = const(2)


class Held:
    """A transaction or a SUCCESS whose seal was not read (yet)."""

    def __init__(self, kind, start, n, h, ids=0, count=0):
        self.kind = kind
        self.start = start
        self.n = n
        self.h = h
        self.ids = ids
        self.count = count
        self.first = self.end = 0  # its entries in the index
        self.x_first = self.x_end = 0  # its RETIRE and STATE cells in `extras`
        self.verdict = None
        self.salvage = False


class Gather:
    """The part of Scan that knows which records belong to which transaction."""

    def events(self):
        """The sector's Ledger, made when its first event is met."""
        if self.ledger is None:
            self.ledger = Ledger()
        return self.ledger

    def reset(self):
        """Begin to gather a transaction at the next record header."""
        self.p_start = -1
        self.p_count = 0
        self.p_crc = self.seed
        self.p_first = self.index.words
        self.p_extra = len(self.extras)

    def settle(self):
        """Put the committed transaction that is still open on the list."""
        if self.und:
            self.held.append(self.und)
            self.und = None

    def followed(self):
        """As `settle`, when another commit follows: the open one was sealed, or nothing would.

        Its seal is weak or rotten. A verdict about what follows must not reach back to it.
        """
        und = self.und
        if und:
            end = und.start + 2 + (und.n if und.kind == TRANSACTION else 0)
            if end > self.closed:
                self.closed = end
            self.settle()

    def explain(self, c):
        """Cells before c that are nothing but were followed by an append were a transaction."""
        if 0 <= self.junk < c:
            self.unnamed += 1
        self.junk = -1

    def suspect(self, end):
        """Records followed by closed cells, but never closed themselves: report, do not serve."""
        index = self.index
        for e in range(self.p_first, end, 8):
            index.a[e + 2] |= BAD
            self.tainted = True

    def gather(self, c, held):
        """Give `held`, closed by the cell at c, the records gathered so far."""
        index = self.index
        self.explain(held.start)
        held.x_first = self.p_extra
        held.x_end = len(self.extras)
        start = self.p_start if held.n else held.start
        if start == held.start and self.p_count == held.count and self.p_crc == held.h:
            held.first = self.p_first
            held.end = index.words
        else:
            e = self.p_first
            while e < index.words and index.a[e + 1] < held.start:
                e += 8
            self.suspect(e)
            index.cut(e)
            del self.extras[held.x_first :]
            held.first = held.end = e
            held.x_end = held.x_first
            held.salvage = True
            self.tainted = True
        self.reset()

    def accept(self, held):
        """The transaction counts."""
        if held.salvage:
            self.salvages.append(held)
        for i in range(held.x_first, held.x_end):
            self.extra(self.extras[i])

    def extra(self, fields):
        """An accepted RETIRE or STATE cell."""
        tf, kind, _, length, version = fields
        if tf >> 4 == 4:
            self.retires.append((kind, version))
            if version > self.store.top:
                self.store.top = version  # never to be given to another sector
        else:
            self.events().state(kind, length, version)
