# SPDX-License-Identifier: MIT
"""Truncated images, images with garbage, images of garbage: refused, or served right."""

import random

import pytest
from cutting import Geometry
from images import image_of, populated

from pal.flash import ZERO_ANY
from pal.store import StoreError


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
def test_very_many_mangled_images_are_refused_or_served_right(seed):
    mangled(populated(Geometry(1, 1024, 5, ZERO_ANY, 16), seed, objects=10), 50000, seed)
