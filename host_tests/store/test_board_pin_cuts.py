# SPDX-License-Identifier: MIT
"""Power cuts at flash write n of every call about PINs, on the emulated board.

`make soak` cuts at each write of each call, `make test` in the middle of each and before its last
write. After a cut the old PINs open the token or the new ones do, and a PIN that was
compared was counted.
"""

import random

import pytest
from cut_board import Chip
from factory import built
from pin_programs import KEYGEN, LOOK, SO_PIN, WATCH, State, comparisons

from p11board.flashmap import KEYS

pytestmark = [pytest.mark.emulated, pytest.mark.long]

LIMIT = 3
CHAINS_SOAK = 10
SO = f"session(CKU_SO, b'{SO_PIN}')"
INIT = f"start(); app.C_InitToken(1, bytearray(b'{SO_PIN}'), b'mine')"

# The calls in the order of one token's life: each begins where the one before it ended.
CALLS = {
    "C_InitToken of a blank token": INIT,
    "C_InitPIN": f"start(); app.C_InitPIN({SO}, bytearray(b'1111'))",
    "C_SetPIN": "start(); s = session(CKU_USER, b'1111')\n"
    "app.C_SetPIN(s, bytearray(b'1111'), bytearray(b'2468'))",
    "C_Login with the right PIN": "start(); print('login', attempt(CKU_USER, b'2468'))",
    "C_Login with a wrong PIN": "start(); print('login', attempt(CKU_USER, b'9999'))",
    "C_InitToken of a used token": INIT,
}
WRONG = "C_Login with a wrong PIN"


class Story:
    """The calls without a cut: the key region before and after each, what a boot then shows."""

    def __init__(self, folder):
        self.chip = Chip(folder)
        self.chip.run("import os")  # makes the file system
        blank = self.chip.region
        self.before, self.old, self.new, self.writes, self.printed = {}, {}, {}, {}, {}
        state = self.look()
        self.chip.region = blank
        for name, call in CALLS.items():
            self.before[name], self.old[name] = self.chip.region, state
            self.printed[name], offsets = self.chip.count(WATCH + call + "\nprint('all', writes)")
            assert offsets and KEYS.offset <= min(offsets) and max(offsets) < KEYS.end
            self.writes[name] = len(offsets)
            after = self.chip.region
            state = self.new[name] = self.look()
            self.chip.region = after
            if name == "C_InitPIN":
                self.chip.run(WATCH + "start()" + KEYGEN)
                after = self.chip.region
                state = self.look()
                self.chip.region = after

    def look(self):
        """What a board booted on the chip shows; this changes the chip."""
        return State(self.chip.run(LOOK))


@pytest.fixture(scope="module")
def story(tmp_path_factory):
    built()
    made = Story(tmp_path_factory.mktemp("pin_cuts"))
    yield made
    made.chip.path.unlink()


def test_the_calls_do_what_they_say_and_the_board_counts_its_writes_right(story):
    user, so = (1, b"2468"), (0, SO_PIN.encode())
    opens = [state.opens for state in story.new.values()]
    assert opens == [[so], [(1, b"1111"), so], [user, so], [user, so], [user, so], [so]]
    assert story.old["C_InitToken of a blank token"].opens == [(1, b"0000")]
    for name in CALLS:
        assert f"all {story.writes[name]}\r\n" in story.printed[name]
    keys = [len(state.keys) for state in story.old.values()]
    assert keys == [0, 0, 2, 2, 2, 2] and "nobody's" not in story.old["C_SetPIN"].keys
    assert story.new[WRONG].fails == [1, 0]


def points(count, everything):
    """The numbers of flash writes to let pass before a cut."""
    return range(count) if everything else (count // 2, count - 1)


@pytest.mark.parametrize("name", CALLS)
def test_a_cut_leaves_the_old_pins_or_the_new_and_counts_what_was_compared(story, name, request):
    chip, old, new = story.chip, story.old[name], story.new[name]
    soak = request.config.getoption("--soak")
    for writes in points(story.writes[name], soak):
        chip.region = story.before[name]
        printed = chip.run(WATCH + CALLS[name], writes)
        state = story.look()
        assert state in (old, new), (writes, vars(state))
        if soak:
            assert story.look() == state, writes
        if name == WRONG:
            assert state.fails[0] >= comparisons(printed, writes)
            assert comparisons(printed) == 1
        if writes == 0:
            assert state == old


def limited(chip):
    """A new token whose user is locked after LIMIT wrong PINs."""
    chip.region = b"\xff" * KEYS.size
    chip.run(WATCH + f"token.settings.limits = ({LIMIT}, {LIMIT})\nstart().create()")


# What many tokens do: compare, then count.
LATE = """
def check(self, role, pin):
    _, _, iterations, salt, blob = self._read_wrap(role)
    slot = keyring.p11crypto.master_unwrap(pin, salt, iterations, self._aad(role), blob)
    self.pal.attempt(role)
    raise P11Error(CKR_PIN_INCORRECT)
keyring.Keyring.check = check
"""


def test_a_token_that_counts_after_it_compares_is_caught(story):
    chip = story.chip
    limited(chip)
    guess = WATCH + LATE + "start(); attempt(CKU_USER, b'9999')"
    assert sum(comparisons(chip.run(guess, 0), 0) for _ in range(LIMIT + 1)) > LIMIT


def test_no_sequence_of_cuts_gives_more_comparisons_than_the_limit(story, request):
    """Somebody tries wrong PINs and pulls the plug at a random flash write of each try."""
    chip = story.chip
    rng = random.Random(4)
    cut_short = 0
    guess = WATCH + "start(); print('login', hex(attempt(CKU_USER, b'9999')))"
    right = WATCH + "start(); print('login', hex(attempt(CKU_USER, b'0000')))"
    limited(chip)
    blank = chip.region
    whole = chip.count(guess)[1]
    for _ in range(CHAINS_SOAK if request.config.getoption("--soak") else 1):
        chip.region = blank
        compared = 0
        for _ in range(40):
            writes = rng.randrange(len(whole) + 1)
            printed = chip.run(guess, writes)
            compared += comparisons(printed, writes)
            cut_short += writes < len(whole)
            if "login 0xa4" in printed:  # CKR_PIN_LOCKED
                break
        assert compared <= LIMIT and "login 0xa4" in printed
        printed = chip.run(right)
        assert "login 0xa4" in printed and not comparisons(printed)
    assert cut_short
