# SPDX-License-Identifier: MIT
"""What the store counts and keeps beside objects: attempts, counters, health; reset; calls that fail."""

import random

import pytest
from cutting import Flash, Geometry, geometries, make_world
from images import BOARD, again, code, flash_and_store
from model import random_filler

from pal.flash import ZERO_ANY, Caps, FlashError, uniform
from pal.store import CRITICAL, SECRET, Store, StoreError


def test_critical_records_lie_in_two_sectors_once_the_log_has_moved_on():
    flash, store = flash_and_store(Geometry(1, 1024, 5, ZERO_ANY, 16))
    store.commit([(2, 0, CRITICAL | SECRET, b"", b"wrapped master key")])
    assert flash.data.count(b"wrapped master key") == 2
    for _ in range(100):
        store.attempt(0)
    places = [
        i for i in range(5) if b"wrapped master key" in flash.data[1024 * i : 1024 * i + 1024]
    ]
    assert len(places) >= 2
    store.commit([(2, 0, CRITICAL | SECRET, b"", b"another wrapping")])
    assert b"wrapped master key" not in flash.data
    assert list(again(flash).ids()) == [2]


def test_attempts_count_and_a_success_ends_them():
    flash, store = flash_and_store()
    for i in range(1, 6):
        assert store.attempt(0) == i
        assert store.fails(0) == i
    store.attempt(1)
    store.success(0)
    store.attempt(0)
    store = again(flash)
    assert store.fails(0) == 1
    assert store.fails(1) == 1


def test_counters_move_on_by_one_and_survive_collection():
    flash, store = flash_and_store()
    for i in range(1, 300):
        assert store.advance(2) == i
        store.attempt(0)
    assert again(flash).value(2) == 299
    assert again(flash).fails(0) == 299
    assert again(flash).value(3) == 0


def test_factory_reset_leaves_a_blank_store_and_no_trace_of_a_secret():
    flash, store = flash_and_store()
    secret = random.Random(1).randbytes(32)
    store.commit([(2, 0, CRITICAL | SECRET, b"", secret), (0x100, 0, 0, b"", b"public")])
    store.attempt(0)
    store.factory_reset()
    assert store.blank
    for i in range(25):
        assert secret[i : i + 8] not in flash.data
    store = again(flash)
    assert store.blank
    assert list(store.ids()) == []
    assert store.fails(0) == 0
    store.commit([(0x100, 0, 0, b"", b"new life")])
    assert again(flash).read(0x100)[1] == b"new life"


def test_health_tells_how_the_flash_is_doing():
    _, store = flash_and_store(BOARD)
    store.commit([(0x100, 0, 0, b"", b"x" * 100)])
    health = store.health()
    assert health["format"] == (1, 0)
    assert health["sectors"] == 16
    assert health["erase_max"] - health["erase_min"] <= 2
    assert health["life_left_percent"] == 100
    assert health["damaged"] == health["lost"] == []
    assert not health["read_only"]
    assert 40000 < health["free"] < 65536


def test_a_failed_call_is_followed_by_a_mount():
    flash, store = flash_and_store()
    store.commit([(0x100, 0, 0, b"", b"one")])
    flash.hook = lambda *_: "error"
    assert code(store.commit, [(0x100, 0, 0, b"", b"two")]) == StoreError.IO
    flash.hook = None
    assert store.read(0x100)[1] == b"one"
    store.commit([(0x100, 0, 0, b"", b"three")])
    assert again(flash).read(0x100)[1] == b"three"


def test_an_interrupted_call_is_followed_by_a_mount():
    flash, store = flash_and_store()
    store.commit([(0x100, 0, 0, b"", b"one")])

    def interrupt(*_):
        raise KeyboardInterrupt

    flash.hook = interrupt
    with pytest.raises(KeyboardInterrupt):
        store.commit([(0x100, 0, 0, b"", b"two")])
    flash.hook = None
    assert store.read(0x100)[1] == b"one"


def test_a_region_of_two_sectors_works():
    flash, store = flash_and_store(Geometry(1, 1024, 2, ZERO_ANY, 16))
    for i in range(300):
        store.commit([(0x100 + i % 3, 0, i % 2, b"%d" % i, b"x" * (i % 40))])
    assert len(list(again(flash).ids())) == 3


def test_caps_take_sectors_of_any_size():
    caps = Caps(4, [(0, 16384), (16384, 65536)], 4, ZERO_ANY)
    assert (caps.count, caps.erase_unit) == (2, 16384)
    assert uniform(4096, 3) == [(0, 4096), (4096, 4096), (8192, 4096)]
    assert issubclass(FlashError, Exception)


@pytest.mark.parametrize("number", [0, 3, 4, 8, 12, 15])
def test_sums_kept_beside_the_index_are_those_of_the_index(number):
    world = make_world(geometries()[number], 1)
    for _ in range(150):
        world.step()
        if world.rng.random() < 0.1:
            world.boot()
        store = world.store
        kept = (store.live_cells(), list(store.damaged()), store.free())
        store.index.live = -1
        assert kept == (store.live_cells(), list(store.damaged()), store.free())


def test_health_is_counted_once_for_each_change():
    store = Store(Flash(Geometry(1, 1024, 4, ZERO_ANY, 16)), random_filler(random.Random(1)))
    store.mount()
    store.commit([(0x100 + i, 0, 0, b"", b"x") for i in range(8)])
    store.health()

    def again():
        raise AssertionError("counted again")

    store.sums = again
    store.health()
    store.free()
    store.attempt(0)
    assert store.health()["damaged"] == []
