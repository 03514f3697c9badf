# SPDX-License-Identifier: MIT
"""Options and input that all commands share."""

import io
import json

import pytest
from click.testing import CliRunner

from p11board.cli import cli
from p11board.context import Session, read_input, write_result
from p11board.errors import FileProblem, UsageProblem
from p11board.output import Output


def session(pin_file=None):
    made = Session()
    made.pin_file = pin_file
    return made


def test_the_pin_is_the_first_line_of_its_file(tmp_path):
    file = tmp_path / "pin"
    for content in (b"1234", b"1234\n", b"1234\r\nnote\n"):
        file.write_bytes(content)
        assert session(str(file)).read_pin() == b"1234"


def test_the_pin_can_come_from_standard_input(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("987654\n"))
    assert session("-").read_pin() == b"987654"


def test_an_empty_binary_or_missing_pin_file_is_refused(tmp_path):
    file = tmp_path / "pin"
    file.write_bytes(b"")
    with pytest.raises(UsageProblem, match="empty"):
        session(str(file)).read_pin()
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(FileProblem, match="not text"):
        session(str(file)).read_pin()
    with pytest.raises(UsageProblem, match="cannot read the PIN file"):
        session(str(tmp_path / "none")).read_pin()


def test_nobody_is_asked_for_a_pin_without_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    with pytest.raises(UsageProblem) as caught:
        session().read_pin()
    assert "--pin-file" in caught.value.line()


def test_results_that_cannot_be_written_are_one_line(tmp_path):
    with pytest.raises(UsageProblem, match="cannot write"):
        write_result(Output(), tmp_path / "no" / "folder", b"x")
    with pytest.raises(UsageProblem, match="cannot read"):
        read_input(tmp_path)


def test_no_board_is_one_line_and_exit_code_1(run, monkeypatch):
    monkeypatch.setattr("p11board.selection.list_ports.comports", list)
    result = run("info")
    assert result.exit_code == 1
    assert "p11board emulate start" in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert run("--board", "emulated", "info").exit_code == 1


def test_options_stand_before_or_behind_the_command(run):
    for arguments in (["--board", "/dev/ttyNONE", "info"], ["info", "--board", "/dev/ttyNONE"]):
        assert "no serial port /dev/ttyNONE" in run(*arguments).stderr


def test_start_without_any_firmware_says_how_to_get_it(run, tmp_path):
    result = run("emulate", "start", "--image", tmp_path / "none.p11a")
    assert result.exit_code == 1
    assert "make firmware" in result.stderr


def test_status_of_a_board_that_never_was(run):
    result = run("emulate", "status")
    assert result.exit_code == 0
    assert result.stdout.startswith("power  off")


def test_an_option_before_the_command_beats_the_environment(run, monkeypatch, tmp_path):
    other = tmp_path / "other"
    monkeypatch.setenv("P11BOARD_STATE", str(tmp_path / "from the environment"))
    for words in (
        ("--state", other, "emulate", "status"),
        ("emulate", "status", "--state", other),
    ):
        found = CliRunner().invoke(cli, [*map(str, words), "--json"])
        assert json.loads(found.stdout)["state"] == str(other)
    found = CliRunner().invoke(cli, ["emulate", "status", "--json"])
    assert json.loads(found.stdout)["state"].endswith("from the environment")
