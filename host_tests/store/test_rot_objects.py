# SPDX-License-Identifier: MIT
"""An object that is damaged: it is named, stays damaged, and can be replaced."""

import random

import pytest
from cutting import Flash, Geometry
from images import populated
from model import random_filler

from pal.flash import ZERO_ANY
from pal.store import SECRET, Store, StoreError


def test_a_damaged_object_can_be_replaced():
    world = populated()
    c = next(
        e
        for e in world.store.index
        if world.store.index.a[e] == 0x103 and world.store.entry(0x103) == e
    )
    a = world.store.index.a
    at = 1024 * (a[c + 2] & 0xFF) + 16 * (a[c + 1] + 1) + 3
    world.flash.data[at] ^= 4
    store = world.boot()
    with pytest.raises(StoreError) as caught:
        store.read(0x103)
    assert caught.value.code == StoreError.DAMAGED
    assert store.health()["damaged"] == [0x103]
    assert 0x103 in store.ids()
    store.commit([(0x103, 1, SECRET, b"new", b"content")])
    assert world.boot().read(0x103) == (b"new", bytearray(b"content"))


def test_a_damaged_object_stays_damaged_however_often_it_is_moved():
    world = populated(Geometry(1, 1024, 3, ZERO_ANY, 16), objects=4)
    store = world.store
    e = store.entry(0x103)
    at = 1024 * (store.index.a[e + 2] & 0xFF) + 16 * (store.index.a[e + 1] + 1) + 3
    world.flash.data[at] ^= 4
    store = world.boot()
    for i in range(300):
        store.attempt(0)
        if i % 50 == 0:
            store = world.boot()
    with pytest.raises(StoreError) as caught:
        store.read(0x103)
    assert caught.value.code == StoreError.DAMAGED
    assert set(store.ids()) == set(world.model.objects)


def test_a_part_that_is_lost_damages_its_value_only():
    geometry = Geometry(1, 1024, 5, ZERO_ANY, 16)
    flash = Flash(geometry)
    store = Store(flash, random_filler(random.Random(1)))
    store.mount()
    store.commit([(0x100, 0, 0, b"long", b"part" * 400), (0x101, 0, 0, b"", b"other")])
    e = store.part(0x100, store.info(0x100)[3], 1)
    at = 1024 * (store.index.a[e + 2] & 0xFF) + 16 * (store.index.a[e + 1] + 2)
    flash.data[at] ^= 1
    store.mount()
    with pytest.raises(StoreError):
        store.read(0x100)
    assert store.health()["damaged"] == [0x100]
    assert store.read(0x101)[1] == b"other"
    store.commit([], [0x100])
    store.mount()
    assert list(store.ids()) == [0x101]
