# SPDX-License-Identifier: MIT
"""What is printed where: data on standard output, the rest on standard error, nothing twice."""

import io
import json

import pytest

from p11board import report
from p11board.errors import Problem, TokenError, UsageProblem
from p11board.output import Output, printable


def test_a_problem_is_one_line_whatever_it_is_made_of():
    assert Problem("first\nsecond", " do\n this ").line() == "first second: do this"
    assert Problem("alone").line() == "alone"


def test_token_errors_name_value_number_and_remedy():
    assert TokenError("CKR_PIN_INCORRECT", 0xA0, "2 tries left").line() == (
        "CKR_PIN_INCORRECT (0xA0): 2 tries left"
    )
    assert "p11board destroy" in TokenError("CKR_DEVICE_MEMORY", 0x31).line()
    assert TokenError("CKR_X").line() == "CKR_X"


def test_exit_codes_tell_failure_from_wrong_use():
    assert Problem("x").exit_code == 1
    assert UsageProblem("x").exit_code == 2


def test_control_characters_of_a_label_do_not_reach_the_terminal(capsys):
    assert printable("a\x1b[2Jb\r") == "a\\x1b[2Jb\\x0d"
    Output().table(("label",), [["\x1b]0;title\x07[bold]x"]])
    text = capsys.readouterr().out
    assert "\x1b" not in text
    assert "[bold]x" in text


def test_progress_is_invisible_without_a_terminal(capsys):
    output = Output()
    with output.progress("Programming", 10) as advance, output.busy("Working"):
        advance(10)
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "")


def test_progress_is_visible_on_a_terminal_and_goes_to_standard_error(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    out, err = Terminal(), Terminal()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    with Output().progress("Programming", 10) as advance:
        advance(10)
    assert "Programming" in err.getvalue()
    assert out.getvalue() == ""


def test_no_color_means_no_colour(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    err = Terminal()
    monkeypatch.setattr("sys.stderr", err)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("NO_COLOR", "1")
    Output().error(Problem("bad"))
    assert "\x1b[3" not in err.getvalue()
    assert err.getvalue() == "p11board: bad\n"


def test_json_errors_are_an_object(capsys):
    Output(as_json=True).error(TokenError("CKR_PIN_LOCKED", 0xA4))
    captured = capsys.readouterr()
    assert json.loads(captured.out)["code"] == 0xA4
    assert captured.err.count("\n") == 1


@pytest.mark.parametrize(
    "count, text", [(0, "0 B"), (100, "100 B"), (65536, "64 KiB"), (1 << 20, "1 MiB")]
)
def test_sizes_are_readable(count, text):
    assert report.size(count) == text


def test_info_shows_how_long_a_wrong_pin_makes_one_wait():
    pin = {"set": True, "tries_left": 8, "limit": 10, "wait_seconds": 3}
    for default, words in ((False, "8 of 10 attempts left, the next in 3 s"), (True, "wait 3 s")):
        lines = report.info_lines({"token": {"default_mode": default, "pins": {"user": pin}}})
        assert words in dict(lines)["user PIN"]


def test_info_shows_alarms_and_damage():
    lines = dict(
        report.info_lines(
            {
                "token": {"default_mode": True},
                "entropy": {
                    "source": "x",
                    "proof": "y",
                    "state": "failed",
                    "samples": 7,
                    "rct_alarms": 1,
                    "apt_alarms": 2,
                    "seed": {"generation": 3, "error": "torn"},
                },
                "store": {"damaged": [256]},
            }
        )
    )
    assert (lines["entropy"], lines["proof"]) == ("x", "y")
    counters = "failed; 7 samples tested, 1 repetition and 2 proportion alarms, ? restarts"
    assert lines["health"].startswith(counters)
    assert lines["seed"] == "generation 3; torn"
    assert lines["DAMAGED"] == "objects 256"
    assert "0000" in lines["user PIN"]
