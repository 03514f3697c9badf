# SPDX-License-Identifier: MIT
"""What the store promises its callers, one sentence per test."""

import random

import pytest
from cutting import Flash, Geometry, geometries, make_world
from images import BOARD, SMALL, again, code, flash_and_store
from model import random_filler

from pal.cells import PAYLOAD_MAX
from pal.flash import ZERO_ANY, ZERO_NONE, Caps, FlashError, uniform
from pal.store import CRITICAL, SECRET, Store, StoreError


def test_a_blank_region_is_served_empty_and_not_written():
    flash, store = flash_and_store()
    assert store.blank
    assert list(store.ids()) == []
    assert store.fails(0) == 0
    assert flash.programs == flash.erases == 0
    assert flash.bytes_read == SMALL.size
    assert bytes(flash.data) == b"\xff" * SMALL.size


def test_the_first_writing_call_creates_the_store():
    flash, store = flash_and_store()
    store.commit([(0x100, 1, 0, b"label", b"data")])
    assert not store.blank
    assert again(flash).read(0x100) == (b"label", bytearray(b"data"))


def test_an_object_is_read_back_with_all_it_was_given():
    flash, store = flash_and_store()
    store.commit([(0x100, 200, SECRET, b"key", b"\x00\xff" * 20)])
    store = again(flash)
    assert store.read(0x100) == (b"key", bytearray(b"\x00\xff" * 20))
    assert store.info(0x100) == (200, SECRET, 40, 1)


@pytest.mark.parametrize(
    "label", [b"", b"x" * 255, "Schlüssel 鍵".encode(), bytes(range(256))[1:]]
)
def test_labels_of_any_bytes_up_to_255_are_kept_and_found(label):
    flash, store = flash_and_store(BOARD)
    store.commit(
        [(0x100, 0, 0, label, b"data"), (0x101, 0, 0, label + b"?" * (len(label) < 255), b"")]
    )
    store = again(flash)
    assert store.read(0x100)[0] == label
    assert 0x100 in store.find(label)
    assert (0x101 in store.find(label)) == (len(label) == 255)


def test_a_label_of_256_bytes_is_refused():
    flash, store = flash_and_store(BOARD)
    assert code(store.commit, [(0x100, 0, 0, b"x" * 256, b"")]) == StoreError.TOO_BIG
    assert flash.programs == 0


def test_two_objects_may_share_a_label():
    flash, store = flash_and_store()
    store.commit([(0x100, 0, 0, b"twin", b"1"), (0x101, 0, 0, b"twin", b"2")])
    assert sorted(again(flash).find(b"twin")) == [0x100, 0x101]


def test_labels_are_matched_whole():
    flash, store = flash_and_store()
    store.commit([(0x100, 0, 0, b"Device Priv TLS Key", b"")])
    assert store.find(b"Device Priv TLS Ke") == []
    assert store.find(b"Device Priv TLS Key\0") == []


def test_what_is_not_there_is_not_found():
    _, store = flash_and_store()
    store.commit([(0x100, 0, 0, b"", b"")])
    assert code(store.read, 0x101) == StoreError.NOT_FOUND
    assert code(store.info, 0x101) == StoreError.NOT_FOUND
    assert code(store.commit, [], [0x101]) == StoreError.NOT_FOUND
    assert list(store.ids()) == [0x100]


@pytest.mark.parametrize("oid", [0, -1, 0xFFFF, 0x10000])
def test_ids_outside_of_the_range_are_refused(oid):
    _, store = flash_and_store()
    assert code(store.commit, [(oid, 0, 0, b"", b"")]) == StoreError.TOO_BIG


def test_replace_and_delete_in_one_step():
    flash, store = flash_and_store()
    store.commit([(0x100, 0, 0, b"old", b"1"), (0x101, 0, 0, b"gone", b"2")])
    store.commit([(0x100, 0, 0, b"new", b"3")], [0x101])
    store = again(flash)
    assert list(store.ids()) == [0x100]
    assert store.read(0x100) == (b"new", bytearray(b"3"))


def test_every_commit_has_the_version_that_was_announced_and_versions_never_go_back():
    flash, store = flash_and_store()
    last = 0
    for i in range(200):
        announced = store.next_version(0x100)
        store.commit([(0x100, 0, 0, b"", b"%d" % i)])
        assert store.info(0x100)[3] == announced > last
        last = announced
        if i % 7 == 0:
            store.commit([], [0x100])
            last += 1
            store = again(flash)


def test_versions_do_not_go_back_when_everything_was_deleted():
    flash, store = flash_and_store()
    store.commit([(0x100, 0, 0, b"", b"")])
    for _ in range(50):
        store.commit([(0x101, 0, 0, b"", b"")])
        store.commit([], [0x101])
    high = store.next_version(0)
    for _ in range(400):  # events push the old sectors out
        store.attempt(0)
    assert again(flash).next_version(0) == high


def test_new_ids_are_fresh():
    flash, store = flash_and_store()
    store.commit([(store.new_id(), 0, 0, b"", b"")])
    first = next(iter(store.ids()))
    assert first >= 0x100
    store.commit([], [first])
    assert store.new_id() != first


