# SPDX-License-Identifier: MIT
"""A board without an entropy source, on simulated flash: its stored seed through power cuts.

A boot is: power on, mount, mix and rewrite the seed, then a stream of random numbers. Power is cut
at every flash operation before the stream begins, in every way an operation can be torn.
"""

import random

import p11crypto
import pytest
from flashsim import Flash, Geometry
from flashtear import FAULTS, VARIANT_NAMES, VARIANTS

from pal import nv_seed
from pal.flash import ZERO_ANY, ZERO_NONE, ZERO_UNIT
from pal.nv_seed import nv_seed_poll, nv_seed_read
from pal.pal import Pal
from pal.store import Store, StoreError

FIRST = bytes(range(64))
GEOMETRIES = [
    Geometry(1, 1024, 5, ZERO_ANY, 16),
    Geometry(1, 4096, 16, ZERO_ANY, 256),
    Geometry(8, 1024, 4, ZERO_UNIT, 32, read_may_fault=True),
    Geometry(16, 2048, 2, ZERO_NONE, 16, read_may_fault=True),
    Geometry(32, 2048, 3, ZERO_NONE, 32, read_may_fault=True),
]
BOARDS = pytest.mark.parametrize("geometry", GEOMETRIES, ids=repr)


@pytest.fixture(autouse=True)
def no_source():
    p11crypto.test_source()
    p11crypto.test_no_source()
    p11crypto.test_reset()
    yield
    p11crypto.test_no_source(False)
    p11crypto.test_reset()


def power_on(flash):
    """Return the Pal of a board that has just started, mounted."""
    p11crypto.test_reset()
    pal = nv_seed.seeded_pal(flash)
    pal.mount()
    return pal


def stream(length=32):
    out = bytearray(length)
    p11crypto.random(out)
    return bytes(out)


def boot(flash):
    """Start a board that has a seed; return the first bytes it gives."""
    pal = power_on(flash)
    assert pal.seed_error is None
    assert nv_seed.generation(pal) > 0
    return stream()


def manufactured(geometry):
    """Return a flash with a first seed and some objects, so that the log moves on soon."""
    flash = Flash(geometry)
    pal = power_on(flash)
    assert nv_seed.provision(pal, bytearray(FIRST)) == 1
    pal.commit([(0x100, 0, 0, b"an object", b"that stays")])
    return flash


def dead(flash):
    """No power, no output."""
    with pytest.raises(OSError):
        stream()


def test_a_blank_board_has_no_random_numbers_and_stays_blank():
    flash = Flash(GEOMETRIES[0])
    pal = power_on(flash)
    assert pal.seed_error == "no seed was provisioned"
    for call in (stream, p11crypto.master_new, lambda: p11crypto.ec_generate(1)):
        with pytest.raises(OSError) as error:
            call()
        assert error.value.errno == 5
    assert flash.data.count(255) == len(flash.data)


def test_provisioning_wipes_the_seed_and_brings_the_board_to_life_at_once():
    flash = Flash(GEOMETRIES[0])
    pal = power_on(flash)
    seed = bytearray(FIRST)
    assert nv_seed.provision(pal, seed) == 1
    assert not any(seed) and stream() != stream()
    assert FIRST[:16] not in bytes(flash.data)


def test_a_second_provisioning_mixes_and_never_replaces():
    streams = []
    for second in (FIRST, FIRST, bytes(64)):
        flash = manufactured(GEOMETRIES[0])
        streams.append(boot(flash))
        pal = power_on(flash)
        assert nv_seed.provision(pal, bytearray(second)) == 4
        streams.append(boot(flash))
    assert streams[0] == streams[2] == streams[4]  # the simulation repeats itself
    assert streams[1] == streams[3] != streams[5]


def test_a_seed_of_the_wrong_length_changes_nothing():
    flash = manufactured(GEOMETRIES[0])
    pal = power_on(flash)
    before = bytes(flash.data)
    with pytest.raises(ValueError):
        nv_seed.provision(pal, bytearray(63))
    assert bytes(flash.data) == before


@BOARDS
def test_no_two_of_many_boots_give_the_same_stream_and_no_old_seed_is_left(geometry):
    flash = manufactured(geometry)
    seen, seeds = set(), []
    for number in range(60):
        pal = power_on(flash)
        seen.add(stream())
        generation, seed = nv_seed_read(pal.store)
        assert generation == number + 2
        image = bytes(flash.data)
        assert all(bytes(old[at : at + 8]) not in image for old in seeds for at in (0, 28, 56))
        seeds.append(seed)
    assert len(seen) == 60
    assert flash.erases or geometry.size > 60000
    assert power_on(flash).read(0x100) == (b"an object", b"that stays")


