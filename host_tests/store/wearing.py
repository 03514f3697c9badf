# SPDX-License-Identifier: MIT
"""Power cuts on flash that wears out: sectors stop to erase, one after the other."""

import random

from flashtear import FEW, HALF, NOT_STARTED, ROWS
from model import Violation
from runs import Tally, attempt, make_world, moment

from pal.store import Store, StoreError


class Wearing:
    """A hook for the flash: sectors that can no longer be erased, more of them as time goes by."""

    def __init__(self, flash, seed):
        self.rng = random.Random(seed)
        self.flash = flash
        self.bad = set()
        self.flash.hook = self

    def grow(self):
        """One more sector is worn out."""
        self.bad.add(self.rng.randrange(len(self.flash.geometry.sectors)))

    def __call__(self, operation, at, _):
        """An erase of a worn sector fails, and may leave anything behind."""
        if operation != "erase" or at not in self.bad:
            return None
        self.flash.tear_erase(at, self.rng.choice((NOT_STARTED, HALF, FEW, ROWS)), self.rng)
        return "worn"


def refused(world, what):
    """The end of a region that could not be erased, nor had two cells left for CREATE: all zeros."""
    try:
        world.boot()
    except StoreError as error:
        if error.code == StoreError.UNRECOGNISED:
            return
    raise Violation(f"{what}: zeros are served")


def worn_chain(world, tally, what):
    """A call and up to four cuts on a flash that wears out: old or new, nothing else is lost."""
    rng = world.rng
    flash = world.flash
    trace = []
    tally.random += 1
    old = world.model
    call = world.maker.call(old, world.store)
    new = call.new(old, world.store)
    # the one call that power may leave half done: FORMAT.md §7
    whole = call.name == "reset" and world.store.worn
    flash.trace = trace
    try:
        done = call.run(world.store)
    except StoreError as error:
        if error.code not in (StoreError.WORN, StoreError.IO):
            raise
        done = None
    flash.trace = None
    allowed = call.torn(old, new) if done is None else [new if done else old]
    if trace and not whole and rng.random() < 0.7:
        allowed = call.torn(old, new)
        for _ in range(rng.randrange(1, 5)):
            flash.tear(*moment(world, trace), rng)
            tally.cuts += 1
            trace = flash.trace = []
            world.boot()
            flash.trace = None
            if not trace:
                break
        world.boot()
    elif whole and not any(flash.data):
        refused(world, what)
        return
    elif done is None:
        world.boot()
    model = world.check(allowed, what)
    if not world.store.worn:
        world.check_secrets(what)
    world.boot()
    world.check([model], what + ", second boot")


def worn(geometry, seed, chains, store_class=Store, limit=0):
    """Cuts on flashes whose sectors stop to erase, until nothing can be written."""
    tally = Tally()
    number = 0
    while tally.random < chains:
        number += 1
        world = make_world(geometry, 1000 * seed + number, store_class)
        wearing = Wearing(world.flash, seed)
        what = f"{geometry} seed {seed} worn flash {number}"
        for _ in range(world.rng.randrange(20)):
            world.step()
        rest = 6
        while rest and tally.random < chains and any(world.flash.data):
            if world.rng.random() < 0.3:
                wearing.grow()
            if not attempt(tally, what, lambda w=world, what=what: worn_chain(w, tally, what)):
                break
            rest -= world.store.worn
        if limit and len(tally.failures) >= limit:
            break
    return tally
