# SPDX-License-Identifier: MIT
"""Hypothesis drives the store and a dict in lock step, over all geometries, with cuts."""

import random

from cutting import Flash, geometries, variants
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from model import Call, World

from pal.store import CRITICAL, SECRET


class StoreMachine(RuleBasedStateMachine):
    """Calls, reboots and power cuts in any order."""

    @initialize(number=st.integers(0, len(geometries()) - 1), seed=st.integers(0, 1 << 16))
    def start(self, number, seed):
        self.world = World(geometries()[number], Flash, random.Random(seed))

    def do(self, call, cut):
        """Do a call; cut: None, or (operation, variant) to fail power at."""
        world = self.world
        trace = []
        call, old, new = world.step(call, trace if cut else None)
        if cut and trace:
            choice = variants(world.geometry)
            world.flash.tear(trace[cut[0] % len(trace)], choice[cut[1] % len(choice)], world.rng)
            world.recover(call.torn(old, new), repr(call))

    cuts = st.none() | st.tuples(st.integers(0, 60), st.integers(0, 8))

    @rule(oid=st.integers(0x100, 0x105), secret=st.booleans(), size=st.integers(0, 40), cut=cuts)
    def put(self, oid, secret, size, cut):
        world = self.world
        old = world.model.objects.get(oid)
        flags = old[1] if old else SECRET * secret
        size = min(size, 16 * max(1, (world.maker.room - 6) // 3))
        data = world.secrets.make(world.rng, size) if flags else world.maker.text(size)
        self.do(Call("put", ((oid, 1, flags, world.maker.text(5), data),)), cut)

    @rule(oid=st.integers(0x100, 0x105), cut=cuts)
    def delete(self, oid, cut):
        if oid in self.world.model.objects:
            self.do(Call("delete", (), (oid,)), cut)

    @rule(oid=st.sampled_from((1, 2, 3, 5)), cut=cuts)
    def critical(self, oid, cut):
        if self.world.maker.room > 12:
            flags = CRITICAL | (SECRET if oid > 1 else 0)
            self.do(Call("critical", (self.world.maker.put(oid, flags, 24),)), cut)

    @rule(slot=st.integers(0, 1), cut=cuts)
    def attempt(self, slot, cut):
        self.do(Call("attempt", slot=slot), cut)

    @rule(slot=st.integers(0, 1), cut=cuts)
    def success(self, slot, cut):
        self.do(Call("success", slot=slot), cut)

    @rule(slot=st.integers(2, 3), cut=cuts)
    def advance(self, slot, cut):
        self.do(Call("advance", slot=slot), cut)

    @rule(cut=cuts)
    def reset(self, cut):
        self.do(Call("reset"), cut)

    @rule()
    def reboot(self):
        self.world.again([self.world.model], "reboot")

    @invariant()
    def agrees(self):
        if hasattr(self, "world"):
            self.world.check([self.world.model])
            self.world.check_secrets()


TestStore = StoreMachine.TestCase
TestStore.settings = settings(
    max_examples=120,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
