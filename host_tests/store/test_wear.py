# SPDX-License-Identifier: MIT
"""Life: counted to the end on every geometry, and what happens then."""

import random

import pytest
from cutting import Flash, geometries
from model import random_filler

from pal.index import LIVE
from pal.store import SECRET, Store, StoreError

W = 60  # erases that a sector endures


def life(geometry, step, objects=2, endurance=W):
    """Run `step` until the flash is worn out. Returns (steps, worst spread, flash, store)."""
    flash = Flash(geometry, endurance)
    rng = random.Random(1)
    store = Store(flash, random_filler(rng))
    store.mount()
    for i in range(objects):
        store.commit([(0x100 + i, 0, SECRET if i else 0, b"%d" % i, b"x" * 20)])
    n = spread = 0
    with pytest.raises(StoreError) as caught:
        while True:
            step(store, rng)
            n += 1
            spread = max(spread, max(flash.wear) - min(flash.wear))
    assert caught.value.code == StoreError.WORN
    return n, spread, flash, store


def login(store, rng):
    store.attempt(0)
    store.success(0)


def replace_public(store, rng):
    store.commit([(0x100, 0, 0, b"0", rng.randbytes(20))])


def replace_secret(store, rng):
    store.commit([(0x101, 0, SECRET, b"1", rng.randbytes(20))])


def expected(geometry, store, groups):
    """Logins in the life of a region, from the format alone (docs/FORMAT.md §8).

    groups: cells of what lives, by sector. Of N sectors one is spare. A sector has room for
    cells - body - keep event cells. Once in N - 1 erases each group is moved, with RETIRE, COMMIT,
    SEAL, and two STATE cells in one of them; the RETIRE of the other sectors goes to the cells that
    evacuation may use beyond those of events.
    """
    n = len(geometry.sectors)
    room = store.cells - store.body - store.keep_small
    moved = [cells + 3 for cells in groups]
    moved[0] += 2
    erases = logins = 0
    half = False  # the attempt is written, its success is not
    while erases < n * W:
        turn = erases % (n - 1)
        left = room - (moved[turn] if turn < len(moved) else 0)
        erases += 1
        while left >= (2 if half else 1):
            left -= 2 if half else 1
            logins += half
            half = not half
    return logins


@pytest.mark.parametrize("number", range(len(geometries())))
@pytest.mark.parametrize("step", [login, replace_public, replace_secret])
def test_sectors_wear_evenly_and_nothing_is_lost_at_the_end(number, step):
    n, spread, flash, store = life(geometries()[number], step)
    assert spread <= 2
    assert n > W
    kept = {oid: store.read(oid) for oid in store.ids()}
    assert len(kept) == 2
    fails = store.fails(0)
    again = Store(flash, random_filler(random.Random(2)))
    again.mount()
    assert {oid: again.read(oid) for oid in again.ids()} == kept
    assert again.fails(0) == fails
    with pytest.raises(StoreError) as caught:
        for _ in range(200):
            step(again, random.Random(3))
    assert caught.value.code == StoreError.WORN
    assert again.health()["read_only"]
    assert again.health()["life_left_percent"] == 0
    assert len(list(again.ids())) == 2


@pytest.mark.parametrize("number", range(len(geometries())))
def test_life_is_as_long_as_the_format_says(number):
    geometry = geometries()[number]
    n, _, _, store = life(geometry, login, endurance=W)
    groups = {}
    for e in store.index:
        if store.index.a[e + 2] & LIVE:
            sector = store.index.a[e + 2] & 0xFF
            groups[sector] = groups.get(sector, 0) + store.size(e)
    formula = expected(geometry, store, list(groups.values()))
    assert abs(n - formula) / formula < 0.02, (n, formula)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(geometries())))
def test_life_with_many_erases(number):
    geometry = geometries()[number]
    flash = Flash(geometry, 2000)
    rng = random.Random(1)
    store = Store(flash, random_filler(rng))
    store.mount()
    with pytest.raises(StoreError):
        while True:
            rng.choice((login, replace_public, replace_secret))(store, rng)
    assert max(flash.wear) - min(flash.wear) <= 2
