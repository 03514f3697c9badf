# SPDX-License-Identifier: MIT
"""A cut at every flash operation of every kind of call, in every torn variant."""

import pytest
from cutting import (
    Tally,
    creations,
    events,
    geometries,
    make_world,
    ones,
    real_geometries,
    resets,
    single,
)
from model import Call

from pal.store import CRITICAL, SECRET


@pytest.mark.parametrize("number", range(len(geometries())))
@pytest.mark.parametrize("seed", [0, 1])
def test_old_or_new_after_a_cut_at_every_operation(number, seed, passed):
    passed(single(geometries()[number], seed, 9), 100)


@pytest.mark.parametrize("number", range(len(real_geometries())))
def test_erase_sizes_of_real_parts(number, passed):
    tally = Tally()
    for seed in range(1, 10):
        tally.add(single(real_geometries()[number], seed, 1))
        if tally.runs >= 200:
            break
    passed(tally, 200)


@pytest.mark.parametrize("number", range(len(geometries())))
def test_creation_reset_and_values_of_ones(number, passed):
    for kind, size in ((creations, 2), (resets, 1), (ones, 2)):
        passed(kind(geometries()[number], 3, size))


@pytest.mark.parametrize("number", range(0, len(geometries()), 2))
def test_events_with_many_random_draws(number, passed):
    passed(events(geometries()[number], 4, 6), 200)


def script(world, step):
    """What the Cryptoki calls that write do to the store, one after the other."""
    secret = world.secrets.make
    rng = world.rng
    put = world.maker.put
    calls = (
        # C_InitToken: token info, both wrapped keys, everything else goes
        lambda: Call("init", (put(1, CRITICAL, 20), put(2, CRITICAL | SECRET, 24), put(3, 3, 24))),
        lambda: Call("C_Login, wrong", slot=0),
        lambda: Call("C_CreateObject", ((0x100, 1, 0, b"certificate", b"C" * 40),)),
        lambda: Call(
            "C_GenerateKeyPair",
            ((0x101, 3, SECRET, b"private", secret(rng, 32)), (0x102, 2, 0, b"public", b"P" * 32)),
        ),
        lambda: Call("C_SetPIN", (put(2, CRITICAL | SECRET, 24),)),
        lambda: Call("C_InitPIN", (put(2, CRITICAL | SECRET, 24),)),
        lambda: Call("C_CopyObject", ((0x103, 3, SECRET, b"copy", secret(rng, 32)),)),
        lambda: Call("C_SetAttributeValue", ((0x102, 2, 0, b"new label", b"P" * 32),)),
        lambda: Call("seed", (put(5, CRITICAL | SECRET, 24),)),
        lambda: Call("C_DestroyObject, secret", (), (0x101,)),
        lambda: Call("C_DestroyObject, public", (), (0x102,)),
        lambda: Call("attempt", slot=0),
        lambda: Call("success", slot=0),
        lambda: Call("reset"),
    )
    return calls[step % len(calls)]()


@pytest.mark.parametrize("number", [1, 7, 10, 12, 16])
def test_every_cryptoki_call_that_writes(number, passed):
    passed(single(geometries()[number], 8, 14, call_of=script), 500)


def test_runs_can_be_repeated():
    def once():
        world = make_world(geometries()[0], 5)
        for _ in range(30):
            world.step()
        return bytes(world.flash.data)

    assert once() == once()
