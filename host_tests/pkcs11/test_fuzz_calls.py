# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Ten thousand calls of all 68 functions with arguments of every kind, half of them nearly right.

Always a CKR_ code and no other exception; a call that fails changes no object; nothing is lost, of
memory or of key slots. Seeded: a failure names the call, and the next run makes it again.
"""

import gc
import tracemalloc

import p11crypto
import pytest
from fuzz_tables import ARGUMENTS, DEFAULT, FITTING, GO_ON, RARELY
from fuzz_world import World
from layer_coverage import LAYER
from token_kit import *

from pkcs11 import FUNCTIONS

CALLS = 10000
GROWTH = 10000  # bytes; the token's cache of records


def fuzz(world, power_on, count, names=FUNCTIONS):
    """Make calls; return {function: set of codes}."""
    seen = {name: set() for name in names}
    for _ in range(count):
        name = world.choose.choice(names)
        running = [one for one in world.app.sessions.values() if one.operation is not None]
        world.pending = None
        if running and len(names) > 1 and world.choose.random() < 0.4:
            session = world.choose.choice(running)
            world.pending = session.handle
            name = world.choose.choice(GO_ON[session.operation.kind])
        if name in RARELY and len(names) > 1 and world.choose.random() < 0.8:
            continue
        arguments = [getattr(world, kind)() for kind in ARGUMENTS.get(name, DEFAULT).split()]
        if name in FITTING and world.choose.random() < 0.5:
            world.fitting(name, arguments)
        before = world.objects()
        try:
            getattr(world.app, name)(*arguments)
            seen[name].add(CKR_OK)
        except P11Error as error:
            assert error.name.startswith("CKR_"), (name, arguments)
            seen[name].add(error.ckr)
            if world.app.token is not None:
                assert world.objects() == before, (name, arguments)
        assert not power_on, (name, arguments, power_on)
        world.home()
    return seen


@pytest.fixture
def world():
    return World(20240607)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_each_of_the_68_functions_survives_anything(world, power_on, name):
    seen = fuzz(world, power_on, 60, (name,))[name]
    assert seen
    if name not in ("C_GetInfo", "C_Initialize"):
        assert seen != {CKR_OK}


def test_ten_thousand_calls_change_lose_and_keep_nothing(world, power_on):
    fuzz(world, power_on, CALLS // 5)  # fills caches
    tracemalloc.start()
    try:
        before = held(world)
        seen = fuzz(world, power_on, CALLS)
        grown = held(world) - before
    finally:
        tracemalloc.stop()
    assert grown < GROWTH
    codes = {code for found in seen.values() for code in found}
    assert len(codes) >= 30  # the calls are not all refused for one reason
    assert sum(CKR_OK in found for found in seen.values()) >= 35
    world.app.C_Finalize()
    assert p11crypto.slots_used() == 0


def held(world):
    """Close and destroy everything; return the bytes that code of the layer still holds."""
    world.home()
    world.clear()
    world.app.C_CloseAllSessions(1)
    world.store.events.clear()  # what the store of the tests remembers
    gc.collect()
    assert p11crypto.slots_used() == 0
    layer = tracemalloc.Filter(True, str(LAYER / "*"))
    traces = tracemalloc.take_snapshot().filter_traces([layer]).traces
    return sum(trace.size for trace in traces)
