# SPDX-License-Identifier: MIT
"""What every kind of power cut shares: the count, the world it happens in, the moment of a cut."""

import random

from flashsim import Flash, Misuse
from flashtear import COMPLETE_WEAK, FAULTS, HALF_WEAK, VARIANTS
from model import Violation, World

from pal.store import Store, StoreError


class Tally:
    """What was run and what failed."""

    def __init__(self):
        self.distinct = 0  # (geometry, call, operation, variant[, second operation])
        self.repeats = 0  # the same with other random draws
        self.random = 0  # random chains of cuts
        self.points = 0  # (geometry, call, operation)
        self.cuts = 0
        self.failures = []

    def add(self, other):
        """Sum up."""
        self.distinct += other.distinct
        self.repeats += other.repeats
        self.random += other.random
        self.points += other.points
        self.cuts += other.cuts
        self.failures += other.failures

    @property
    def runs(self):
        """All runs."""
        return self.distinct + self.repeats + self.random


def variants(geometry):
    """The torn variants that this kind of flash knows."""
    return VARIANTS + ((FAULTS,) if geometry.more.get("read_may_fault") else ())


def make_world(geometry, seed, store_class=Store, flicker=False):
    """A world whose calls include long values and resets for some seeds."""
    rng = random.Random(seed)
    world = World(geometry, Flash, rng, store_class)
    world.maker.chains = seed % 3 == 1
    world.maker.resets = seed % 2 == 0
    if flicker:
        world.flash.flicker = random.Random(seed + 1)
    return world


def attempt(tally, what, function):
    """Run function; note a failure."""
    try:
        function()
        return True
    except (Violation, Misuse, StoreError, IndexError, KeyError, ValueError) as error:
        tally.failures.append(f"{what}: {type(error).__name__} {error}")
        return False


CONTROL = bytes((0x91, 0xA2, 0xB4, 0xD5, 0xE6))  # what later boots decide by


def moment(world, trace):
    """An operation of `trace` to be cut and how; often a control cell that is left with weak bits."""
    rng = world.rng
    if rng.random() < 0.3:
        control = [each for each in trace if each[1] >= 0 and each[2][0] in CONTROL]
        if control:
            return rng.choice(control), rng.choice((COMPLETE_WEAK, COMPLETE_WEAK, HALF_WEAK))
    return rng.choice(trace), rng.choice(variants(world.geometry))
