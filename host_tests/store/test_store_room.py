# SPDX-License-Identifier: MIT
"""What fits into the store: sizes, transactions, long values, and what a full store still does."""

import random

import pytest
from cutting import Geometry
from images import BOARD, SMALL, again, code, flash_and_store

from pal.cells import PAYLOAD_MAX
from pal.flash import ZERO_NONE
from pal.store import SECRET, StoreError


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
