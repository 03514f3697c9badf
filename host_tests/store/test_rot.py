# SPDX-License-Identifier: MIT
"""Bits that rot: every object is served unchanged or reported, nothing is formatted."""

import random

import pytest
from cutting import Flash, Geometry
from images import image_of, populated
from model import Violation, random_filler
from rotting import after, inspect, rot

from pal import cells
from pal.cells import DAMAGED
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
def test_no_single_bit_of_other_geometries_loses_more_than_its_object(geometry):
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


@pytest.mark.parametrize("store_class", [AllOrNothing, NotMended, Laundered])
def test_without_the_rule_single_bits_are_noticed(store_class):
    with pytest.raises((Violation, StoreError, KeyError, AssertionError)):
        for seed in range(1, 4):
            flips_of(populated(seed=seed, store_class=store_class), 3)


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
