# SPDX-License-Identifier: MIT
"""Factory reset of a store none of whose sectors can be erased, and that has no room for an intent."""

import random

import pytest
from cutting import Flash, Geometry
from flashtear import HALF, NOT_STARTED
from model import random_filler
from wearing import Wearing

from pal.cells import CREATE
from pal.flash import ZERO_ANY, ZERO_UNIT
from pal.store import SECRET, SO_KEY, USER_KEY, Store, StoreError

GEOMETRIES = [
    Geometry(1, 1024, 2, ZERO_ANY, 16),
    Geometry(1, 1024, 3, ZERO_ANY, 32),
    Geometry(16, 1024, 2, ZERO_UNIT, 16),
]


def mounted(flash, rng):
    """The store after a boot."""
    flash.boot(rng)
    store = Store(flash, random_filler(rng))
    store.mount()
    return store


def worn_out(geometry, left):
    """A store whose active sector has at most `left` cells left: power failed in many a mount."""
    flash = Flash(geometry)
    rng = random.Random(11)
    store = mounted(flash, rng)
    for oid in (USER_KEY, SO_KEY, 0x100, 0x101):
        store.commit([(oid, 0, SECRET, b"", b"object %d" % oid * 3)])
    Wearing(flash, 11).bad.update(range(store.count))
    flash.trace = []
    with pytest.raises(StoreError) as caught:
        while True:
            store.attempt(0)
    assert caught.value.code == StoreError.WORN
    while store.cells - store.tail[store.active] > left:
        programs = [entry for entry in flash.trace if entry[1] >= 0 and any(entry[2])]
        flash.tear(programs[-1], HALF, rng)
        flash.trace = []
        store = mounted(flash, rng)
    assert store.worn and sorted(store.ids()) == [USER_KEY, SO_KEY, 0x100, 0x101]
    return flash, rng, store


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=repr)
def test_create_stands_behind_zeros_and_the_region_is_empty_and_read_only(geometry):
    flash, rng, store = worn_out(geometry, 7)
    with pytest.raises(StoreError) as caught:
        store.factory_reset()
    assert caught.value.code == StoreError.WORN
    z = store.z
    offset, size = geometry.sectors[flash.data.index(b"\x78P11") // 1024]
    cells = [flash.data[at : at + z] for at in range(offset, offset + size, z)]
    assert [cell[0] for cell in cells if any(cell) and cell != b"\xff" * z] == [CREATE, CREATE]
    assert b"object" not in flash.data
    for _ in range(3):
        store = mounted(flash, rng)
        assert list(store.ids()) == [] and store.health()["read_only"] and store.blank
        with pytest.raises(StoreError) as caught:
            store.commit([(0x100, 0, 0, b"", b"new")])
        assert caught.value.code == StoreError.WORN
    store.factory_reset()  # nothing to do


@pytest.mark.parametrize("geometry", [GEOMETRIES[0], GEOMETRIES[2]], ids=repr)
def test_without_two_cells_left_all_is_zeroed_and_refused(geometry):
    flash, rng, store = worn_out(geometry, 1)
    with pytest.raises(StoreError) as caught:
        store.factory_reset()
    assert caught.value.code == StoreError.WORN
    assert not any(flash.data)
    for _ in range(2):
        with pytest.raises(StoreError) as caught:
            mounted(flash, rng)
        assert caught.value.code == StoreError.UNRECOGNISED


@pytest.mark.parametrize("geometry", [GEOMETRIES[0], GEOMETRIES[2]], ids=repr)
def test_a_cut_shows_no_empty_store_before_every_secret_is_zeroed(geometry):
    flash, rng, store = worn_out(geometry, 7)
    flash.trace = []
    with pytest.raises(StoreError):
        store.factory_reset()
    trace, flash.trace = flash.trace, None
    shown = set()
    for entry in trace:
        for variant in (NOT_STARTED, HALF):
            flash.tear(entry, variant, rng)
            flash.boot(rng)
            left = b"object" in flash.data
            try:
                empty = not list(mounted(flash, rng).ids())
            except StoreError:
                continue  # refused: nobody takes it for reset
            shown.add((empty, left))
    assert (True, False) in shown and (True, True) not in shown
