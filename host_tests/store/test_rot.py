# SPDX-License-Identifier: MIT
"""Bits that rot: every object is served unchanged or reported, nothing is formatted."""

import random

import pytest
from cutting import Flash, Geometry
from images import image_of, populated
from model import Call, Violation, random_filler
from rotting import after, inspect, rot

from pal import cells
from pal.cells import DAMAGED, TOMBSTONE
from pal.flash import ZERO_ANY, ZERO_NONE
from pal.index import BAD
from pal.scan import Scan
from pal.store import CRITICAL, SECRET, Store, StoreError


def flips_of(world, step=1, start=0):
    """Mount the image with each single bit flipped; returns the number of damaged objects."""
    model = world.model
    snap = image_of(world)
    lost = 0
    for bit in range(start, 8 * world.flash.size, step):
        world.model = model
        damaged, missing = rot(world, snap, [bit])
        if damaged or bit % 16 == 0:
            after(world, damaged, missing)
        lost += len(damaged)
    world.model = model
    world.flash.restore(snap)
    world.boot()
    return lost


@pytest.mark.parametrize("part", range(4))
def test_no_single_bit_of_4_kilobytes_loses_more_than_its_object(part):
    assert flips_of(populated(), 4, part) > 0


@pytest.mark.parametrize(
    "geometry",
    [
        Geometry(8, 1024, 4, 1, 8),
        Geometry(16, 1024, 5, ZERO_NONE),
        Geometry(32, 2048, 4, ZERO_NONE),
    ],
    ids=repr,
)
def test_single_bits_of_other_geometries(geometry):
    assert flips_of(populated(geometry, objects=4), 23) > 0


@pytest.mark.slow
def test_no_single_bit_of_64_kilobytes_loses_more_than_its_object():
    world = populated(Geometry(1, 4096, 16, ZERO_ANY, 256), objects=40)
    assert flips_of(world) > 0


