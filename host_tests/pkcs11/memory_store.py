# SPDX-License-Identifier: MIT
"""A store in a dict: the interface of pal.store without flash, for fast tests of the token layer.

Promises atomic commits, versions that never repeat, counters, and a byte image (`dump`)
that a test can search and change as somebody with a soldering iron would. `fail_at` makes the n-th
write raise StoreError(StoreError.IO) with nothing done.
"""

from pal.store import StoreError

CAPACITY = 32768
LARGEST = 3800


class MemoryStore:
    def __init__(self, random=None):
        self.blank = True
        self.records = {}  # id: [kind, flags, label, data, version]
        self.counters = [0, 0, 0, 0]
        self.version = 0
        self.damaged = set()
        self.writes = 0
        self.fail_at = None
        self.fail_mount = None
        self.events = []  # what was written, in order

    def mount(self):
        if self.fail_mount is not None:
            raise StoreError(self.fail_mount)

    def ids(self):
        return iter(list(self.records))

    def _get(self, number):
        if number not in self.records:
            raise StoreError(StoreError.NOT_FOUND)
        return self.records[number]

    def info(self, number):
        kind, flags, _, data, version = self._get(number)
        return kind, flags, len(data), version

    def find(self, label):
        label = bytes(label)
        return [number for number, record in self.records.items() if record[2] == label]

    def read(self, number):
        record = self._get(number)
        if number in self.damaged:
            raise StoreError(StoreError.DAMAGED)
        return record[2], bytearray(record[3])

    def new_id(self):
        number = 0x100
        while number in self.records:
            number += 1
        return number

    def next_version(self, number):
        return self.version + 1

    def commit(self, puts, deletes=()):
        puts = [(n, k, f, bytes(label), bytes(data)) for n, k, f, label, data in puts]
        assert len({put[0] for put in puts}) == len(puts)
        for put in puts:
            if len(put[4]) > LARGEST:
                raise StoreError(StoreError.TOO_BIG)
        used = sum(len(record[3]) for record in self.records.values())
        if used + sum(len(put[4]) for put in puts) > CAPACITY:
            raise StoreError(StoreError.FULL)
        self._write("commit")
        self.version += 1
        for number, kind, flags, label, data in puts:
            self.records[number] = [kind, flags, label, data, self.version]
            self.damaged.discard(number)
        for number in deletes:
            self._get(number)
            del self.records[number]

    def _write(self, what):
        self.writes += 1
        self.events.append(what)
        self.blank = False
        if self.fail_at is not None and self.writes >= self.fail_at:
            raise StoreError(StoreError.IO)

    def attempt(self, role=0):
        self._write("attempt")
        self.counters[role] += 1
        return self.counters[role]

    def success(self, role=0):
        self._write("success")
        self.counters[role] = 0

    def fails(self, role=0):
        return self.counters[role]

    def advance(self, counter):
        self._write("advance")
        self.counters[counter] += 1
        return self.counters[counter]

    def value(self, counter):
        return self.counters[counter]

    def free(self):
        return CAPACITY - sum(len(record[3]) for record in self.records.values())

    def health(self):
        free = self.free()
        live = CAPACITY - free
        return {"damaged": sorted(self.damaged), "free": free, "live": live, "read_only": False}

    def dump(self):
        """Return every byte of the store."""
        return b"".join(record[2] + record[3] for record in self.records.values())
