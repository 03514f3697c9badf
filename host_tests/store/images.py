# SPDX-License-Identifier: MIT
"""Stores and populated images for the tests of bit rot, forgery and migration."""

import random

import pytest
from cutting import Flash, Geometry
from model import Call, World, observe, random_filler

from pal.flash import ZERO_ANY
from pal.store import CRITICAL, SECRET, Store, StoreError


def populated(geometry=None, seed=1, objects=6, store_class=Store):
    """A world with secrets, public objects, critical records, tombstones, events, a long value."""
    geometry = geometry or Geometry(1, 1024, 4, ZERO_ANY, 16)
    world = World(geometry, Flash, random.Random(seed), store_class)
    rng = world.rng
    secret = world.secrets.make
    put = world.step
    put(Call("info", ((1, 0, CRITICAL, b"", b"token info"),)))
    put(Call("keys", ((2, 0, CRITICAL | SECRET, b"", secret(rng, 24)),)))
    for i in range(objects):
        flags = SECRET if i % 2 else 0
        data = secret(rng, 20) if flags else b"public object number %d" % i
        put(Call("create", ((0x100 + i, i % 5, flags, b"label %d" % i, data),)))
    for _ in range(4):
        put(Call("attempt", slot=0))
    put(Call("success", slot=0))
    put(Call("replace", ((0x101, 3, SECRET, b"label 1", secret(rng, 20)),)))
    put(Call("delete", (), (0x102,)))
    put(Call("advance", slot=2))
    put(Call("attempt", slot=1))
    put(Call("attempt", slot=0))
    put(Call("attempt", slot=0))
    world.check([world.model])
    return world


def image_of(world):
    """What survives a power cut."""
    return world.flash.snapshot()


def mounted(world, snap):
    """A fresh store on an image."""
    world.flash.restore(snap)
    world.flash.bytes_read = 0
    return world.boot()


__all__ = ["image_of", "mounted", "observe", "populated"]


BOARD = Geometry(1, 4096, 16, ZERO_ANY, 256)
SMALL = Geometry(1, 1024, 4, ZERO_ANY, 16)


def flash_and_store(geometry=SMALL, seed=1):
    flash = Flash(geometry)
    store = Store(flash, random_filler(random.Random(seed)))
    store.mount()
    return flash, store


def again(flash):
    """Mount the same flash anew; nothing may be written."""
    store = Store(flash, random_filler(random.Random(2)))
    flash.protected = True
    store.mount()
    flash.protected = False
    return store


def code(call, *arguments):
    with pytest.raises(StoreError) as caught:
        call(*arguments)
    return caught.value.code
