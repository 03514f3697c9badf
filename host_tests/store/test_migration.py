# SPDX-License-Identifier: MIT
"""Formats: a newer firmware takes an older store over by evacuation, an older one refuses."""

import random

import pytest
from cutting import Tally, variants
from images import populated
from model import random_filler

from pal.store import Store, StoreError


class Next(Store):
    """A firmware of format 2.0 that still reads 1.x."""

    FORMAT = (2, 0)
    READS = (1, 2)


class Minor(Store):
    """A firmware of format 1.7."""

    FORMAT = (1, 7)


def test_a_newer_firmware_moves_every_sector_to_its_format():
    world = populated()
    world.store_class = Next
    world.boot()
    world.check([world.model])
    assert all(
        world.store.major[s] == 2 for s in range(world.store.count) if world.store.state[s] == 1
    )
    world.again([world.model], "migrated")


def test_an_older_firmware_refuses_and_leaves_it_alone():
    world = populated(store_class=Next)
    before = bytes(world.flash.data)
    store = Store(world.flash, random_filler(random.Random(1)))
    with pytest.raises(StoreError) as caught:
        store.mount()
    assert caught.value.code == StoreError.NEWER
    assert bytes(world.flash.data) == before


def test_a_newer_minor_is_read():
    world = populated(store_class=Minor)
    world.store_class = Store
    world.boot()
    world.check([world.model])


def test_an_upgrade_that_is_cut_anywhere_mounts_with_the_new_firmware():
    world = populated()
    model = world.model
    world.store_class = Next
    world.flash.trace = trace = []
    world.boot()
    world.flash.trace = None
    assert len(trace) > 10
    tally = Tally()
    for i, entry in enumerate(trace):
        for variant in variants(world.geometry):
            world.flash.tear(entry, variant, world.rng)
            world.flash.trace = second = []
            world.boot()
            world.flash.trace = None
            world.model = model
            world.check([model], f"upgrade cut at {i}")
            if second:
                world.flash.tear(world.rng.choice(second), variant, world.rng)
                world.recover([model], f"upgrade cut at {i} and again")
                world.go_on(3, "upgraded")
            tally.distinct += 1
    assert tally.distinct > 80


def test_format_destroys_a_newer_store_when_asked():
    world = populated(store_class=Next)
    store = Store(world.flash, random_filler(random.Random(1)))
    store.format()
    assert store.blank
    store.commit([(0x100, 0, 0, b"", b"")])
    assert list(store.ids()) == [0x100]
