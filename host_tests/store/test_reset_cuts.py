# SPDX-License-Identifier: MIT
"""Factory reset where no intent can be written: CREATE in a spare is the word."""

import random

import pytest
from controls import IntentAfterwards
from cutting import Flash, Geometry
from flashsim import VARIANTS, Misuse
from model import random_filler

from pal.birth import RESET_INTENT
from pal.flash import ZERO_ANY, ZERO_NONE
from pal.store import SECRET, Store, StoreError

GEOMETRIES = [Geometry(1, 1024, 4, ZERO_ANY, 16), Geometry(16, 1024, 4, ZERO_NONE, 16)]


class Roomless(Store):
    """A store that has worn out: its active sector has no room for an intent."""

    def write(self, puts, deletes, keep=0):
        if puts and puts[0][0] == RESET_INTENT:
            raise StoreError(StoreError.WORN)
        super().write(puts, deletes, keep)

    def write_last(self, puts):
        pass


class RoomlessAfterwards(IntentAfterwards, Roomless):
    """The same, and CREATE is written when the erasing is done."""


def states_after_cuts(geometry, store_class):
    """What the next two mounts show after a cut at each operation of a reset."""
    flash = Flash(geometry)
    store = store_class(flash, random_filler(random.Random(1)))
    store.mount()
    for i in range(6):
        store.commit([(0x100 + i, 0, SECRET * (i & 1), b"", b"object %d" % i * 12)])
    assert sum(state == 1 for state in store.state) > 1
    flash.trace = []
    store.factory_reset()
    trace, flash.trace = flash.trace, None
    shown = set()
    rng = random.Random(2)
    for entry in trace:
        for variant in VARIANTS:
            flash.tear(entry, variant, rng)
            flash.boot(rng)
            answers = []
            for _ in range(2):
                again = Store(flash, random_filler(rng))
                try:
                    again.mount()
                    answers.append(tuple(sorted(again.ids())) + tuple(again.damaged()))
                except (StoreError, Misuse) as error:
                    answers.append(str(error))
            shown |= set(answers)
            if len(set(answers)) > 1:
                shown.add("another answer at the next boot")
    return shown


OLD_OR_NEW = {tuple(range(0x100, 0x106)), ()}


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=repr)
def test_a_reset_without_room_for_its_intent_is_cut_anywhere(geometry):
    assert states_after_cuts(geometry, Roomless) == OLD_OR_NEW


def test_without_create_in_front_it_leaves_something_else():
    assert states_after_cuts(GEOMETRIES[0], RoomlessAfterwards) != OLD_OR_NEW
