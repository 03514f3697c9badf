# SPDX-License-Identifier: MIT
"""What a region is taken for: blank, a store, somebody else's, a store that lost a sector."""

import random

from cutting import Flash, Geometry
from images import SMALL, again, code, flash_and_store
from model import random_filler

from pal.flash import ZERO_ANY, ZERO_NONE
from pal.store import SECRET, Store, StoreError


def test_garbage_is_refused_left_alone_and_formatted_only_when_asked():
    flash, store = flash_and_store()
    flash.data[:] = random.Random(3).randbytes(SMALL.size)
    before = bytes(flash.data)
    assert code(store.mount) == StoreError.UNRECOGNISED
    assert code(store.commit, [(0x100, 0, 0, b"", b"")]) == StoreError.UNRECOGNISED
    assert bytes(flash.data) == before
    store.format()
    assert store.blank
    store.commit([(0x100, 0, 0, b"", b"")])
    assert list(again(flash).ids()) == [0x100]


def test_a_single_foreign_byte_is_not_blank():
    for at in (0, 300, SMALL.size - 1):
        flash, store = flash_and_store()
        flash.data[at] = 0x12
        assert code(store.mount) == StoreError.UNRECOGNISED


def test_the_rest_of_a_larger_sector_counts_for_blank():
    geometry = Geometry(1, 1024, 3, ZERO_ANY, 16, sizes=(1024, 2048, 1024))
    flash, store = flash_and_store(geometry)
    flash.data[2500] = 0
    assert code(store.mount) == StoreError.UNRECOGNISED


def test_another_number_of_sectors_is_not_our_store():
    flash, store = flash_and_store(Geometry(1, 1024, 4, ZERO_ANY, 16))
    store.commit([(0x100, 0, 0, b"", b"")])
    smaller = Flash(Geometry(1, 1024, 3, ZERO_ANY, 16))
    smaller.data[:] = flash.data[:3072]
    store = Store(smaller, random_filler(random.Random(1)))
    assert code(store.mount) == StoreError.UNRECOGNISED


def test_sectors_of_two_stores_are_refused():
    one, store = flash_and_store(seed=1)
    store.commit([(0x100, 0, 0, b"", b"one")])
    two, store = flash_and_store(seed=2)
    store.commit([(0x100, 0, 0, b"", b"x" * 200)])
    for _ in range(30):
        store.commit([(0x100, 0, 0, b"", b"x" * 200)])
    for s in range(4):
        if store.state[s] == 3 or store.state[s] == 2:
            two.data[1024 * s : 1024 * s + 1024] = one.data[1024:2048]
            two.data[1024 * s + 22] ^= 0  # same bytes, another place
    one_again = Store(two, random_filler(random.Random(1)))
    assert code(one_again.mount) in (StoreError.FOREIGN, StoreError.UNRECOGNISED)


def test_a_lost_sector_makes_the_store_read_only_until_the_loss_is_accepted():
    flash, store = flash_and_store(Geometry(1, 1024, 5, ZERO_ANY, 16))
    for i in range(12):
        store.commit([(0x100 + i, 0, 0, b"", bytes([i]) * 60)])
    lost = next(s for s in range(5) if store.state[s] == 1 and s != store.active)
    flash.data[1024 * lost : 1024 * lost + 1024] = b"\xff" * 1024
    store = again(flash)
    assert store.health()["lost"] == [lost]
    kept = set(store.ids())
    assert 0 < len(kept) < 12
    for oid in kept:
        assert store.read(oid)[1] == bytes([oid - 0x100]) * 60
    assert code(store.commit, [(0x300, 0, 0, b"", b"")]) == StoreError.DAMAGED
    store.mount(accept_loss=True)
    store.commit([(0x300, 0, 0, b"", b"")])
    assert set(again(flash).ids()) == kept | {0x300}


def test_the_loss_of_a_sector_does_not_bring_old_values_back():
    for zero_mode in (ZERO_ANY, ZERO_NONE):
        flash, store = flash_and_store(Geometry(1, 1024, 5, zero_mode, 16))
        store.commit([(0x100, 0, 0, b"", b"old value"), (0x101, 0, 0, b"", b"stays" * 4)])
        first = store.active
        while store.active == first:
            store.attempt(0)
        second = store.active
        store.commit([(0x100, 0, 0, b"", b"new value")])
        while store.active == second:
            store.attempt(0)
        flash.data[1024 * second : 1024 * second + 1024] = random.Random(1).randbytes(1024)
        store = again(flash)
        assert store.health()["lost"] == [second]
        assert code(store.read, 0x100) == StoreError.DAMAGED
        assert 0x100 in store.health()["damaged"]


def test_encrypted_flash_is_blank_by_its_raw_bytes():
    class Encrypted(Flash):
        """Bytes are whitened on their way: an erased cell decrypts to noise."""

        def key(self, offset, n):
            return bytes((i * 167 + 13) & 0xFF for i in range(offset, offset + n))

        def read(self, offset, buf):
            super().read(offset, buf)
            for i, k in enumerate(self.key(offset, len(buf))):
                buf[i] ^= k
            return 0

        def raw_read(self, offset, buf):
            return super().read(offset, buf)

        def program(self, offset, buf):
            key = self.key(offset, len(buf))
            super().program(offset, bytes(b ^ k for b, k in zip(buf, key)))

    geometry = Geometry(16, 1024, 4, ZERO_NONE, 16, encrypted=True)
    flash = Encrypted(geometry)
    store = Store(flash, random_filler(random.Random(1)))
    store.mount()
    assert store.blank
    for i in range(100):
        store.commit([(0x100 + i % 3, 0, SECRET, b"%d" % i, b"x" * (i % 40))])
        if i % 10 == 0:
            store.mount()
    assert len(list(store.ids())) == 3
