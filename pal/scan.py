# SPDX-License-Identifier: MIT
"""Reads one sector once and says what it holds (FORMAT.md §3, §5 steps 2 to 4).

Every cell is looked at. A length is believed where the payload behind it carries its CRC; where it
does not, the cells of the announced payload are examined too, because a cell that a recovery wrote
may lie among them. Records enter the index as they are met and leave it again when nothing closes
their transaction. What was read once is judged and used from the window; only a transaction with a
rotten header is read a second time (`pal.salvage`).
"""

import struct
from binascii import crc32

from micropython import const

from .cells import (
    ATTEMPT,
    CELL,
    CHAIN,
    CLOSE_FORM,
    COMMIT,
    DAMAGED,
    EVENT_FORM,
    KINDS,
    RECORD_FORM,
    RESOLUTION,
    SEAL,
    SUCCESS,
    SUCCESS_SEAL,
    VERDICT_FORM,
    closed_by_crc,
    mended_event,
    unmask,
)
from .gather import LOGIN, NONE, TRANSACTION, Gather, Held
from .index import BAD, OPEN, ZEROED

_RECORD = const(1)  # upper halves of the first byte
_PART = const(2)
_TOMBSTONE = const(3)


class Scan(Gather):
    """What one sector holds. Constructing it reads the body from cell `begin` on."""

    def __init__(self, store, window, sector, seed, begin):
        self.sector = sector
        self.seed = seed
        self.index = store.index
        self.store = store
        self.tainted = False
        self.accepted = False
        self.held = []
        self.und = None  # committed, seal not read
        self.extras = []  # (first byte, kind, id, length, version) of RETIRE and STATE cells
        self.retires = []  # (sector, sequence) named by accepted RETIRE cells
        self.lost = []  # (id, cell) of headers beyond repair
        self.salvages = []
        self.unnamed = 0  # records lost beyond naming
        self.ledger = None  # of its event cells, when there are any
        self.res = None  # RESOLUTION without its second copy: (verdict, from, at, n, h)
        self.res_cell = 0
        self.closed = begin
        self.garbage = -1  # last cell that is nothing
        self.junk = -1  # first such cell that no transaction and no verdict explains
        self.last = begin - 1
        self.reset()
        self.body(window, begin)
        if window.faults:
            self.tainted = True
        self.finish()

    def body(self, w, c):
        """Walk over the cells from c on."""
        z = w.cell
        cells = w.cells
        buf = w.buf
        view = w.view
        raw = w.raw
        seed = self.seed
        unpack = struct.unpack_from
        crc = crc32
        kinds = KINDS
        while c < cells:
            o = c - w.first  # as w.at(c, 1), without the call where the cell is there
            o = o * z if o < w.count else w.at(c, 1)
            if raw[o] == 0xFF and w.blank(o, 1):
                rest = w.first + w.count - c
                c += rest if w.blank(o, rest) else 1
                continue
            self.last = c
            t = buf[o]
            what = kinds[t]
            if what == 2:
                tf, kind, oid, length, version, pcrc, hcrc = unpack(RECORD_FORM, buf, o)
                head = crc(view[o : o + 10], seed)
                if crc(view[o + 10 : o + 14], head) & 0xFFFF == hcrc:
                    t >>= 4
                    n = (length + z - 1) // z if t <= _PART else 0
                    if c + n < cells and n < w.room:
                        if self.p_start < 0:
                            self.p_start = c
                        self.p_crc = crc(view[o : o + CELL], self.p_crc)
                        self.p_count += 1
                        if n:
                            o = w.at(c, 1 + n) + z
                            fields = (tf, kind, oid, length, version, head, pcrc)
                            c = self.payload(w, c, o, n, fields)
                        else:
                            if pcrc == head:
                                self.bare(c, t, tf, kind, oid, length, version)
                            else:
                                self.nothing(c)
                            c += 1
                        continue
            elif what == 1:
                if crc(view[o : o + 12], seed) == unpack("<I", buf, o + 12)[0]:
                    if t == COMMIT and self.whole(w, c, o):
                        c += 2
                        continue
                    self.control(c, t, buf, o)
                    c += 1
                    continue
            elif t == 0 and w.zero(o, 1):
                c += 1
                continue
            event = mended_event(view[o : o + CELL], seed)
            if event:
                self.garbage = c
                self.control(c, ATTEMPT, event, 0)
            else:
                self.nothing(c)
            c += 1

    def nothing(self, c):
        """Cell c is neither blank nor zero nor valid."""
        self.garbage = c
        und = self.und
        if self.res and c == self.res_cell + 1:
            return  # the second copy of a verdict
        if und and c == und.start + (und.n if und.kind == TRANSACTION else 0) + 1:
            return  # a seal
        if self.junk < 0:
            self.junk = c

    def whole(self, w, c, o):
        """Take the COMMIT at cell c with the SEAL behind it, where nothing is wrong with either.

        The usual case in one step, with the outcome of `ending` for the one and then the other.
        """
        end = o + w.cell
        buf = w.buf
        if c + 1 >= w.first + w.count or buf[end] != SEAL:
            return False
        view = w.view
        if view[o + 1 : o + 12] != view[end + 1 : end + 12]:
            return False
        if not closed_by_crc(view[end : end + CELL], self.seed):
            return False
        _, _, n, h, _, count, _ = struct.unpack_from(CLOSE_FORM, buf, o)
        if self.p_start != c - n or self.p_count != count or self.p_crc != h:
            return False
        if self.und:
            self.settle()
        if self.junk >= 0:
            self.explain(c - n)
        for i in range(self.p_extra, len(self.extras)):
            self.extra(self.extras[i])
        self.last = c + 1
        self.closed = c + 2
        self.accepted = True
        self.res = None
        self.reset()
        return True

    def payload(self, w, c, o, n, fields):
        """Enter the record at cell c, payload at o of the window. Returns the cell to go on at."""
        tf, kind, oid, length, version, head, pcrc = fields
        view = w.view
        state = self.sector
        label_hash = 0
        step = 1 + n
        if crc32(view[o : o + length], head) == pcrc:
            if tf >> 4 == _RECORD:
                label_hash = hash_of(view[o : o + length])
                if tf & CHAIN:
                    self.store.saw_chain(oid, version, view[o : o + length])
            if not w.buf[o + 1] and w.zero(o, n):
                state |= ZEROED  # a value of zeros needs no purge
            self.last = c + n
        elif w.zero(o, n):
            state |= BAD | ZEROED
            self.last = c + n
        else:
            state |= BAD
            z = w.cell
            for k in range(n):
                at = o + k * z
                t = w.buf[at]
                if KINDS[t] == 1 and closed_by_crc(view[at : at + CELL], self.seed):
                    step = 1 + k
                    break
                if not w.blank(at, 1):
                    self.last = c + 1 + k
        if tf & DAMAGED:
            state |= BAD
        self.index.add(oid, c, state, tf | kind << 8, version, length, label_hash)
        return c + step

    def bare(self, c, t, tf, kind, oid, length, version):
        """Enter a header without payload."""
        if t == _TOMBSTONE:
            a = self.index.a
            e = self.index.words - 8
            if e < self.p_first or a[e] != oid or a[e + 1] != c - 1 or a[e + 3] != tf:
                self.index.add(oid, c, self.sector, tf, version, 0, 0)
        elif t <= _PART:
            self.index.add(oid, c, self.sector | BAD, tf | kind << 8, version, 0, 0)
        else:
            self.extras.append((tf, kind, oid, length, version))

    def control(self, c, t, buf, o):
        """A cell with a full CRC at cell c, its bytes at buf[o:]."""
        if t == ATTEMPT:
            _, slot, _, number, _, _ = struct.unpack_from(EVENT_FORM, buf, o)
            self.events().attempt(slot, number)
            self.close(c)
        elif t == COMMIT or t == SEAL:
            _, _, n, h, ids, count, _ = struct.unpack_from(CLOSE_FORM, buf, o)
            self.ending(c, t, n, h, ids, count)
        elif t == RESOLUTION:
            _, verdict, start, at, n, h, _ = struct.unpack_from(VERDICT_FORM, buf, o)
            self.resolution(c, (verdict, start, at, n, h))
        else:
            _, slot, _, number, _, _ = struct.unpack_from(EVENT_FORM, buf, o)
            if t == SUCCESS:
                self.followed()
                self.und = Held(LOGIN, c, slot, number)
            elif t == SUCCESS_SEAL:
                if self.und and self.und.kind == LOGIN:
                    self.und = None
                if self.junk == c - 1:
                    self.junk = -1  # its first cell
                self.events().success(slot, number)
                self.close(c)

    def close(self, c):
        """Everything up to and including cell c is closed."""
        self.settle()
        self.suspect(self.index.words)
        self.explain(c)
        self.closed = c + 1
        self.accepted = True
        self.res = None
        self.reset()

    def ending(self, c, t, n, h, ids, count):
        """COMMIT or SEAL."""
        start = c - n - (1 if t == SEAL else 0)
        und = self.und
        if t == SEAL and und and und.start == start and und.h == h:
            self.und = None
        else:
            self.followed()
            und = Held(TRANSACTION, start, n, h, ids, count)
            self.gather(c, und)
            if t == COMMIT:
                self.und = und
                return
        self.accept(und)
        self.close(c)

    def resolution(self, c, fields):
        """A RESOLUTION. The second copy closes, the first decides."""
        if self.res == fields and self.res_cell == c - 1:
            self.closed = c + 1
            self.res = None
            self.reset()
            return
        verdict, start, at, n, h = fields
        self.settle()
        named = False
        for held in self.held:
            if start <= held.start < c:
                held.verdict = verdict == held.kind and at == held.start
                named = named or held.verdict
        if verdict and not named and not self.sealed(at):
            held = Held(verdict, at, n, h, 0, self.p_count)
            if verdict == TRANSACTION:
                self.gather(c, held)
            held.verdict = True
            self.held.append(held)
        elif self.p_start >= 0:
            self.index.cut(self.p_first)
            del self.extras[self.p_extra :]
            self.tainted = True
        self.reset()
        self.junk = -1
        self.res = fields
        self.res_cell = c

    def sealed(self, at):
        """True when what starts at cell `at` was accepted already: its seal is readable after all."""
        return at < self.closed

    def finish(self):
        """Decide what the end of the sector leaves open."""
        self.settle()
        self.doubt = None
        void = False
        for held in self.held:
            if held.verdict is None:
                if held.start >= self.closed:
                    self.doubt = held  # COMMIT readable: it may have been served; forward
                held.verdict = True
            if held.verdict:
                self.accepted = True
                if held.kind == TRANSACTION:
                    self.accept(held)
                else:
                    self.events().success(held.n, held.h)
            elif held.kind == TRANSACTION:
                for e in range(held.first, held.end, 8):
                    self.index.a[e] = 0
                void = True
        if self.p_start >= 0:
            # torn in the active sector; in a sector that was closed, a transaction that rotted
            for e in range(self.p_first, self.index.words, 8):
                self.index.a[e + 2] |= OPEN
            self.tainted = True
        if void or self.garbage >= 0:
            self.tainted = True
        self.unclean = (
            self.res is not None
            or self.doubt is not None
            or self.p_start >= 0
            or self.garbage >= self.closed
        )
        self.tail = self.last + 1

    def verdict(self):
        """Fields of the RESOLUTION that this sector needs: (verdict, from, at, n, h)."""
        if self.res:
            return self.res
        d = self.doubt
        if d:
            return (d.kind, self.closed, d.start, d.n, d.h)
        return (NONE, self.closed, 0, 0, 0)


def hash_of(payload):
    """16 bits to find a label by: its length << 8 | 8 bits of its CRC. payload: view."""
    if payload[0]:
        payload = memoryview(bytearray(payload))
        unmask(payload)
    n = payload[1]
    return n << 8 | crc32(payload[2 : 2 + n]) & 0xFF
