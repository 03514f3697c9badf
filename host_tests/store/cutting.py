# SPDX-License-Identifier: MIT
"""Power cuts: at every operation, at every operation of the recovery, and at random up to 7 deep.

The state before each flash operation is recorded, so that a cut is a copy and not a replay. A run
is: cut, boot, check, boot, check, ten further operations, check, boot, check. Each function returns
a `Tally`; a run that fails is described well enough to be repeated.
"""

from flashsim import Flash, Geometry
from flashtear import VARIANT_NAMES
from regions import geometries, real_geometries
from runs import Tally, attempt, make_world, moment, variants
from wearing import worn

from pal.store import Store

FURTHER = 10  # operations after a cut


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
    flash.tear(*moment(world, trace), rng)
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
        flash.tear(*moment(world, recovery), rng)
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
    """Up to seven cuts in a row in the creation of a store, then as many in the call after it."""
    tally = Tally()
    for step in range(40 * steps):
        world = make_world(geometry, seed * 1000 + step, store_class)
        what = f"{geometry} seed {seed} creation {step}"
        for _ in range(2):
            if not attempt(tally, what, lambda: chain(world, tally, what)):  # noqa: B023
                break
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
    "worn": worn,
    "create": creations,
    "reset": resets,
}

__all__ = ["Flash", "Geometry", "geometries", "real_geometries", "KINDS", "FURTHER"]