def fill(store, size):
    """Put objects until the store is full. Returns how many fit."""
    n = 0
    with pytest.raises(StoreError) as caught:
        while True:
            store.commit([(0x100 + n, 0, 0, b"%d" % n, bytes([n % 251]) * size)])
            n += 1
    assert caught.value.code == StoreError.FULL
    return n


@pytest.mark.parametrize(
    "geometry",
    [SMALL, BOARD, Geometry(16, 1024, 5, ZERO_NONE, 16), Geometry(32, 4096, 2, ZERO_NONE, 32)],
    ids=repr,
)
@pytest.mark.parametrize("size", [3, 60, 200])
def test_a_full_store_keeps_everything_and_lets_delete_and_log_in(geometry, size):
    flash, store = flash_and_store(geometry)
    n = fill(store, size)
    assert n > 1
    for i in range(20):  # on a full store, too, attempts are counted
        assert store.attempt(0) == i + 1
    store = again(flash)
    for i in range(n):
        assert store.read(0x100 + i) == (b"%d" % i, bytearray(bytes([i % 251]) * size))
    assert store.fails(0) == 20
    store.success(0)
    for i in range(n):
        store.commit([], [0x100 + i])
    assert list(again(flash).ids()) == []
    assert fill(store, size) >= n - 1


def test_full_in_the_middle_of_a_key_pair_leaves_no_half():
    flash, store = flash_and_store()
    n = fill(store, 60)
    store.commit([], [0x100])
    room = store.free()
    pair = [(0x200, 3, SECRET, b"", b"p" * (room // 2)), (0x201, 2, 0, b"", b"q" * room)]
    assert code(store.commit, pair) in (StoreError.FULL, StoreError.TOO_BIG)
    assert set(again(flash).ids()) == set(range(0x101, 0x100 + n))


def test_a_transaction_holds_31_records_and_no_more():
    flash, store = flash_and_store(BOARD)
    store.commit([(0x100 + i, 0, 0, b"", b"%d" % i) for i in range(31)])
    assert len(list(again(flash).ids())) == 31
    assert (
        code(store.commit, [(0x100 + i, 0, 0, b"", b"") for i in range(32)]) == StoreError.TOO_BIG
    )


def test_more_than_a_sector_in_one_transaction_is_refused():
    _, store = flash_and_store()
    big = [(0x100 + i, 0, 0, b"", b"x" * 200) for i in range(5)]
    assert code(store.commit, big) == StoreError.TOO_BIG
    assert list(store.ids()) == []


@pytest.mark.parametrize("size", [PAYLOAD_MAX, 5000, 20000])
@pytest.mark.parametrize("flags", [0, SECRET])
def test_long_values_are_kept_in_parts(size, flags):
    flash, store = flash_and_store(BOARD)
    data = random.Random(size).randbytes(size)
    store.commit([(0x100, 1, flags, b"long", data)])
    store = again(flash)
    assert store.read(0x100) == (b"long", bytearray(data))
    assert store.info(0x100)[2] == size
    assert store.find(b"long") == [0x100]
    store.commit([(0x100, 1, flags, b"short", b"now")])
    assert again(flash).read(0x100) == (b"short", bytearray(b"now"))
    if flags:
        assert data[1000:1016] not in flash.data


def test_a_long_value_that_does_not_fit_leaves_nothing_behind():
    flash, store = flash_and_store()
    secret = random.Random(1).randbytes(4000)
    store.commit([(0x100, 0, 0, b"", b"stays")])
    assert code(store.commit, [(0x101, 0, SECRET, b"", secret)]) == StoreError.FULL
    assert list(store.ids()) == [0x100]
    for i in range(0, 4000, 8):
        assert secret[i : i + 8] not in flash.data


def test_values_of_all_ones_and_all_zeros_are_kept():
    flash, store = flash_and_store(BOARD)
    values = [b"\xff" * 300, b"\x00" * 300, b"\xff" * 15, b"", bytes(range(256)) * 8]
    values.append(b"".join(bytes([i ^ 0xFF]) * 16 for i in range(250)))  # rules out many masks
    store.commit([(0x100 + i, 0, i & 1, b"", value) for i, value in enumerate(values[:4])])
    store.commit([(0x104, 0, 0, b"", values[4])])
    store.commit([(0x105, 0, 1, b"", values[5])])
    store = again(flash)
    for i, value in enumerate(values):
        assert store.read(0x100 + i)[1] == value


def test_no_programmed_cell_is_all_ones():
    for geometry in (
        BOARD,
        Geometry(16, 4096, 4, ZERO_NONE, 16),
        Geometry(32, 4096, 4, ZERO_NONE),
    ):
        flash, store = flash_and_store(geometry)
        store.commit([(0x100, 0, 0, b"\xff" * 20, b"\xff" * 500)])
        z = flash.cell
        for c, spent in enumerate(flash.spent):
            if spent:
                assert flash.data[c * z : c * z + z] != b"\xff" * z


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
