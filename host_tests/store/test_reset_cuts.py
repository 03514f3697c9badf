# SPDX-License-Identifier: MIT
"""Factory reset cut twice, and where no intent can be written: CREATE in a spare is the word."""

import random

import pytest
from controls import IntentAfterwards
from cutting import Flash, Geometry
from flashsim import Misuse
from flashtear import COMPLETE, COMPLETE_WEAK, FEW, HALF, HALF_WEAK, NOT_STARTED, ROWS, VARIANTS
from model import random_filler

from pal.birth import RESET_INTENT
from pal.cells import COMMIT
from pal.flash import ZERO_ANY, ZERO_NONE, ZERO_UNIT, FlashError
from pal.log import OLD, SPARE
from pal.store import CRITICAL, SECRET, SO_KEY, USER_KEY, Store, StoreError

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


def shown_by(flash, store_class, rng):
    """What the next two mounts show, as a set of one or more answers."""
    flash.boot(rng)
    answers = set()
    for _ in range(2):
        again = store_class(flash, random_filler(rng))
        try:
            again.mount()
            answers.add(tuple(sorted(again.ids())) + tuple(again.damaged()))
        except (StoreError, Misuse) as error:
            answers.add(repr(error))
    return answers


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
            answers = shown_by(flash, Store, rng)
            shown |= answers
            if len(answers) > 1:
                shown.add("another answer at the next boot")
    return shown


OLD_OR_NEW = {tuple(range(0x100, 0x106)), ()}
SMALL = [
    Geometry(1, 1024, 3, ZERO_NONE, 16),
    Geometry(16, 2048, 2, ZERO_NONE, 32),
    Geometry(16, 1024, 3, ZERO_NONE, 32, read_may_fault=True),
    Geometry(8, 1024, 2, ZERO_UNIT, 8, read_may_fault=True),
]


def used(geometry, rng, store_class):
    """A flash and its mounted store after a random history, key wraps and logins included."""
    flash = Flash(geometry)
    store = store_class(flash, random_filler(rng))
    store.mount()
    for i in range(rng.randrange(3, 30)):
        oid = rng.choice((USER_KEY, SO_KEY, 0x100, 0x101, 0x102))
        flags = SECRET * rng.getrandbits(1) | CRITICAL * (oid < 0x100)
        try:
            store.commit([(oid, 0, flags, b"", b"object %d" % i * rng.randrange(1, 6))])
        except StoreError as error:
            assert error.code in (StoreError.FULL, StoreError.TOO_BIG)
        if rng.random() < 0.3:
            store.attempt(0)
    return flash, store


def cut_twice(geometry, seed, store_class=Store):
    """Answers after a cut in a reset and another one in an erase of the recovery, but old and new."""
    rng = random.Random(seed)
    flash, store = used(geometry, rng, store_class)
    old = tuple(sorted(store.ids()))
    flash.trace = []
    store.factory_reset()
    trace, flash.trace = flash.trace, None
    shown = set()
    for entry in trace:
        # a COMMIT that is read at one boot and not at the other is the worst: many draws of it
        weak = 16 if entry[1] >= 0 and entry[2][0] == COMMIT else 1
        for first in (NOT_STARTED, COMPLETE, *[COMPLETE_WEAK] * weak):
            flash.tear(entry, first, rng)
            flash.boot(rng)
            flash.trace = []
            store_class(flash, random_filler(rng)).mount()
            recovery, flash.trace = flash.trace, None
            for second in recovery:
                if second[1] < 0:
                    flash.tear(second, rng.choice((ROWS, FEW, HALF, HALF_WEAK)), rng)
                    answers = shown_by(flash, store_class, rng)
                    shown |= answers if len(answers) == 1 else {"not the same twice", *answers}
    return shown - {old, ()}


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=repr)
def test_a_reset_without_room_for_its_intent_is_cut_anywhere(geometry):
    assert states_after_cuts(geometry, Roomless) == OLD_OR_NEW


class ErasedFirst(Store):
    """Sectors are erased before CREATE stands, and those without accepted content as they are."""

    def reset_region(self):
        last = self.intended()
        for s, state in enumerate(self.state):
            if last >= 0 and s not in (last, self.mark_sector) and state not in (SPARE, OLD):
                self.destroy(s)
        super().reset_region()


class VoidErased(Store):
    """A reset erases a sector without accepted content as it is."""

    def reset_region(self):
        self.give_up = lambda v: None
        try:
            super().reset_region()
        finally:
            del self.give_up


class VerdictInNewest(Store):
    """The newest sector gets the first verdict, wherever the intent lies."""

    def decisive(self):
        return self.active


class MarkTrusted(Store):
    """What reads as CREATE is believed though it takes no second copy."""

    def read_without_mark(self):
        raise FlashError("CREATE")


@pytest.mark.parametrize("geometry", SMALL, ids=repr)
def test_a_reset_is_cut_anywhere_and_its_recovery_in_an_erase(geometry):
    for seed in range(24):
        assert not cut_twice(geometry, seed), seed


@pytest.mark.parametrize(
    ("store_class", "geometry", "seed"),
    [
        (ErasedFirst, SMALL[0], 1),
        (VoidErased, SMALL[1], 8),
        (VerdictInNewest, SMALL[2], 6),
        (MarkTrusted, SMALL[3], 14),
    ],
)
def test_without_the_rule_the_second_cut_leaves_something_else(store_class, geometry, seed):
    assert cut_twice(geometry, seed, store_class)


def test_without_create_in_front_it_leaves_something_else():
    assert states_after_cuts(GEOMETRIES[0], RoomlessAfterwards) != OLD_OR_NEW
