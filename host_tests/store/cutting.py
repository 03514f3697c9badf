# SPDX-License-Identifier: MIT
"""Power cuts: at every operation, at every operation of the recovery, and at random up to 7 deep.

The state before each flash operation is recorded, so that a cut is a copy and not a replay. A run
is: cut, boot, check, boot, check, ten further operations, check, boot, check. Each function returns
a `Tally`; a run that fails is described well enough to be repeated.
"""

import random

from flashsim import FAULTS, VARIANT_NAMES, VARIANTS, Flash, Geometry, Misuse
from model import Violation, World

from pal.flash import ZERO_ANY, ZERO_NONE, ZERO_UNIT
from pal.store import Store, StoreError

FURTHER = 10  # operations after a cut


def geometries():
    """Scaled regions for depth: every unit, zero mode and number of sectors of the plan."""
    fault = {"read_may_fault": True}
    return [
        Geometry(1, 512, 5, ZERO_ANY, 16),
        Geometry(1, 1024, 3, ZERO_ANY, 32),
        Geometry(1, 1024, 2, ZERO_ANY, 16),
        Geometry(1, 512, 16, ZERO_ANY, 16),
        Geometry(1, 1024, 5, ZERO_NONE, 16),
        Geometry(1, 1024, 4, ZERO_UNIT, 64),
        Geometry(8, 512, 5, ZERO_UNIT, 8, **fault),
        Geometry(8, 1024, 3, ZERO_UNIT, 32, **fault),
        Geometry(8, 1024, 2, ZERO_UNIT, 8, **fault),
        Geometry(8, 1024, 5, ZERO_NONE, 8, **fault),
        Geometry(16, 1024, 5, ZERO_NONE, 16, **fault),
        Geometry(16, 1024, 3, ZERO_NONE, 32, **fault),
        Geometry(16, 2048, 2, ZERO_NONE, 16, **fault),
        Geometry(16, 512, 16, ZERO_NONE, 16, **fault),
        Geometry(16, 1024, 4, ZERO_UNIT, 16, **fault),
        Geometry(32, 1024, 5, ZERO_NONE, 32, **fault),
        Geometry(32, 2048, 3, ZERO_NONE, 32, **fault),
        Geometry(32, 2048, 2, ZERO_NONE, 32, **fault),
        Geometry(32, 1024, 3, ZERO_UNIT, 32, **fault),
        Geometry(1, 512, 5, ZERO_ANY, 16, sizes=(512, 1024, 512, 512, 1024)),
    ]


def real_geometries():
    """Erase sizes of real parts."""
    fault = {"read_may_fault": True}
    return [
        Geometry(8, 2048, 8, ZERO_UNIT, 8, **fault),
        Geometry(1, 4096, 16, ZERO_ANY, 256),
        Geometry(1, 16384, 3, ZERO_ANY, 32),
        Geometry(32, 131072, 2, ZERO_NONE, 32, **fault),
    ]


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


def single(geometry, seed, steps, store_class=Store, limit=0, repeats=1, call_of=None):
    """Cut at every operation of `steps` calls, in every variant."""
    tally = Tally()
    world = make_world(geometry, seed, store_class)
    for step in range(steps):
        trace = []
        call, old, new = world.step(call_of and call_of(world, step), trace)
        kept = world.flash.snapshot()
        allowed = call.torn(old, new)
        for i, entry in enumerate(trace):
            tally.points += 1
            for variant in variants(geometry):
                for repeat in range(repeats):
                    what = f"{geometry} seed {seed} step {step} {call} operation {i} of " + (
                        f"{len(trace)} {VARIANT_NAMES[variant]}"
                    )
                    world.flash.tear(entry, variant, world.rng)
                    tally.cuts += 1
                    if repeat:
                        tally.repeats += 1
                    else:
                        tally.distinct += 1

                    def run(what=what, allowed=allowed):
                        world.recover(allowed, what)
                        world.go_on(FURTHER, what)

                    attempt(tally, what, run)
                    if limit and len(tally.failures) >= limit:
                        return tally
        world.flash.restore(kept)
        world.model = new
        world.boot()
    return tally


