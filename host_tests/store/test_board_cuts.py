# SPDX-License-Identifier: MIT
"""Power cuts on the emulated board, with the real driver: at flash write n, and at any moment.

`make soak` cuts at each flash write of the calls; `make test` at SAMPLE writes of each call,
evenly spread, the last included, and pulls the plug KILLS times.
"""

import random
import time
from pathlib import Path

import pytest
from cut_board import LOOK, PRELUDE, SECRETS, STRETCHED, Chip, View, scalar, windows_in
from factory import built
from qemu_machine import BUILD

from p11board import flashmap
from p11board.emulator import IN_ORDER, Emulator

pytestmark = [pytest.mark.emulated, pytest.mark.long]

SAMPLE = 3
KILLS = 12
KILLS_SOAK = 200
SCALARS = [scalar(1), scalar(2)]
POINTS = [point for _, point in SCALARS]


def importing(which, **more):
    """The request that imports one of SCALARS."""
    fields = {"pin": "0000", "label": "imported", "class": "private key", **more}
    return f"'import', value={SCALARS[which][0]!r}, **{fields!r}"


CALLS = {
    "keygen": "'keygen', pin='0000', label='pair'",
    "replace pair": "'keygen', pin='0000', label='pair', replace=True",
    "import": importing(0),
    "replace": importing(1, replace=True),
    "destroy": "'destroy', pin='0000', label='imported'",
    "destroy pair": "'destroy', pin='0000', label='pair'",
    "PIN change": f"'set_pin', pin='0000', new_pin={STRETCHED!r}",
}


class Story:
    """The calls one after the other: region, view and secrets before and after each."""

    def __init__(self, folder):
        self.chip = Chip(folder)
        printed = self.chip.run(
            PRELUDE
            + "do('keygen', pin='0000', label='other')\n"
            + "do('import', pin='0000', label='other data', value='5a' * 500, **{'class': 'data'})"
        )
        assert '"error"' not in printed, printed
        self.regions = [self.chip.region]
        self.views = [self.look()]
        self.secrets = [self.payloads()]
        self.writes = {}
        for name, call in CALLS.items():
            self.chip.region = self.regions[-1]
            printed, self.writes[name] = self.chip.count(f"{PRELUDE}do({call})")
            assert '"error"' not in printed, (name, printed)
            self.regions.append(self.chip.region)
            self.views.append(self.look())
            self.secrets.append(self.payloads())

    def look(self):
        """What a board booted on the chip shows now."""
        return View(self.chip.run(LOOK), POINTS)

    def payloads(self):
        """The secret payloads in the chip, sealed as they are."""
        return dict(eval(self.chip.run(SECRETS)))


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    """The uninterrupted calls."""
    built()
    made = Story(tmp_path_factory.mktemp("cuts"))
    yield made
    made.chip.path.unlink()


