# SPDX-License-Identifier: MIT
"""PINs through a pinentry: the real one in a terminal of its own, and programs that misbehave."""

import os
import pty
import select
import shutil
import sys
import threading
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from p11board import pinentry
from p11board.errors import Problem, UsageProblem
from p11board.fields import Fields
from p11board.pinentry import Cancelled, Pinentry
from p11board.pins import Pins

FAKE = """#!{python}
import sys
answers = {answers!r}
heard = open({heard!r}, "ab")
def say(text):
    sys.stdout.buffer.write(text)
    sys.stdout.buffer.flush()
say(answers.get("", b"OK hello\\n"))
for line in sys.stdin.buffer:
    heard.write(line)
    heard.flush()
    if line == b"BYE\\n":
        break
    say(answers.get(line.split()[0].decode(), b"OK\\n"))
"""


@pytest.fixture
def fake(tmp_path):
    """fake({"GETPIN": b"D 1234\\nOK\\n"}): path of a pinentry that answers so."""

    def make(answers):
        path = tmp_path / "pinentry-fake"
        text = FAKE.format(python=sys.executable, answers=answers, heard=str(tmp_path / "heard"))
        path.write_text(text)
        path.chmod(0o755)
        return str(path)

    make.heard = lambda: (tmp_path / "heard").read_text()
    return make


def ask(program, **how):
    with Pinentry(program) as dialog:
        return dialog.ask("User PIN", **how)


def test_a_pin_is_asked_for_and_unescaped(fake):
    program = fake({"GETPIN": b"# a remark\nS PASSWORD_FROM_CACHE\nD 12%25%0A\nD 34%2x\nOK\n"})
    assert ask(program, description="of board 100%\nnumber 2") == b"12%\n34%2x"
    heard = fake.heard()
    assert "SETDESC of board 100%25%0Anumber 2\n" in heard and "SETPROMPT User PIN\n" in heard
    assert heard.endswith("GETPIN\nBYE\n") and "SETREPEAT" not in heard


def test_a_new_pin_is_asked_for_twice_by_the_dialog(fake):
    program = fake({"GETPIN": b"D abcd\nOK\n", "SETREPEATERROR": b"ERR 536871187 Unknown\n"})
    assert ask(program, twice=True) == b"abcd"
    assert "SETREPEAT Again\n" in fake.heard()


def test_a_pinentry_may_know_no_options(fake):
    assert ask(fake({"OPTION": b"ERR 174 Unknown option\n", "GETPIN": b"D x\nOK\n"})) == b"x"


BAD = {
    "cancelled": ({"GETPIN": b"ERR 83886179 Operation cancelled <Pinentry>\n"}, "cancelled"),
    "refused": ({"GETPIN": b"ERR 83886340 Invalid \x1b[31mdisplay\n"}, r"refused \(Invalid"),
    "no number": ({"GETPIN": b"ERR\n"}, "refused"),
    "no Assuan": ({"GETPIN": b"hello\n"}, "no Assuan"),
    "no greeting": ({"": b"220 smtp\n"}, "no Assuan"),
    "greets and ends": ({"": b"OK\nnot"}, "no Assuan|it ended"),
    "long line": ({"GETPIN": b"D " + b"x" * 2000 + b"\n"}, "too long"),
    "flood": ({"GETPIN": (b"D " + b"x" * 900 + b"\n") * 10 + b"OK\n"}, "too much"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_goes_wrong_is_one_line_without_control_characters(fake, case):
    import re

    answers, reason = BAD[case]
    with pytest.raises(Problem) as caught:
        ask(fake(answers))
    assert re.search(reason, caught.value.line()) and caught.value.line().isprintable()
    assert (case == "cancelled") == isinstance(caught.value, Cancelled)


def test_a_program_that_is_no_pinentry_is_named(tmp_path):
    with pytest.raises(Problem, match="true does not work as a pinentry: it ended"):
        ask("true")
    with pytest.raises(UsageProblem, match="no program /no/such"):
        ask("/no/such")
    bad = tmp_path / "bad"
    bad.write_text("no program")
    bad.chmod(0o755)
    with pytest.raises(UsageProblem, match="cannot start"):
        ask(str(bad))


class Reply:
    """A child whose output is given and whose input goes nowhere."""

    def __init__(self, output):
        reading, writing = os.pipe()
        os.write(writing, output)
        os.close(writing)
        self.stdout = os.fdopen(reading, "rb", buffering=0)
        self.stdin = open(os.devnull, "wb", buffering=0)


words = st.sampled_from([b"OK", b"ERR 99", b"D a%2", b"D %00", b"S x", b"#", b"INQUIRE x", b"\n"])
garbage = st.lists(words | st.binary(max_size=20), max_size=12).map(b"".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(garbage | st.lists(words, max_size=8).map(b"\n".join))
def test_any_answer_is_a_secret_or_a_problem(output):
    dialog = Pinentry("fuzz")
    dialog.child = Reply(output)
    try:
        assert isinstance(dialog._answer(), bytes)
    except Problem as problem:
        assert "\n" not in problem.line()
    finally:
        dialog.child.stdout.close()
        dialog.child.stdin.close()


def test_pins_come_from_the_dialog_once_for_all_boards(fake, tmp_path):
    program = fake({"GETPIN": b"D 4711\nOK\n"})
    asked = {}
    for _ in range(2):
        pins = Pins({}, program, Fields({}), asked)
        assert pins.user() == b"4711" and pins.so(new=True) == b"4711"
    assert fake.heard().count("GETPIN") == 2


@pytest.mark.skipif(not shutil.which("pinentry-curses"), reason="needs pinentry-curses")
def test_gnupgs_own_pinentry_asks_in_a_terminal(monkeypatch):
    screen, terminal = pty.openpty()
    monkeypatch.setattr(pinentry.sys, "stdin", os.fdopen(os.dup(terminal)))
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("DISPLAY", raising=False)
    seen = b""

    def person():
        nonlocal seen
        deadline = time.monotonic() + 20
        while b"User PIN" not in seen and time.monotonic() < deadline:
            if select.select([screen], [], [], 0.1)[0]:
                seen += os.read(screen, 4096)
        os.write(screen, b"12%34\r")
        while time.monotonic() < deadline and not done.is_set():
            if select.select([screen], [], [], 0.1)[0]:
                os.read(screen, 4096)

    done = threading.Event()
    typing = threading.Thread(target=person, daemon=True)
    typing.start()
    try:
        assert ask("pinentry-curses", description="the board on the bench") == b"12%34"
    finally:
        done.set()
        typing.join()
        os.close(screen)
        os.close(terminal)
    assert b"the board on the bench" in seen and b"12%34" not in seen