def nested(geometry, seed, steps, store_class=Store, limit=0, further=4):
    """Cut at every operation of a call, then at every operation of the recovery."""
    tally = Tally()
    world = make_world(geometry, seed, store_class)
    rng = world.rng
    flash = world.flash
    step = 0
    while step < steps:
        trace = []
        call, old, new = world.step(None, trace)
        if not trace:
            continue  # the store was full
        step += 1
        kept = flash.snapshot()
        allowed = call.torn(old, new)
        for i, entry in enumerate(trace):
            for variant in variants(geometry):
                if variant == 0 and i:
                    continue  # as complete before
                flash.tear(entry, variant, rng)
                recovery = flash.trace = []
                what = f"{geometry} seed {seed} step {step} {call} operation {i} {variant}"
                ok = attempt(tally, what, world.boot)
                flash.trace = None
                for j, second in enumerate(recovery if ok else ()):
                    tally.points += 1
                    for again in (
                        rng.choice((2, 3, 4)),
                        rng.choice((5, 6, 7)),
                        variants(geometry)[-1],
                    ):
                        flash.tear(second, again, rng)
                        tally.distinct += 1
                        tally.cuts += 2
                        deep = what + f" then operation {j} of {len(recovery)} {again}"

                        def run(what=deep, allowed=allowed):
                            world.recover(allowed, what)
                            world.go_on(further, what)

                        attempt(tally, deep, run)
                        if limit and len(tally.failures) >= limit:
                            return tally
        flash.restore(kept)
        world.model = new
        world.boot()
    return tally


def chain(world, tally, what, depth=7):
    """One call with up to `depth` cuts in a row; the world goes on from what is left."""
    rng = world.rng
    flash = world.flash
    trace = []
    call, old, new = world.step(None, trace)
    tally.random += 1
    if not trace:
        return
    allowed = call.torn(old, new)
    choice = variants(world.geometry)
    flash.tear(rng.choice(trace), rng.choice(choice), rng)
    tally.cuts += 1
    cuts = 1
    while cuts < depth and rng.random() < 0.8:
        recovery = flash.trace = []
        world.boot()
        flash.trace = None
        served = [world.check(allowed, what)] if rng.random() < 0.3 else allowed
        if not recovery or rng.random() < 0.2:
            allowed = served  # shown: from here on it stays
            continue
        # a cut within this recovery: what was shown after it was not shown to anybody
        flash.tear(rng.choice(recovery), rng.choice(choice), rng)
        tally.cuts += 1
        cuts += 1
    world.recover(allowed, what)
    if rng.random() < 0.5:
        world.go_on(rng.randrange(1, 8), what)


def at_random(geometry, seed, chains, store_class=Store, limit=0, flicker=False):
    """Chains of cuts in one world."""
    tally = Tally()
    world = make_world(geometry, seed, store_class, flicker)
    for number in range(chains):
        what = f"{geometry} seed {seed} chain {number}" + (" flicker" if flicker else "")
        if not attempt(tally, what, lambda what=what: chain(world, tally, what)):
            break  # the world is no longer what the model says
        if limit and len(tally.failures) >= limit:
            break
    return tally


def creations(geometry, seed, steps, store_class=Store, limit=0):
    """Two cuts in a row in the creation of a store, then two in the call after it."""
    tally = Tally()
    rng = random.Random(seed)
    for step in range(40 * steps):
        world = make_world(geometry, seed * 1000 + step, store_class)
        what = f"{geometry} seed {seed} creation {step}"
        for depth in range(2):
            trace = []
            call, old, new = world.step(None, trace)
            if not trace:
                break
            world.flash.tear(rng.choice(trace), rng.choice(variants(geometry)), rng)
            tally.cuts += 1
            allowed = call.torn(old, new)
            if not attempt(tally, what, lambda: world.recover(allowed, what)):  # noqa: B023
                break
            if depth:
                attempt(tally, what, lambda: world.go_on(3, what))  # noqa: B023
        tally.random += 1
        if limit and len(tally.failures) >= limit:
            break
    return tally


def resets(geometry, seed, steps, store_class=Store, limit=0):
    """Cuts in factory resets of a filled store."""
    from model import Call

    def call_of(world, step):
        return Call("reset") if step % 6 == 5 else None

    return single(geometry, seed, 6 * steps, store_class, limit, call_of=call_of)


def ones(geometry, seed, steps, store_class=Store, limit=0):
    """Cuts in writes of values that would leave whole cells erased."""
    from model import Call

    def call_of(world, step):
        size = 16 * max(2, min(4, world.maker.room // 3))
        return Call("ones", ((0x100 + step % 2, 0, 0, b"", b"\xff" * size + b"end of the value"),))

    return single(geometry, seed, steps, store_class, limit, call_of=call_of)


def events(geometry, seed, steps, store_class=Store, limit=0):
    """Cuts in logins and counters, each with many random draws."""
    from model import Call

    def call_of(world, step):
        name, slot = (("attempt", 0), ("success", 0), ("advance", 2))[step % 3]
        return Call(name, slot=slot)

    return single(geometry, seed, steps, store_class, limit, repeats=8, call_of=call_of)


KINDS = {
    "events": events,
    "ones": ones,
    "single": single,
    "nested": nested,
    "random": at_random,
    "create": creations,
    "reset": resets,
}