def test_a_chip_with_the_same_flash_image_and_another_identity_gives_another_stream():
    flash = manufactured(GEOMETRIES[0])
    snap = flash.snapshot()
    streams = set()
    for identity in (b"", b"chip 1", b"chip 2"):
        flash.restore(snap)
        p11crypto.test_reset()
        store = Store(flash, nv_seed.store_random(flash))
        store.mount()
        nv_seed_poll(store, identity)
        streams.add(stream())
    assert len(streams) == 3


def cuts(geometry, boots, variants, rng):
    """Yield (what was cut, flash after the cut, streams given before it) of so many boots."""
    flash = manufactured(geometry)
    given = []
    for number in range(boots):
        flash.trace = []
        stream_of_this = boot(flash)
        trace, flash.trace = flash.trace, None
        after = flash.snapshot()
        for at, entry in enumerate(trace):
            for variant in variants:
                flash.tear(entry, variant, rng)
                yield (number, at, VARIANT_NAMES[variant]), flash, given
        flash.restore(after)
        given.append(stream_of_this)


def check(what, flash, given, rng):
    """Two boots after a cut: each has a seed and gives what was never given before."""
    streams = list(given)
    for _ in range(2):
        flash.boot(rng)
        streams.append(boot(flash))
    assert len(set(streams)) == len(streams), what


@BOARDS
def test_a_cut_at_any_operation_of_the_seed_update_repeats_no_stream_and_loses_no_seed(geometry):
    rng = random.Random(repr(geometry))
    variants = VARIANTS + ((FAULTS,) if geometry.more else ())
    runs = 0
    for what, flash, given in cuts(geometry, 2 if geometry.size > 60000 else 7, variants, rng):
        check(what, flash, given, rng)
        runs += 1
    assert runs > 60


@BOARDS
def test_a_second_cut_while_recovering_from_the_first_repeats_no_stream_either(geometry):
    rng = random.Random(2)
    boots = 2 if geometry.size > 60000 else 3
    runs = 0
    for what, flash, given in cuts(geometry, boots, VARIANTS[1:7:2], rng):
        flash.boot(rng)
        flash.trace = []
        boot(flash)
        trace, flash.trace = flash.trace, None
        for entry in rng.sample(trace, min(4, len(trace))):
            flash.tear(entry, rng.choice(VARIANTS), rng)
            check(what, flash, given, rng)
            runs += 1
    assert runs > 60


@BOARDS
def test_nothing_can_be_drawn_while_the_seed_is_being_rewritten(geometry):
    flash = manufactured(geometry)
    operations = []

    def hook(operation, *_):
        operations.append(operation)
        dead(flash)

    flash.hook = hook
    for _ in range(20):
        boot(flash)
    assert len(operations) >= 20 * 4


def failing(flash, at):
    """Let the operation number `at` from now on fail, and all after it."""
    left = [at]

    def hook(*_):
        left[0] -= 1
        return "error" if left[0] < 0 else None

    flash.hook = hook


def test_a_seed_that_cannot_be_rewritten_is_not_used():
    for at in range(200):
        flash = manufactured(GEOMETRIES[0])
        failing(flash, at)
        pal = power_on(flash)
        if pal.seed_error is None:
            break
        dead(flash)
        flash.hook = None
        boot(flash)
    assert 4 < at < 200


def test_a_board_with_a_source_goes_on_without_the_seed_that_cannot_be_rewritten():
    flash = manufactured(GEOMETRIES[0])
    p11crypto.test_no_source(False)
    p11crypto.test_reset()
    store = Store(flash, p11crypto.random)
    store.mount()
    assert nv_seed_poll(store) == 2
    failing(flash, 0)
    with pytest.raises(StoreError):
        nv_seed_poll(store)
    assert stream() != stream()


def test_a_damaged_seed_record_is_no_seed():
    flash = manufactured(GEOMETRIES[0])
    pal = power_on(flash)
    pal.commit([(0x05, 0, pal.SECRET | pal.CRITICAL, b"", b"\x02" + bytes(71))])
    pal = power_on(flash)
    assert pal.seed_error and nv_seed.generation(pal) == 0
    dead(flash)


def test_a_board_with_a_source_keeps_no_seed():
    assert nv_seed.needed()
    p11crypto.test_no_source(False)
    assert not nv_seed.needed()
    pal = Pal(Store(Flash(GEOMETRIES[0]), p11crypto.random))
    pal.mount()
    assert pal.after_mount is None and nv_seed.generation(pal) == 0
