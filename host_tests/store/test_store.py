# SPDX-License-Identifier: MIT
"""What the store promises its callers about objects, one sentence per test."""

import pytest
from images import BOARD, SMALL, again, code, flash_and_store

from pal.store import SECRET, StoreError


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
