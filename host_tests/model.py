# SPDX-License-Identifier: MIT
"""The plain model of the store and the oracle that compares the two (facts §4.2.2).

A model is what a caller may expect: a dict of objects, failures per PIN role, counters. The oracle:
after a cut the store shows the old or the new model and never a mixture; the same one at every
later boot; no 8-byte window of a dead secret is left in the flash; a mount with nothing to repair
programs and erases nothing.
"""

import re

from pal.store import CRITICAL, SECRET, Store, StoreError

# Secrets of the tests use 64 byte values that nothing else strings together.
SECRET_BYTES = bytes(range(0x80, 0xC0))
PLAIN_BYTES = bytes(range(0x20, 0x7F))
SUSPECT = re.compile(rb"[\x80-\xbf]{8,}")
WINDOW = 8


class Violation(AssertionError):
    """The store broke its promise."""


class Model:
    """State that a caller sees."""

    __slots__ = ("objects", "fails", "counters")

    def __init__(self):
        self.objects = {}  # id: (kind, flags, label, data)
        self.fails = [frozenset((0,)), frozenset((0,))]  # allowed values per role
        self.counters = [0, 0]

    def copy(self):
        """An independent copy."""
        other = Model()
        other.objects = dict(self.objects)
        other.fails = list(self.fails)
        other.counters = list(self.counters)
        return other

    def same(self, seen):
        """True when `seen` (see `observe`) is this state."""
        objects, fails, counters = seen
        return (
            objects == self.objects
            and counters == self.counters
            and fails[0] in self.fails[0]
            and fails[1] in self.fails[1]
        )

    def windows(self):
        """Every 8-byte window of the live secrets."""
        found = set()
        for _, flags, _, data in self.objects.values():
            if flags & SECRET:
                for i in range(len(data) - WINDOW + 1):
                    found.add(data[i : i + WINDOW])
        return found


class Secrets:
    """All secrets ever made in a world, by their windows."""

    def __init__(self):
        self.known = set()

    def make(self, rng, size):
        """A fresh secret."""
        data = bytes(rng.choices(SECRET_BYTES, k=size))
        for i in range(size - WINDOW + 1):
            self.known.add(data[i : i + WINDOW])
        return data

    def left_over(self, data, model):
        """A window of a dead secret found in the flash bytes, or None."""
        live = None
        for match in SUSPECT.finditer(data):
            run = match.group()
            for i in range(len(run) - WINDOW + 1):
                window = run[i : i + WINDOW]
                if window in self.known:
                    if live is None:
                        live = model.windows()
                    if window not in live:
                        return match.start() + i
        return None


def observe(store):
    """What a caller sees: (objects, failures, counters)."""
    objects = {}
    for oid in store.ids():
        kind, flags, _, _ = store.info(oid)
        label, data = store.read(oid)
        objects[oid] = (kind, flags, label, bytes(data))
    fails = (store.fails(0), store.fails(1))
    return objects, fails, [store.value(2), store.value(3)]


class Call:
    """One call that writes, and what it does to the model."""

    __slots__ = ("name", "puts", "deletes", "slot")

    def __init__(self, name, puts=(), deletes=(), slot=0):
        self.name = name
        self.puts = puts
        self.deletes = deletes
        self.slot = slot

    def run(self, store):
        """Do it. Returns False when the store was full: nothing happened."""
        name = self.name
        try:
            if name == "attempt":
                store.attempt(self.slot)
            elif name == "success":
                store.success(self.slot)
            elif name == "advance":
                store.advance(self.slot)
            elif name == "reset":
                store.factory_reset()
            elif name == "mount":
                store.mount()
            else:
                store.commit(self.puts, self.deletes)
        except StoreError as error:
            if error.code in (StoreError.FULL, StoreError.TOO_BIG):
                return False
            raise
        return True

    def new(self, model, store):
        """The model after this call; `store` is asked for uncertain failures before it."""
        name = self.name
        after = model.copy()
        if name == "attempt":
            after.fails[self.slot] = frozenset((store.fails(self.slot) + 1,))
        elif name == "success":
            after.fails[self.slot] = frozenset((0,))
        elif name == "advance":
            after.counters[self.slot - 2] += 1
        elif name == "reset":
            return Model()
        else:
            for oid, kind, flags, label, data in self.puts:
                after.objects[oid] = (kind, flags, label, data)
            for oid in self.deletes:
                del after.objects[oid]
        return after

    def torn(self, old, new):
        """Models allowed after a cut: [old, new]. A torn attempt may count or not for a while."""
        if self.name == "attempt":
            both = old.copy()
            both.fails[self.slot] = old.fails[self.slot] | new.fails[self.slot]
            return [both]
        return [old, new]

    def __repr__(self):
        return f"{self.name}{[p[0] for p in self.puts]}{list(self.deletes)}"


