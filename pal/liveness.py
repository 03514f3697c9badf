# SPDX-License-Identifier: MIT
"""Which of the records that were read are alive (FORMAT.md §3.1, §4.2).

Promises: one live copy per id, two or more of critical ones; a good copy goes before a bad one, a
later one before an earlier; nothing older hides behind a record that was lost.
"""

from .cells import CHAIN, CRITICAL, DAMAGED, PART, RECORD
from .flash import ZERO_NONE
from .index import BAD, LIVE, OPEN, ZEROED
from .look import Look


class Liveness(Look):
    """Judging the index after a mount."""

    def settle_lost(self, scans):
        """Enter records whose header is beyond repair, unless a later one replaces them."""
        index = self.index
        a = index.a
        top = self.version
        for e in range(0, index.words, 8):
            if a[e + 2] & OPEN:
                a[e + 2] &= ~OPEN
                s = a[e + 2] & 0xFF
                if s == self.active or self.void >> s & 1:
                    a[e] = 0  # torn
                else:
                    a[e + 2] |= BAD  # another sector was opened: this was sealed once
            if a[e]:
                version = a[e + 4] | a[e + 5] << 16
                if version > top:
                    top = version
        self.version = top
        for s in range(self.count):
            scan = scans[s]
            if scan and s != self.active and not self.void >> s & 1:
                if 0 <= scan.junk < scan.tail - 2:  # the shortest transaction has three cells
                    self.unnamed += 1
            for oid, cell in scans[s].lost if scans[s] else ():
                newer = False
                for e in index:
                    if index.a[e] == oid:
                        other = index.a[e + 2] & 0xFF
                        later = self.seq[other] - self.seq[s]
                        newer = newer or later > 0 or (later == 0 and index.a[e + 1] > cell)
                if not newer:
                    index.add(oid, cell, s | BAD, RECORD | DAMAGED, self.version + 1, 0, 0)

    def later(self, e, other):
        """True when the cell of entry e was written after that of `other`."""
        a = self.index.a
        mine = self.seq[a[e + 2] & 0xFF]
        theirs = self.seq[a[other + 2] & 0xFF]
        return mine > theirs or (mine == theirs and a[e + 1] > a[other + 1])

    def judge_entries(self):
        """Mark the live entries: highest version of each id, one copy, two for critical ones."""
        index = self.index
        a = index.a
        newest = {}
        parts = False
        for e in range(0, index.words, 8):
            oid = a[e]
            if oid:
                if a[e + 3] & 0xF0 == PART:
                    parts = True
                    continue
                version = a[e + 4] | a[e + 5] << 16
                if oid not in newest or newest[oid] < version:
                    newest[oid] = version
        keep = {}
        self.incomplete = []
        for e in range(0, index.words, 8):
            oid = a[e]
            if not oid or a[e + 3] & 0xF0 == PART:
                continue
            if newest[oid] != a[e + 4] | a[e + 5] << 16:
                continue
            if oid in keep:
                other = keep[oid]
                if a[e + 3] & CRITICAL and not (a[e + 2] | a[other + 2]) & BAD:
                    a[e + 2] |= LIVE
                    continue
                if a[e + 2] & BAD and not a[other + 2] & BAD:
                    continue
                if a[e + 2] & BAD == a[other + 2] & BAD and not self.later(e, other):
                    continue
                a[other + 2] &= ~LIVE
            keep[oid] = e
            a[e + 2] |= LIVE
        if parts:
            self.judge_parts(keep)
        for oid in newest:
            if newest[oid] > self.version:
                self.version = newest[oid]

    def judge_parts(self, keep):
        """Mark the parts of live values; a value that lacks one is damaged."""
        index = self.index
        a = index.a
        best = {}
        for e in index:
            oid = a[e]
            if a[e + 3] & 0xF0 != PART or not oid:
                continue
            version = index.version(e)
            if oid not in keep:
                continue
            m = keep[oid]
            if not a[m + 3] & CHAIN or index.version(m) != version:
                continue
            number = (oid, a[e + 3] >> 8)
            if number in best:
                other = best[number]
                if a[e + 2] & BAD and not a[other + 2] & BAD:
                    continue
                if a[e + 2] & BAD == a[other + 2] & BAD and not self.later(e, other):
                    continue
                a[other + 2] &= ~LIVE
            best[number] = e
            a[e + 2] |= LIVE
        for oid in keep:
            m = keep[oid]
            if a[m + 3] & CHAIN and not a[m + 2] & BAD:
                for i in range(self.chains[(oid, index.version(m))]):
                    e = best[(oid, i)] if (oid, i) in best else -1
                    if e < 0 or a[e + 2] & BAD:
                        self.incomplete.append(m)

    def taint_bad(self):
        """A payload that fails its CRC taints its sector, unless it is marked or purged."""
        a = self.index.a
        for e in self.index:
            place = a[e + 2]
            if place & BAD and not a[e + 3] & DAMAGED:
                if place & LIVE or not (place & ZEROED or self.dead_payload(e)):
                    self.taint |= 1 << (place & 0xFF)
        for e in self.incomplete:
            a[e + 2] |= BAD  # lacks a part; its own record is sound, so nothing is tainted

    def doubt_older(self):
        """A sector in use is lost: what was written before the newest one may be out of date.

        Where dead payloads are zeroised an old value cannot show, so nothing is in doubt.
        """
        if self.zero_mode != ZERO_NONE:
            return
        a = self.index.a
        for e in self.index:
            if a[e + 2] & 0xFF != self.active:
                a[e + 2] |= BAD
