# SPDX-License-Identifier: MIT
"""Transactions of the caller: objects stored and deleted, all or nothing (FORMAT.md §3, §4).

Promises: when a method here returns, what it wrote is sealed and no secret that it replaced is
left; buffers with payloads are wiped. Long values go ahead of their record, in parts.
"""

from .cells import (
    CHAIN,
    CRITICAL,
    PART,
    PAYLOAD_MAX,
    RECORD,
    SECRET,
    TOMBSTONE,
    choose_mask,
    wipe,
)
from .flash import FlashError
from .index import LIVE
from .log import FULL, NOT_FOUND, TOO_BIG, StoreError
from .mount import Mount
from .scan import hash_of

LAST_ID = 0xFFFE
RECORDS_MAX = 31


class Writer(Mount):
    """Writing calls."""

    known = 0  # entry found last

    def write(self, puts, deletes, keep=0):
        """The body of commit. keep: cells to be left free, by default those of FORMAT.md §3.5."""
        plan = self.plan(puts)
        for oid in deletes:
            if self.entry(oid) < 0:
                raise StoreError(NOT_FOUND)
        need = 2 + 2 * len(deletes)
        total = need
        for _, parts, cells in plan:
            need += cells
            total += cells
            for _, size in parts:
                total += 3 + (size + self.z - 1) // self.z
        if len(plan) + len(deletes) > RECORDS_MAX:
            raise StoreError(TOO_BIG)
        if not keep:
            keep = self.keep_put if plan else self.keep_small
        if need + self.body > self.cells - keep:
            raise StoreError(TOO_BIG)
        wanted = self.live_cells() + total
        if keep == self.keep_put and (wanted > self.capacity() or wanted >= self.full_at):
            raise StoreError(FULL)
        version = self.version + 1
        written = []
        try:
            if self.blank:
                self.create()
            for put, parts, _ in plan:
                self.write_parts(put, parts, version, written)
            s = self.make_room(need, keep)
            self.append(s, plan, deletes, version)
            self.purge()
        except FlashError as error:
            raise self.failed(error)
        except StoreError as error:
            if error.code == FULL and keep == self.keep_put:
                self.full_at = wanted  # do not wear the flash to find out again
            self.abandon(written, version)
            raise error
        except BaseException:
            self.stale = True  # interrupted between two cells
            raise

    def plan(self, puts):
        """Check puts; returns [(put, [(offset, size) of parts], cells of its record)]."""
        z = self.z
        payload_max = 2032 if self.unit == 8 else PAYLOAD_MAX
        room = (self.cells - self.body - self.keep_put - 3) * z
        payload_max = min(payload_max, room)
        plan = []
        for put in puts:
            oid, kind, flags, label, data = put
            if not 0 < oid <= LAST_ID or not 0 <= kind <= 255 or len(label) > 255:
                raise StoreError(TOO_BIG)
            size = 2 + len(label) + len(data)
            parts = []
            if size > payload_max:
                if flags & CRITICAL:
                    raise StoreError(TOO_BIG)
                step = payload_max - 1
                parts = [(at, min(step, len(data) - at)) for at in range(0, len(data), step)]
                if len(parts) > 255:
                    raise StoreError(TOO_BIG)
                size = 2 + len(label) + 5
            cells = 1 + (size + z - 1) // z
            if flags & CRITICAL:
                cells *= 2
            plan.append((put, parts, cells))
        return plan

    def build(self, pieces, size):
        """Return a record buffer: room for the header, then mask byte and pieces, padded."""
        z = self.z
        cells = (size + z - 1) // z
        buf = bytearray((1 + cells) * z)
        at = z + 1
        for piece in pieces:
            n = len(piece)
            buf[at : at + n] = piece
            at += n
        if b"\xff" * self.unit in buf:
            payload = buf[z:]
            choose_mask(payload, self.unit, size)
            buf[z:] = payload
            wipe(payload)
        return buf

    def write_parts(self, put, parts, version, written):
        """Write the parts of a long value in transactions of their own."""
        oid, _, flags, _, data = put
        view = memoryview(data)
        for i in range(len(parts)):
            at, size = parts[i]
            size += 1
            s = self.make_room(3 + (size + self.z - 1) // self.z, self.keep_put)
            buf = self.build((view[at : at + size - 1],), size)
            self.begin(s)
            c = self.record(buf, PART | flags & SECRET, i, oid, size, version)
            self.seal()
            wipe(buf)
            tf_kind = PART | flags & SECRET | i << 8
            self.index.add(oid, c, s | LIVE, tf_kind, version, size, 0)
            written.append(oid)

    def append(self, s, plan, deletes, version):
        """Write the transaction and make it visible."""
        added = []
        self.begin(s)
        for put, parts, _ in plan:
            oid, kind, flags, label, data = put
            tf = RECORD | flags & (SECRET | CRITICAL)
            tail = data
            if parts:
                tf |= CHAIN
                tail = len(data).to_bytes(4, "little") + bytes((len(parts),))
            head = bytes((len(label),))
            size = 2 + len(label) + len(tail)
            buf = self.build((head, label, tail), size)
            try:
                for _ in range(2 if flags & CRITICAL else 1):
                    c = self.record(buf, tf, kind, oid, size, version)
                    added.append((oid, c, tf | kind << 8, size, hash_of(head_of(label))))
            finally:
                wipe(buf)
        for oid in deletes:
            c = self.mark(TOMBSTONE, 0, oid, 0, version)
            self.mark(TOMBSTONE, 0, oid, 0, version)
            added.append((oid, c, TOMBSTONE, 0, 0))
        self.seal()
        self.version = version
        for fields in added:
            self.supersede(fields[0], version)
        for oid, c, tf_kind, size, label_hash in added:
            self.index.add(oid, c, s | LIVE, tf_kind, version, size, label_hash)

    def write_last(self, puts):
        """Write small records to the active sector, tainted or nearly full: a worn-out store resets.

        Does nothing when there is no room.
        """
        plan = self.plan(puts)
        need = 2
        for _, _, cells in plan:
            need += cells
        if self.active >= 0 and self.ready(self.active, need, self.keep_retire):
            self.append(self.active, plan, (), self.version + 1)

    def supersede(self, oid, version):
        """Every record of an id that is older than `version` is dead."""
        a = self.index.a
        for e in self.index:
            if a[e] == oid and self.index.version(e) != version:
                a[e + 2] &= ~LIVE

    def abandon(self, written, version):
        """A long value was not finished: its parts are dead."""
        if not written or self.version == version:
            return
        a = self.index.a
        for e in self.index:
            if a[e + 3] & 0xF0 == PART and self.index.version(e) == version:
                a[e + 2] &= ~LIVE
        self.index.live = -1
        self.version = version
        try:
            self.purge()
        except FlashError:
            self.stale = True

    def log_event(self, slot, attempt):
        """Append an event; creates the store when it is blank."""
        self.writable()
        try:
            if self.blank:
                self.create()
            if attempt:
                self.add_attempt(slot)
            else:
                self.add_success(slot, self.highest(slot) + (1 if slot > 1 else 0))
        except FlashError as error:
            raise self.failed(error)
        except StoreError:
            raise
        except BaseException:
            self.stale = True
            raise
        return self.highest(slot)

    def entry(self, oid):
        """Offset of the live record of an id, -1: none. Remembers the last answer."""
        a = self.index.a
        words = self.index.words
        e = self.known
        if e < words and a[e] == oid and a[e + 2] & LIVE and a[e + 3] & 0xF0 == RECORD:
            return e
        for e in range(0, words, 8):
            if a[e] == oid and a[e + 2] & LIVE and a[e + 3] & 0xF0 == RECORD:
                self.known = e
                return e
        return -1


def head_of(label):
    """The start of a payload with this label."""
    return bytes((0, len(label))) + bytes(label)