class Maker:
    """Makes random calls that fit a geometry."""

    def __init__(self, rng, secrets, room):
        self.rng = rng
        self.secrets = secrets
        self.room = room  # cells that one transaction may take
        self.most = 6  # objects
        self.chains = False
        self.resets = False

    def text(self, most):
        """Plain bytes."""
        return bytes(self.rng.choices(PLAIN_BYTES, k=self.rng.randrange(most + 1)))

    def put(self, oid, flags, most):
        """A put with fresh content."""
        rng = self.rng
        if flags & SECRET:
            data = self.secrets.make(rng, rng.randrange(8, max(9, most)))
        elif rng.random() < 0.08:
            data = b"\xff" * rng.randrange(most)
        else:
            data = self.text(most)
        return (oid, rng.randrange(5), flags, self.text(6), data)

    def call(self, model, store):
        """A random call that is allowed in the state of `model`."""
        rng = self.rng
        most = 16 * max(1, min(4, (self.room - 6) // 3))
        ids = [oid for oid in model.objects if oid >= 0x100]
        dice = rng.random()
        if dice < 0.22:
            if len(ids) < self.most:
                oid = store.new_id()
                return Call("create", (self.put(oid, rng.choice((0, SECRET)), most),))
        if dice < 0.30 and len(ids) < self.most - 1:
            oid = store.new_id()
            pair = (self.put(oid, SECRET, most // 2), self.put(oid + 1, 0, most // 2))
            return Call("pair", pair)
        if dice < 0.42 and ids:
            oid = rng.choice(ids)
            return Call("replace", (self.put(oid, model.objects[oid][1], most),))
        if dice < 0.46 and ids:
            oid = rng.choice(ids)
            kind, flags, _, data = model.objects[oid]
            return Call("relabel", ((oid, kind, flags, self.text(6), data),))
        if dice < 0.62 and ids:
            return Call("delete", (), (rng.choice(ids),))
        if dice < 0.66 and len(ids) > 1:
            return Call("swap", (self.put(ids[0], SECRET, most // 2),), (ids[1],))
        if dice < 0.78:
            return Call("attempt", slot=rng.randrange(2))
        if dice < 0.86:
            return Call("success", slot=rng.randrange(2))
        if dice < 0.89:
            return Call("advance", slot=rng.randrange(2, 4))
        if dice < 0.95 and self.room > 12:
            oid = rng.choice((1, 2, 3, 5))
            flags = CRITICAL | (0 if oid == 1 else SECRET)
            return Call("critical", (self.put(oid, flags, 28),))
        if dice < 0.97 and self.chains:
            size = rng.randrange(self.room * 16, self.room * 24)
            oid = store.new_id()
            flags = rng.choice((0, SECRET))
            if len(ids) >= self.most:
                oid = rng.choice(ids)
                flags = model.objects[oid][1]
            data = self.secrets.make(rng, size) if flags else self.text(size)
            return Call("chain", ((oid, 1, flags, b"long", data),))
        if dice < 0.975 and self.resets:
            return Call("reset")
        return Call("attempt", slot=0)


def random_filler(rng):
    """The random(buf) that a store is given."""

    def fill(buf):
        buf[:] = rng.randbytes(len(buf))

    return fill


class World:
    """A flash, a store on it and the model of what it holds."""

    def __init__(self, geometry, flash_class, rng, store_class=Store, **flash_options):
        self.rng = rng
        self.geometry = geometry
        self.flash = flash_class(geometry, **flash_options)
        self.store_class = store_class
        self.secrets = Secrets()
        self.model = Model()
        self.store = None
        store = store_class(self.flash, random_filler(rng))
        room = store.cells - store.body - store.keep_put
        self.maker = Maker(rng, self.secrets, room)
        self.maker.most = max(2, min(8, (geometry.size // 16 - 16) // 30))
        self.boot()

    def boot(self):
        """Power on and mount."""
        self.flash.boot(self.rng)
        self.store = self.store_class(self.flash, random_filler(self.rng))
        self.store.mount()
        return self.store

    def step(self, call=None, trace=None):
        """Do one call, not interrupted. Returns (call, old model, new model)."""
        old = self.model
        call = call or self.maker.call(old, self.store)
        new = call.new(old, self.store)
        self.flash.trace = trace
        try:
            if not call.run(self.store):
                new = old
        finally:
            self.flash.trace = None
        self.model = new
        return call, old, new

    def check(self, allowed, what=""):
        """Compare the store with the allowed models; returns the one it shows."""
        try:
            seen = observe(self.store)
        except StoreError as error:
            raise Violation(f"{what}: reading fails: {error}") from error
        for model in allowed:
            if model.same(seen):
                self.model = model
                return model
        raise Violation(f"{what}: {describe(seen, allowed)}")

    def check_secrets(self, what=""):
        """No window of a dead secret is in the flash."""
        at = self.secrets.left_over(self.flash.data, self.model)
        if at is not None:
            raise Violation(f"{what}: dead secret at byte {at}")

    def recover(self, allowed, what=""):
        """Boot after a cut, check, boot again, check that the answer stays."""
        try:
            self.boot()
        except StoreError as error:
            raise Violation(f"{what}: mount fails: {error}") from error
        model = self.check(allowed, what)
        self.check_secrets(what)
        self.again([model], what)
        return model

    def again(self, allowed, what):
        """One more boot: nothing to repair unless a bit has no value of its own."""
        flash = self.flash
        flash.protected = not flash.weak and not flash.faulty
        try:
            self.boot()
        except StoreError as error:
            raise Violation(f"{what}: second mount fails: {error}") from error
        finally:
            flash.protected = False
        self.check(allowed, what + ", second boot")

    def go_on(self, steps, what=""):
        """Further operations work; then everything is as the model says."""
        for _ in range(steps):
            self.step()
        self.check([self.model], what + ", further operations")
        self.check_secrets(what + ", further operations")
        self.again([self.model], what + ", third boot")


def describe(seen, allowed):
    """A short account of a mismatch."""
    objects, fails, counters = seen
    lines = []
    for model in allowed:
        wrong = {
            oid
            for oid in set(objects) | set(model.objects)
            if objects.get(oid) != model.objects.get(oid)
        }
        lines.append(
            f"objects {sorted(wrong)} of {sorted(model.objects)} differ (seen {sorted(objects)}), "
            f"fails {fails} want {[sorted(f) for f in model.fails]}, "
            f"counters {counters} want {model.counters}"
        )
    return " | ".join(lines)
