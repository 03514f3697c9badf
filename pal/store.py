# SPDX-License-Identifier: MIT
"""The store: objects by id, all or nothing, over a flash device (docs/FORMAT.md).

Promises: when a call that writes returns, its effect stays; when power fails in it, the next mount
shows the state before or after it, the same one at every later mount, and every other object
unchanged; a deleted or superseded SECRET payload is gone from the flash when the call returns.
Assumes: `pal.flash`; one caller at a time. Knows nothing of PKCS#11: kinds, labels and data are
opaque. Labels and data that are secret belong to the caller; copies made here are wiped.
"""

from micropython import const

from .birth import RESET_INTENT
from .cells import CHAIN, CRITICAL, PART, RECORD, SECRET, unmask, wipe
from .flash import FlashError
from .index import BAD, LIVE
from .log import DAMAGED_DATA, DIRTY, FULL, IO, LOST, NOT_FOUND, WORN, StoreError
from .scan import hash_of
from .writer import LAST_ID, Writer

__all__ = ("Store", "StoreError", "SECRET", "CRITICAL", "TOKEN_INFO")

TOKEN_INFO = const(0x01)  # reserved ids (FORMAT.md §4.1)
USER_KEY = const(0x02)
SO_KEY = const(0x03)
PIN_STATE = const(0x04)
NV_SEED = const(0x05)
FIRST_ID = const(0x100)