def points(count, everything):
    """The numbers of flash writes to let pass before a cut."""
    if everything or count <= SAMPLE:
        return range(count)
    return [1 + i * (count - 2) // (SAMPLE - 1) for i in range(SAMPLE)]


def check_quiet(view):
    """Nothing is damaged, everything that was there before all calls is unchanged."""
    assert not view.damaged and not view.read_only
    assert len(view.only("other")) == 2 and len({each[2] for each in view.only("other")}) == 1
    assert view.only("other data") == [("data", "other data", "5a" * 500)]
    assert "nobody's" not in [each[2] for each in view.objects]


def check_no_scalar(flash):
    """No 8 bytes of an imported scalar are anywhere in the flash."""
    for secret, _ in SCALARS:
        assert not windows_in(bytes.fromhex(secret), flash)


def test_the_calls_do_what_they_say_and_write_to_the_key_region_only(story):
    for view in story.views:
        check_quiet(view)
    assert [len(view.objects) for view in story.views] == [3, 5, 5, 6, 6, 5, 3, 3]
    assert [each[2] for view in story.views for each in view.only("imported")] == POINTS
    assert [view.pin for view in story.views] == ["0000"] * 7 + [STRETCHED]
    for offsets in story.writes.values():
        assert len(offsets) > 5
        for offset in offsets:
            assert flashmap.KEYS.offset <= offset < flashmap.KEYS.offset + flashmap.KEYS.size


@pytest.mark.parametrize("name", CALLS)
def test_a_cut_at_a_flash_write_leaves_the_old_state_or_the_new(story, name, request):
    at = list(CALLS).index(name)
    old, new = story.views[at], story.views[at + 1]
    chip = story.chip
    everything = request.config.getoption("--soak")
    outcomes = set()
    for writes in points(len(story.writes[name]), everything):
        chip.region = story.regions[at]
        chip.run(f"{PRELUDE}do({CALLS[name]})", writes)
        cut = chip.region
        view = story.look()
        check_quiet(view)
        outcome = judge(view, old, new, name)
        assert outcome, (name, writes, view.objects)
        outcomes.add(outcome)
        check_no_scalar(cut)
        check_no_scalar(chip.path.read_bytes())
        if outcome == "new":
            check_dead(story, at, chip.region)
        if everything:
            assert story.look().objects == view.objects, "the answer changed at the next boot"
    assert "old" in outcomes


def judge(view, old, new, name):
    """Which state this is: "old", "new", or None: neither."""
    assert view.only("other") == old.only("other")
    if view.objects == old.objects and view.pin == old.pin:
        return "old"
    if view.pin != new.pin:
        return None
    if view.objects == new.objects:
        return "new"
    if name in ("keygen", "replace pair") and view.labels() == new.labels():
        pairs = {each[2] for each in view.only("pair")}  # random: not those of the story
        return "new" if len(pairs) == 1 and not pairs & {e[2] for e in old.objects} else None
    return None


def check_dead(story, at, flash):
    """What the call superseded or destroyed is gone from the flash, the sealed form, too."""
    before, after = story.secrets[at], story.secrets[at + 1]
    dead = [payload for payload in before.values() if payload not in after.values()]
    for payload in dead:
        assert not windows_in(payload, flash)


def test_the_secrets_that_have_to_die_are_found_while_they_live(story):
    """The searches above would see them: these calls supersede a secret."""
    for at, name in enumerate(CALLS):
        before, after = story.secrets[at], story.secrets[at + 1]
        dead = [payload for payload in before.values() if payload not in after.values()]
        assert len(dead) == (name not in ("keygen", "import"))
        for payload in dead:
            assert len(windows_in(payload, story.regions[at])) == len(payload) - 7
            assert not windows_in(payload, story.regions[at + 1])


ROUNDS = 40
MOST = 12  # calls that return before the plug is pulled
LAG = 4  # calls whose writes QEMU may not yet have carried out when they return
# Three calls a round, and a character after each: a pair made, the last one gone, a key replaced.
LOOP = f"""
print("begin")
for n in range({ROUNDS}):
    ask('keygen', pin='0000', label='pair %d' % n)
    print("+")
    if n:
        ask('destroy', pin='0000', label='pair %d' % (n - 1))
    print("+")
    if n & 1:
        ask({importing(0, replace=True)})
    else:
        ask({importing(1, replace=True)})
    print("+")
"""


def expected(calls):
    """The objects of the loop after so many of its calls: (class, label, point or None)."""
    rounds, rest = divmod(calls, 3)
    objects = set()
    for number in ([rounds - 1] if rounds and rest < 2 else []) + ([rounds] if rest else []):
        objects |= {(kind, f"pair {number}", None) for kind in ("public key", "private key")}
    if rounds:
        objects.add(("private key", "imported", POINTS[rounds & 1]))
    return objects


def killed(chip, rng):
    """Run the loop, kill -9 in the middle of one of its calls. Returns how many had returned."""
    board = chip.power()
    try:
        board.send(b"\x03\x03\x01")
        board.until(b"raw REPL; CTRL-B to exit\r\n>")
        board.send((PRELUDE + LOOP).encode() + b"\x04")
        board.until(b"begin\r\n")
        board.line.settimeout(60)
        start = time.monotonic()
        wanted = rng.randrange(MOST)
        seen = b""
        while seen.count(b"+") < wanted:
            seen += board.line.recv(4096)
        time.sleep(rng.random() * (time.monotonic() - start) / max(1, wanted))
        board.process.kill()
        board.process.wait()
        try:
            while data := board.line.recv(4096):
                seen += data
        except ConnectionResetError:
            pass
        return seen.count(b"+")
    finally:
        board.kill()


def test_kill_9_at_random_moments_leaves_the_old_state_or_the_new(story, request):
    chip = story.chip
    rng = random.Random(9)
    calls = set()
    for _ in range(KILLS_SOAK if request.config.getoption("--soak") else KILLS):
        chip.region = story.regions[0]
        done = killed(chip, rng)
        calls.add(done)
        check_no_scalar(chip.region)
        view = story.look()
        check_quiet(view)
        mine = [each for each in view.objects if not each[1].startswith("other")]
        seen = {(kind, label, None if "pair" in label else p) for kind, label, p in mine}
        assert len(seen) == len(mine)
        states = [expected(count) for count in range(max(0, done - LAG), done + 2)]
        assert seen in states, (done, seen)
        check_no_scalar(chip.region)
    assert len(calls) > 2, "the plug was always pulled at the same call"


def test_p11boards_emulator_writes_in_order_too(story, tmp_path):
    """So that `p11board emulate kill` is a power cut and not a shuffle of the last writes."""
    emulator = Emulator(tmp_path)
    emulator.create_flash()
    emulator.program((BUILD / "firmware.p11a").read_bytes())
    emulator.start(BUILD / "loader.elf")
    try:
        command = Path(f"/proc/{emulator.status()['pid']}/cmdline").read_bytes()
        assert "\0".join(IN_ORDER).encode() in command
    finally:
        emulator.kill()
