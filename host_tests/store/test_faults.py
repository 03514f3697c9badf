# SPDX-License-Identifier: MIT
"""Reads that fail or change, operations that fail or do not happen: nothing is lost."""

import random

import pytest
from cutting import Flash, Geometry, at_random, geometries, make_world
from images import populated
from model import Violation, random_filler

from pal.flash import CORRECTED, ZERO_ANY, ZERO_NONE, FlashError
from pal.store import SECRET, Store, StoreError

FAULTY = [g for g in geometries() if g.more.get("read_may_fault")]


@pytest.mark.parametrize("number", range(len(geometries())))
def test_bits_that_change_at_every_read(number):
    tally = at_random(geometries()[number], 41 + number, 60, flicker=True)
    assert tally.failures == []


class Restless(Flash):
    """Bits of a live payload change at each read."""

    def read(self, offset, buf):
        result = super().read(offset, buf)
        for at, mask in self.restless.items():
            if offset <= at < offset + len(buf):
                buf[at - offset] ^= self.noise.getrandbits(8) & mask
        return result

    restless = {}
    noise = random.Random(1)


def restless_store(store_class):
    """A store one of whose live payloads has two bits that read differently each time."""
    flash = Restless(Geometry(1, 1024, 4, ZERO_ANY, 16))
    store = store_class(flash, random_filler(random.Random(1)))
    store.mount()
    store.commit([(0x100, 0, 0, b"", b"unchanging" * 5), (0x101, 0, 0, b"", b"other" * 9)])
    e = store.entry(0x100)
    at = 1024 * (store.index.a[e + 2] & 0xFF) + 16 * (store.index.a[e + 1] + 2)
    flash.restless = {at: 0x10, at + 3: 0x02}
    return flash, store


def moved_about(store_class):
    """Read and move the restless record; returns how often it could be read."""
    flash, store = restless_store(store_class)
    good = 0
    for i in range(400):
        if i % 3 == 0:
            store.attempt(0)
        if i % 40 == 39:
            store.mount()
        try:
            assert store.read(0x100)[1] == b"unchanging" * 5
            good += 1
        except StoreError as error:
            assert error.code == StoreError.DAMAGED
        assert store.read(0x101)[1] == b"other" * 9
    return good


def test_a_record_that_reads_differently_each_time_is_never_served_wrong():
    moved_about(Store)
    flash, store = restless_store(Store)
    good = 0
    for _ in range(200):
        try:
            assert store.read(0x100)[1] == b"unchanging" * 5
            good += 1
        except StoreError:
            pass
    assert good  # a read that fails once may succeed later


class JudgedAndReadAgain(Store):
    """What was checked is not what is used."""

    def fetch(self, e):
        buf, good = super().fetch(e)
        a = self.index.a
        self.device.read(self.base[a[e + 2] & 0xFF] + a[e + 1] * self.z, buf)
        return buf, good


def test_without_one_read_one_decision_wrong_data_is_served():
    with pytest.raises(AssertionError):
        moved_about(JudgedAndReadAgain)


class Passing(Flash):
    """Units fault on a read now and then, and are fine at the next."""

    rate = 0.0
    luck = random.Random(5)

    def read(self, offset, buf):
        result = super().read(offset, buf)
        if self.luck.random() < self.rate:
            at = self.luck.randrange(len(buf))
            at -= at % self.cell
            buf[at : at + self.cell] = b"\x5a" * len(buf[at : at + self.cell])
            return result | 2
        return result


@pytest.mark.parametrize("geometry", FAULTY[:4], ids=repr)
def test_passing_read_faults_in_calls_are_read_again(geometry):
    world = make_world(geometry, 7)
    flash = world.flash
    for _ in range(60):
        world.step()
    flash.__class__ = Passing
    flash.rate = 0.05
    for _ in range(200):
        world.step()
    flash.rate = 0.0
    world.check([world.model])
    world.boot()
    world.check([world.model])


@pytest.mark.parametrize("geometry", FAULTY, ids=repr)
def test_a_read_that_needed_correction_has_its_sector_renewed(geometry):
    world = populated(Geometry(*geometry.key[:1], 2048, *geometry.key[2:5], read_may_fault=True))

    class Correcting(Flash):
        tired = 0

        def read(self, offset, buf):
            result = super().read(offset, buf)
            if offset <= self.tired < offset + len(buf):
                return result | CORRECTED
            return result

        def erase(self, sector):
            super().erase(sector)
            start, size = self.geometry.sectors[sector]
            if start <= self.tired < start + size:
                self.tired = -1

    flash = world.flash
    flash.__class__ = Correcting
    flash.tired = flash.geometry.sectors[world.store.active][0] + 200
    world.boot()
    assert flash.tired == -1
    world.check([world.model])


def unlucky(geometry, seed, kind, chance):
    """Operations that report an error, do not happen, or stop half-way; the power stays on."""
    world = make_world(geometry, seed)
    rng = random.Random(seed)
    flash = world.flash
    for _ in range(120):
        old = world.model
        try:
            call = world.maker.call(old, world.store)
            new = call.new(old, world.store)
            flash.hook = lambda *_: kind if rng.random() < chance else None
            done = call.run(world.store)
        except StoreError as error:
            flash.hook = None
            assert error.code in (StoreError.IO, StoreError.WORN), error
            world.recover(call.torn(old, new), f"{geometry} {seed} {call} {kind}")
            continue
        flash.hook = None
        world.model = new if done else old
        world.check([world.model])
    world.boot()
    world.check([world.model])


@pytest.mark.parametrize("kind", ["error", "silent"])
@pytest.mark.parametrize("number", range(len(geometries())))
def test_operations_that_fail_leave_old_or_new(number, kind):
    for seed in range(3):
        unlucky(geometries()[number], seed, kind, 0.03)


def test_every_single_operation_of_a_call_may_fail():
    for number in (0, 6, 10, 15, 17):
        geometry = geometries()[number]
        world = make_world(geometry, 3)
        for _ in range(25):
            trace = []
            before = world.flash.snapshot()
            call, old, new = world.step(None, trace)
            after = world.flash.snapshot()
            for k in range(len(trace)):
                world.flash.restore(before)
                world.model = old
                world.boot()
                left = [k]

                def fail_at(*_, left=left):
                    left[0] -= 1
                    return "error" if left[0] < 0 and left[0] > -2 else None

                world.flash.hook = fail_at
                try:
                    call.run(world.store)
                    world.flash.hook = None
                    world.check([new])  # a failed erase or fence was made good
                except StoreError:
                    world.flash.hook = None
                    world.recover(call.torn(old, new), f"{call} fails at {k}")
            world.flash.restore(after)
            world.model = new
            world.boot()


def test_supply_that_fails_for_good_leaves_a_store_that_can_be_read():
    world = populated(Geometry(16, 1024, 5, ZERO_NONE, 16))
    world.flash.hook = lambda *_: "error"
    for _ in range(3):
        with pytest.raises(StoreError):
            world.store.commit([(0x200, 0, SECRET, b"", b"x" * 30)])
    world.flash.hook = None
    world.recover([world.model], "after the supply came back")


def test_a_device_that_does_not_verify_is_found_out_by_the_simulator():
    flash = Flash(Geometry(1, 1024, 3, ZERO_ANY))
    flash.data[0] = 0
    with pytest.raises(FlashError):
        flash.program(0, b"\x55" * 16)
    assert issubclass(Violation, AssertionError)
