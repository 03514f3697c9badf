# SPDX-License-Identifier: MIT
"""A creation that is cut again and again: what the cuts leave of CREATE may fill a sector."""

import random

import pytest
from flashsim import Flash, Geometry
from flashtear import HALF

from pal.flash import ZERO_NONE
from pal.store import Store


class PowerCut(Exception):
    """Power fails within a program."""


def fill(buf):
    buf[:] = bytes(range(len(buf)))


def cut_creation(flash, rng):
    """Boot, let the first call begin, cut it in the second copy of CREATE."""
    store = Store(flash, fill)
    store.mount()
    assert store.blank
    count = []

    def hook(op, at, what):
        if op == "program":
            count.append(at)
            if len(count) == 2:
                entry = (flash.snapshot(), at, what)
                flash.hook = None
                flash.tear(entry, HALF, rng)
                raise PowerCut

    flash.hook = hook
    with pytest.raises(PowerCut):
        store.commit([(0x100, 1, 0, b"label", b"value")])
    flash.boot(rng)
    return count[0]


@pytest.mark.parametrize("unit, count", [(1, 2), (8, 3), (16, 5), (32, 4)])
def test_a_creation_cut_until_its_sector_is_full_goes_on_in_another(unit, count):
    size = 64 * max(16, unit)
    flash = Flash(Geometry(unit, size, count, ZERO_NONE))
    rng = random.Random(unit)
    places = [cut_creation(flash, rng) for _ in range(64 // 2 + 3)]
    assert min(places) < size <= max(places)  # the second sector was needed
    store = Store(flash, fill)
    store.mount()
    store.commit([(0x100, 1, 0, b"label", b"value")])
    again = Store(flash, fill)
    again.mount()
    assert bytes(again.read(0x100)[-1]) == b"value"
