# SPDX-License-Identifier: MIT
"""Cells that cannot be read: each costs one object at most."""

import pytest
from cutting import Geometry
from images import image_of, populated
from model import Violation
from rotting import after, inspect

from pal.cells import TOMBSTONE
from pal.flash import ZERO_ANY, ZERO_NONE
from pal.store import Store, StoreError


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