class Store(Writer):
    """A power-safe store of objects on one flash device."""

    def __init__(self, device, random):
        """device: see `pal.flash`; random(buf): fills a buffer. Nothing is touched."""
        super().__init__(device, random)
        self.mounted = False
        self.stale = False

    def mount(self, accept_loss=False):
        """Make the region ready. A blank one is served empty and nothing is written.

        StoreError UNRECOGNISED, FOREIGN, NEWER: not a store this code can serve, left untouched;
        IO: the flash failed, try again. accept_loss: take what is left as the truth after a sector
        was lost (health()["lost"]).
        """
        self.clear()
        self.mounted = False
        self.stale = False
        try:
            scans = self.read_all()
            if not self.blank:
                self.recover(scans)
                if self.lost and accept_loss:
                    self.take_loss(scans)
        except FlashError:
            raise StoreError(IO)
        finally:
            self.chains = {}
        self.mounted = True

    def take_loss(self, scans):
        """Make what is left after the loss of a sector the truth."""
        for s in range(self.count):
            if self.state[s] == LOST:
                self.state[s] = DIRTY
                self.seq[s] = 1
        for e in self.index:
            self.index.a[e + 2] &= ~(LIVE | BAD)
        self.index.live = -1
        self.lost = False
        self.recover(scans)

    def format(self):
        """Destroy whatever the region holds. An explicit act; leaves the store blank."""
        try:
            self.mount()
        except StoreError:
            self.erase_all()
            return
        if not self.blank:
            self.factory_reset()

    def erase_all(self):
        """Erase a region that is not a store we can serve, recognisable sectors first."""
        try:
            for known in (True, False):
                for s in range(self.count):
                    if (self.seq[s] > 0) == known:
                        self.device.erase(s)
        except FlashError:
            raise StoreError(IO)
        self.mount()

    def factory_reset(self):
        """Destroy every object, the wrapped master keys first. Leaves the store blank.

        StoreError WORN: done, but for a sector that cannot be erased any more, which was zeroed
        where the flash allows that; the store is read-only from then on.
        """
        self.enter()
        if self.blank:
            return
        deletes = [i for i in (USER_KEY, SO_KEY, NV_SEED) if self.entry(i) >= 0]
        intent = [(RESET_INTENT, 0, 0, b"", self.store_id.to_bytes(4, "little"))]
        for doomed, keep in (
            (deletes, self.keep_small),
            (deletes, self.keep_small),  # a sector that wore out may have made room
            ((), self.keep_small),
            ((), self.keep_move),
        ):
            try:
                self.write(intent, doomed, keep)
            except StoreError as error:
                if error.code != FULL and error.code != WORN:
                    raise
            if self.intended() >= 0:
                break
        try:
            if self.intended() < 0:
                self.write_last(intent)
            self.reset_region()
        except FlashError as error:
            raise self.failed(error)
        if self.worn:
            raise StoreError(WORN)

    def enter(self):
        """Mount when that was not done, or when the last call failed in the flash."""
        if self.stale or not self.mounted:
            self.mount()

    def writable(self):
        """Enter, or StoreError when nothing can be written."""
        self.enter()
        if self.lost:
            raise StoreError(DAMAGED_DATA)
        if self.worn:
            raise StoreError(WORN)

    def ids(self):
        """Iterate over the live ids, reserved ones and damaged ones included."""
        self.enter()
        a = self.index.a
        seen = []
        for e in range(0, self.index.words, 8):
            if a[e + 2] & LIVE and a[e + 3] & 0xF0 == RECORD:
                if a[e + 3] & CRITICAL:  # has two entries
                    if a[e] in seen:
                        continue
                    seen.append(a[e])
                yield a[e]

    def info(self, oid):
        """Return (kind, flags, length of data in bytes, version)."""
        e = self.found(oid)
        a = self.index.a
        if a[e + 3] & CHAIN:
            length = len(self.read(oid)[1])
        else:
            length = max(0, a[e + 6] - 2 - (a[e + 7] >> 8))
        return a[e + 3] >> 8, a[e + 3] & (SECRET | CRITICAL), length, self.index.version(e)

    def candidates(self, label):
        """Return the ids that may have this label, by its hash in RAM: no flash is read.

        For callers who compare the label themselves; `find` reads 40 000 instructions per hit.
        """
        self.enter()
        wanted = bytes(label)
        label_hash = hash_of(bytes((0, len(wanted))) + wanted)
        a = self.index.a
        found = []
        for at in range(7, self.index.words, 8):
            if a[at] == label_hash and a[at - 5] & LIVE and a[at - 4] & 0xF0 == RECORD:
                if a[at - 7] not in found:
                    found.append(a[at - 7])
        return found

    def find(self, label):
        """Return the ids of the objects with exactly this label."""
        self.enter()
        wanted = bytes(label)
        probe = bytes((0, len(wanted))) + wanted
        label_hash = hash_of(probe)
        a = self.index.a
        found = []
        for e in range(0, self.index.words, 8):
            if a[e + 7] == label_hash and a[e + 2] & LIVE and a[e + 3] & 0xF0 == RECORD:
                if a[e + 2] & BAD or a[e] in found:
                    continue
                buf, good = self.fetch(e)
                payload = self.payload(buf, a[e + 6])
                if good and payload[1 : 2 + payload[1]] == probe[1:]:
                    found.append(a[e])
                wipe(buf)
        return found

    def payload(self, buf, length):
        """View of the unmasked payload of a fetched record."""
        view = memoryview(buf)[self.z : self.z + length]
        if length:
            unmask(view)
        return view

    def found(self, oid):
        """As `entry`; StoreError NOT_FOUND."""
        self.enter()
        e = self.entry(oid)
        if e < 0:
            raise StoreError(NOT_FOUND)
        return e

    def read(self, oid):
        """Return (label as bytes, data as bytearray). StoreError NOT_FOUND, DAMAGED."""
        e = self.found(oid)
        if self.index.a[e + 2] & BAD and self.lost:
            raise StoreError(DAMAGED_DATA)
        buf = self.good(e)
        try:
            payload = self.payload(buf, self.index.a[e + 6])
            start = 2 + payload[1]
            label = bytes(payload[2:start])
            if self.index.a[e + 3] & CHAIN:
                return label, self.read_parts(oid, self.index.version(e), payload[start:])
            return label, bytearray(payload[start:])
        finally:
            wipe(buf)

    def good(self, e):
        """Fetch the record of entry e, or another live copy of it. StoreError DAMAGED."""
        buf, good = self.fetch(e)
        if good:
            return buf
        wipe(buf)
        a = self.index.a
        if a[e + 3] & CRITICAL:
            for other in self.index:
                if other != e and a[other] == a[e] and a[other + 2] & LIVE:
                    buf, good = self.fetch(other)
                    if good:
                        return buf
                    wipe(buf)
        raise StoreError(DAMAGED_DATA)

    def read_parts(self, oid, version, tail):
        """Assemble a value in parts. tail: u32 length, u8 number of parts."""
        data = bytearray(int.from_bytes(bytes(tail[0:4]), "little"))
        at = 0
        for i in range(tail[4]):
            e = self.part(oid, version, i)
            if e < 0:
                raise StoreError(DAMAGED_DATA)
            buf = self.good(e)
            length = self.index.a[e + 6]
            data[at : at + length - 1] = self.payload(buf, length)[1:]
            at += length - 1
            wipe(buf)
        return data

    def part(self, oid, version, i):
        """Offset of the live entry of part i, -1: none."""
        a = self.index.a
        for e in self.index:
            if a[e] == oid and a[e + 3] & 0xF0 == PART and a[e + 3] >> 8 == i:
                if a[e + 2] & LIVE and self.index.version(e) == version:
                    return e
        return -1

    def new_id(self):
        """Return an id that no record in flash carries. StoreError FULL."""
        self.enter()
        a = self.index.a
        top = FIRST_ID - 1
        for e in self.index:
            if a[e] > top:
                top = a[e]
        if top < LAST_ID:
            return top + 1
        for oid in range(FIRST_ID, LAST_ID):
            for e in self.index:
                if a[e] == oid:
                    break
            else:
                return oid
        raise StoreError(FULL)

    def next_version(self, oid):
        """Return the version that the next commit gives to this id (for sealing)."""
        self.enter()
        return self.version + 1

    def commit(self, puts, deletes=()):
        """Store and delete objects in one step.

        puts: list of (id, kind, flags, label, data), flags of SECRET and CRITICAL; deletes: ids.
        StoreError FULL, TOO_BIG, NOT_FOUND: nothing changed; WORN, IO: old or new state.
        """
        self.writable()
        self.write(puts, deletes)

    def attempt(self, role=0):
        """Count an attempt, durable and verified when this returns. Returns its number."""
        return self.log_event(role, True)

    def success(self, role=0):
        """The last attempt of this role was right: its failures are 0 from here on."""
        self.enter()
        self.log_event(role, False)

    def fails(self, role=0):
        """Attempts of this role since its last success."""
        self.enter()
        return self.failures(role)

    def advance(self, counter):
        """Move a counter (2 or 3) on by one; returns its new value, which never goes back."""
        return self.log_event(counter, False)

    def value(self, counter):
        """Value of a counter (2 or 3)."""
        self.enter()
        return self.highest(counter)

    def free(self):
        """Bytes left for labels, data and record headers, about."""
        self.enter()
        return self.room(self.live_cells())

    def room(self, live):
        """Bytes left beside `live` cells."""
        return max(0, self.capacity() - live - 2) * self.z

    def health(self):
        """Return a dict: sectors, free, live, erase counts, life left, damaged ids and so on."""
        self.enter()
        most = max(self.wear)
        live = self.live_cells()
        endurance = self.device.caps.endurance
        return {
            "format": self.FORMAT,
            "sectors": self.count,
            "sector_bytes": self.cells * self.z,
            "capacity": max(0, self.capacity()) * self.z,
            "free": self.room(live),
            "live": live * self.z,
            "erase_min": max(0, min(self.wear)),
            "erase_max": max(0, most),
            "life_left_percent": max(0, 100 - 100 * max(0, most) // endurance),
            "damaged": list(self.damaged()),
            "unnamed": self.unnamed,
            "lost": [s for s in range(self.count) if self.state[s] == LOST],
            "read_only": self.worn or self.lost,
            "blank": self.blank,
        }