def many_flips(world, images, seed):
    """Mount images with 2 to 16 flipped bits, scattered or side by side."""
    rng = random.Random(seed)
    model = world.model
    snap = image_of(world)
    size = 8 * world.flash.size
    used = [b for b in range(0, size) if world.flash.spent[b // 8 // world.flash.cell]]
    for _ in range(images):
        world.model = model
        count = rng.randrange(2, 17)
        kind = rng.random()
        if kind < 0.4:
            flips = rng.sample(range(size), count)
        elif kind < 0.8:
            flips = rng.sample(used, count)
        else:
            at = rng.choice(used)
            flips = list({min(size - 1, at + rng.randrange(300)) for _ in range(count)})
        damaged, missing = rot(world, snap, flips, most=len(model.objects), events=False)
        after(world, damaged, missing)


def test_random_groups_of_bits_never_give_wrong_data():
    many_flips(populated(), 5000, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_very_many_groups_of_bits_never_give_wrong_data(seed):
    many_flips(populated(seed=seed), 50000, seed)


def serve_what_is_left(world, snap, mangle):
    """Mount a mangled image: refused, or every object right or reported."""
    flash = world.flash
    flash.restore(snap)
    mangle(flash.data)
    z = flash.cell
    for c in range(len(flash.spent)):
        flash.spent[c] = flash.data[c * z : c * z + z] != b"\xff" * z
    before = bytes(flash.data)
    flash.bytes_read = 0
    try:
        store = world.boot()
    except StoreError as error:
        assert error.code in (StoreError.UNRECOGNISED, StoreError.FOREIGN, StoreError.NEWER)
        assert bytes(flash.data) == before
        return "refused"
    assert flash.bytes_read <= 2 * flash.size
    if store.blank:
        assert before == b"\xff" * flash.size
        return "blank"
    model = world.model
    for oid in store.ids():
        try:
            label, data = store.read(oid)
        except StoreError as error:
            assert error.code == StoreError.DAMAGED
            assert oid in store.health()["damaged"]
            continue
        kind, flags, _, _ = store.info(oid)
        assert model.objects[oid] == (kind, flags, label, bytes(data))
    if store.health()["lost"]:
        assert bytes(flash.data) == before, "a damaged region was written to"
        return "read-only"
    return "served"


def mangled(world, images, seed):
    """Truncated images, images with garbage, images of garbage."""
    rng = random.Random(seed)
    snap = image_of(world)
    size = world.flash.size
    seen = set()
    for _ in range(images):
        kind = rng.randrange(5)
        at = rng.randrange(size)
        n = rng.randrange(1, size)
        fill = rng.choice((b"\xff", b"\x00", b"\x5a"))

        def mangle(data, kind=kind, at=at, n=n, fill=fill):
            if kind == 0:  # truncated
                data[at:] = fill * (size - at)
            elif kind == 1:  # a stretch of garbage
                end = min(size, at + n)
                data[at:end] = rng.randbytes(end - at)
            elif kind == 2:  # all garbage
                data[:] = rng.randbytes(size)
            elif kind == 3:  # whole sectors
                s = at // 1024
                data[1024 * s : 1024 * s + 1024] = fill * 1024
            else:  # sectors changed places
                s, t = at // 1024, n // 1024
                a, b = data[1024 * s : 1024 * s + 1024], data[1024 * t : 1024 * t + 1024]
                data[1024 * s : 1024 * s + 1024] = b
                data[1024 * t : 1024 * t + 1024] = a

        model = world.model
        seen.add(serve_what_is_left(world, snap, mangle))
        world.model = model
    return seen


def test_truncated_and_garbage_images_are_refused_or_served_right():
    world = populated(Geometry(1, 1024, 5, ZERO_ANY, 16), objects=10)
    assert {"refused", "read-only", "served"} <= mangled(world, 3000, 1)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_very_many_mangled_images(seed):
    mangled(populated(Geometry(1, 1024, 5, ZERO_ANY, 16), seed, objects=10), 50000, seed)


def test_a_rotten_attempt_still_counts():
    world = populated()
    flash = world.flash
    snap = image_of(world)
    fails = world.store.fails(0)
    z = 16
    attempts = [c for c in range(len(flash.spent)) if flash.data[c * z] == cells.ATTEMPT]
    assert len(attempts) >= 6
    for c in attempts[:-1]:
        flash.restore(snap)
        flash.data[c * z : c * z + z] = b"\x5a" * z  # in the middle: the numbers show the gap
        assert world.boot().fails(0) == fails
    for bit in range(128):
        flash.restore(snap)
        flash.data[attempts[-1] * z + bit // 8] ^= 1 << (bit & 7)
        assert world.boot().fails(0) == fails


def test_the_short_header_check_finds_every_one_and_two_bit_error():
    from pal.salvage import judge

    buf = bytearray(16)
    cells.pack_record(buf, cells.RETIRE, 3, 0, 0, 77, None, 0x12345678)
    for a in range(128):
        for b in range(a, 128):
            copy = bytearray(buf)
            copy[a >> 3] ^= 1 << (a & 7)
            if b != a:
                copy[b >> 3] ^= 1 << (b & 7)
            assert not judge(copy, 16, 0x12345678)


# --- the rules against rot, taken out one by one -------------------------------------------------


class OneTombstone(Store):
    def mark(self, tf, kind, oid, length, version):
        if tf & 0xF0 == TOMBSTONE and oid in self.t_seen:
            return self.tail[self.t_sector]
        return super().mark(tf, kind, oid, length, version)


class OneHeader(Store):
    def put(self, s, c, buf):
        if c == 1 + self.header_cells and len(buf) == self.header_cells * self.z:
            buf = b"\x00" * len(buf)
        super().put(s, c, buf)


class AllOrNothing(Store):
    class SCAN(Scan):
        def accept(self, held):
            a = self.index.a
            if held.salvage or any(a[e + 2] & BAD for e in range(held.first, held.end, 8)):
                for e in range(held.first, held.end, 8):
                    a[e] = 0
                return
            super().accept(held)

        def whole(self, w, c, o):
            return False


class NotMended(Store):
    """A header with one wrong bit is lost, and nobody looks for its name."""

    class SCAN(Scan):
        def accept(self, held):
            held.salvage = False
            super().accept(held)


class OneCritical(Store):
    """Critical records are written once."""

    def record(self, buf, tf, kind, oid, length, version):
        if tf & CRITICAL and oid in self.t_seen:
            return self.last_cell
        self.last_cell = super().record(buf, tf, kind, oid, length, version)
        return self.last_cell


class Laundered(Store):
    """A damaged record gets a good CRC when it is moved."""

    def record(self, buf, tf, kind, oid, length, version):
        return super().record(buf, tf & ~DAMAGED, kind, oid, length, version)


class OnlySecretsPurged(Store):
    def dead_payload(self, e):
        return super().dead_payload(e) and self.index.a[e + 3] & SECRET


@pytest.mark.parametrize("store_class", [AllOrNothing, NotMended, Laundered])
def test_without_the_rule_single_bits_are_noticed(store_class):
    with pytest.raises((Violation, StoreError, KeyError, AssertionError)):
        for seed in range(1, 4):
            flips_of(populated(seed=seed, store_class=store_class), 3)


def unreadable_cells(world):
    """Mount the image with each cell unreadable in turn."""
    model = world.model
    snap = image_of(world)
    flash = world.flash
    for c in range(len(flash.spent)):
        if not snap[1][c]:
            continue
        world.model = model
        flash.restore(snap)
        flash.faulty.add(c)
        damaged, missing = inspect(world, world.boot())
        if len(damaged) + len(missing) > 1 or not damaged <= set(model.objects):
            raise Violation(f"cell {c}: {damaged} and {missing} lost")
        store = world.store
        # the last attempt of a PIN may go: nothing tells it from one that was never finished
        if store.fails(0) not in (2, 1) or store.fails(1) not in (1, 0):
            raise Violation(f"cell {c}: failures {store.fails(0)} {store.fails(1)}")
        if [store.value(2), store.value(3)] != model.counters:
            raise Violation(f"cell {c}: counters")
        after(world, damaged, missing)


FAULTY = {"read_may_fault": True}


@pytest.mark.parametrize(
    "geometry",
    [
        Geometry(1, 1024, 4, ZERO_ANY, 16),
        Geometry(8, 1024, 4, 1, 8, **FAULTY),
        Geometry(16, 1024, 5, ZERO_NONE, 16, **FAULTY),
        Geometry(32, 2048, 4, ZERO_NONE, 32, **FAULTY),
    ],
    ids=repr,
)
def test_one_unreadable_cell_costs_one_object_at_most(geometry):
    unreadable_cells(populated(geometry, objects=4))


@pytest.mark.parametrize("store_class", [OneTombstone, OneHeader])
def test_without_the_second_cell_an_unreadable_one_costs_more(store_class):
    with pytest.raises((Violation, StoreError, KeyError)):
        unreadable_cells(populated(objects=4, store_class=store_class))


def damaged_critical(store_class):
    """Flip bits of a store that holds one critical record only."""
    flash = Flash(Geometry(1, 1024, 4, ZERO_ANY, 16))
    store = store_class(flash, random_filler(random.Random(1)))
    store.mount()
    store.commit([(2, 0, CRITICAL | SECRET, b"", b"wrapped master key")])
    snap = flash.snapshot()
    bad = set()
    for bit in range(0, 8 * flash.size, 5):
        flash.restore(snap)
        flash.data[bit >> 3] ^= 1 << (bit & 7)
        store.mount()
        bad |= set(store.health()["damaged"])
    return bad


def test_no_bit_damages_a_critical_record():
    assert not damaged_critical(Store)
    assert damaged_critical(OneCritical)


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


def test_mounting_a_damaged_image_is_not_repeated_work():
    world = populated()
    snap = image_of(world)
    for bit in range(0, 8 * world.flash.size, 131):
        world.flash.restore(snap)
        world.flash.data[bit >> 3] ^= 1 << (bit & 7)
        world.boot()
        world.flash.protected = True  # the second mount writes nothing
        inspect(world, world.boot())
        world.flash.protected = False


__all__ = ["Call"]
