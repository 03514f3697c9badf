# SPDX-License-Identifier: MIT
"""Logins and counters in a sector that was moved and is half erased: it has no say any more.

Power fails in SUCCESS, whose cell does not read valid at the next boot: the login is refused for
good, the sector moved. Power fails again, in the erase: the verdict is gone, and the cell, which
has bits without a value of their own, reads valid. One cut in a million random ones hits this.
"""

import random

import pytest
from flashsim import Flash, Geometry
from model import random_filler

from pal import cells
from pal.flash import ZERO_ANY, ZERO_NONE
from pal.store import Store

GEOMETRIES = [Geometry(16, 1024, 5, ZERO_NONE, 16), Geometry(1, 1024, 4, ZERO_ANY, 16)]
USER, COUNTER = 0, 2


class CountsEverywhere(Store):
    """Control: what a sector says of events counts though it was taken out of use."""

    def read_all(self):
        scans = super().read_all()
        self.heard = list(scans)
        return scans

    def hear(self, scans):
        super().hear(self.heard)


def mounted(flash, store_class=Store):
    """The store as the next boot finds it."""
    store = store_class(flash, random_filler(random.Random(7)))
    store.mount()
    return store


def half_erased(geometry, slot, store_class):
    """Flash with a refused SUCCESS that reads valid in a retired sector, and its number."""
    flash = Flash(geometry)
    store = mounted(flash)
    store.commit([(0x100, 0, 0, b"label", b"value")])
    if slot == USER:
        for _ in range(3):
            store.attempt(slot)
    else:
        store.advance(slot)
    s = store.active
    base, z = store.base[s], store.z
    flash.trace = []
    if slot == USER:
        store.success(slot)
    else:
        store.advance(slot)
    success = [entry for entry in flash.trace if entry[1] >= 0 and entry[2][0] == cells.SUCCESS]
    snap, at, cell = success[0]
    flash.restore(snap)
    flash.program(at, bytes(cell[:8]) + b"\xff" * (len(cell) - 8))  # torn

    flash.trace = []
    mounted(flash)
    snap = next(entry[0] for entry in flash.trace if entry[1] < 0 and entry[2] == s)
    flash.trace = None
    flash.restore(snap)
    flash.data[at : at + len(cell)] = cell
    end = base + 1024
    flash.data[at + z : end] = b"\xff" * (end - at - z)  # the verdict is gone
    return mounted(flash, store_class), mounted(flash, store_class)


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=repr)
def test_a_login_refused_before_its_sector_was_moved_stays_refused(geometry):
    for store in half_erased(geometry, USER, Store):
        assert store.fails(USER) == 3
        assert not store.health()["unnamed"]
        assert store.read(0x100) == (b"label", b"value")


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=repr)
def test_a_counter_does_not_show_a_value_and_go_back(geometry):
    for store in half_erased(geometry, COUNTER, Store):
        assert store.value(COUNTER) == 1


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=repr)
def test_without_the_rule_the_answer_changes(geometry):
    first, second = half_erased(geometry, USER, CountsEverywhere)
    assert (first.fails(USER), second.fails(USER)) == (0, 3)
