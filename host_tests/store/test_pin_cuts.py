# SPDX-License-Identifier: MIT
"""The number of PIN comparisons never exceeds the limit, under any sequence of power cuts."""

import random

import pytest
from cutting import Flash, geometries, variants
from model import random_filler

from pal.log import SLOTS
from pal.store import Store

LIMIT = 5


class Guesser:
    """Somebody who tries PINs and pulls the plug. `compared` counts looks at the PIN."""

    def __init__(self, geometry, seed, store_class=Store):
        self.rng = random.Random(seed)
        self.flash = Flash(geometry)
        self.store_class = store_class
        self.wrong = 0  # comparisons with a wrong PIN since the last right one
        self.most = 0
        self.locked = False
        self.boot()

    def boot(self):
        self.flash.boot(self.rng)
        self.store = self.store_class(self.flash, random_filler(self.rng))
        self.store.mount()

    def attempt(self):
        """What the token does before it looks at a PIN. False when it is locked."""
        if self.store.fails(0) >= LIMIT:
            return False
        self.store.attempt(0)
        return True

    def guess(self, right):
        """One login, cut at a random operation or not at all."""
        trace = self.flash.trace = []
        allowed = self.attempt()
        before_look = len(trace)
        if allowed and right:
            self.store.success(0)
        self.flash.trace = None
        if not allowed:
            return
        done = len(trace)
        cut = self.rng.randrange(done + 1)
        looked = cut >= before_look  # the PIN was compared: the attempt had returned
        if looked:
            self.wrong = 0 if right else self.wrong + 1
            self.most = max(self.most, self.wrong)
        if cut < done:
            self.flash.tear(trace[cut], self.rng.choice(variants(self.flash.geometry)), self.rng)
            self.boot()
            while self.rng.random() < 0.3:
                self.boot()
        elif right:
            assert self.store.fails(0) == 0
            self.boot()
            assert self.store.fails(0) == 0  # a success that was reported holds


def run(geometry, seed, guesses, store_class=Store):
    """Returns the most wrong comparisons in a row."""
    guesser = Guesser(geometry, seed, store_class)
    for _ in range(guesses):
        guesser.guess(guesser.rng.random() < 0.12)
        if guesser.store.fails(0) >= LIMIT and guesser.rng.random() < 0.3:
            guesser.store.attempt(1)
            guesser.store.success(0)  # the SO gave a new PIN
            guesser.wrong = 0
    return guesser.most


@pytest.mark.parametrize("number", range(len(geometries())))
def test_wrong_pins_are_never_compared_more_often_than_the_limit(number):
    most = max(run(geometries()[number], seed, 150) for seed in range(6))
    assert 1 < most <= LIMIT


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(geometries())))
def test_wrong_pins_are_never_compared_more_often_in_many_runs(number):
    assert max(run(geometries()[number], seed, 300) for seed in range(200)) <= LIMIT


def test_a_torn_attempt_costs_nobody_a_try_for_good():
    """Power that fails in every login does not lock the token."""
    geometry = geometries()[0]
    for seed in range(40):
        guesser = Guesser(geometry, seed)
        for _ in range(30):
            trace = guesser.flash.trace = []
            guesser.store.attempt(0)
            guesser.flash.trace = None
            guesser.flash.tear(trace[-1], guesser.rng.choice((0, 2, 3)), guesser.rng)
            guesser.boot()
        assert guesser.store.fails(0) <= 1


class CountedAfterwards(Store):
    """The attempt is written when the next one begins: compared first, counted later."""

    def log_event(self, slot, attempt):
        if attempt:
            late = getattr(self, "late", False)
            self.late = True
            if not late:
                return self.highest(slot)
        else:
            self.late = False
        return super().log_event(slot, attempt)


class NumbersForgotten(Store):
    """The numbers of attempts do not survive the collection of their cells."""

    def hear(self, scans):
        for scan in scans:
            if scan and scan.ledger:
                scan.ledger.base_fails = [0] * SLOTS
        super().hear(scans)


@pytest.mark.parametrize("store_class", [CountedAfterwards, NumbersForgotten])
def test_without_the_rule_more_pins_are_compared(store_class):
    assert max(run(geometries()[0], seed, 200, store_class) for seed in range(20)) > LIMIT
