# SPDX-License-Identifier: MIT
"""The serial line: each thing that can be wrong with it has its own sentence."""

import fcntl
import os
import sys
import threading
import time

import pytest
from host.fake_board import FakeBoard

from p11board import transport
from p11board.errors import TransportProblem
from p11board.transport import Link


def line_of(action):
    """The one-line message of the TransportProblem that `action` raises."""
    with pytest.raises(TransportProblem) as caught:
        action()
    assert "\n" not in caught.value.line()
    return caught.value.line()


def open_and_run(port, code="print(1)"):
    with Link(port) as link:
        return link.execute(code)


def test_code_runs_on_the_board_and_its_output_and_traceback_come_back():
    with FakeBoard() as board, Link(board.port) as link:
        assert link.execute("print('ä', 1+1)") == ("ä 2\r\n", "")
        output, trace = link.execute("print('so far')\n1/0")
        assert output == "so far\r\n"
        assert "ZeroDivisionError" in trace


def test_a_long_program_is_sent_in_windows():
    with FakeBoard() as board:
        output, trace = open_and_run(board.port, "x = '" + "a" * 5000 + "'\nprint(len(x))")
        assert (output, trace) == ("5000\r\n", "")


def test_what_the_board_prints_before_its_prompt_does_no_harm():
    with FakeBoard(garbage=b"\x00\xfflog line\r\n>>> \x04") as board:
        assert open_and_run(board.port)[0] == "1\r\n"


def test_a_missing_port_is_named():
    assert "no serial port /dev/ttyNONE" in line_of(lambda: open_and_run("/dev/ttyNONE"))


def test_a_file_is_no_port(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(b"")
    assert "is not a serial port" in line_of(lambda: open_and_run(str(path)))


def test_a_busy_port_is_said_to_be_busy():
    with FakeBoard() as board:
        other = os.open(board.port, os.O_RDWR | os.O_NOCTTY)
        fcntl.flock(other, fcntl.LOCK_EX)
        assert "in use by another program" in line_of(lambda: open_and_run(board.port))
        os.close(other)
        assert open_and_run(board.port)[0] == "1\r\n"


def test_a_port_without_permission_names_the_remedy(monkeypatch):
    monkeypatch.setattr(transport.os, "access", lambda *_: False)
    with FakeBoard() as board:
        assert "usermod -aG dialout" in line_of(lambda: open_and_run(board.port))


def test_a_silent_device_is_not_waited_for_without_end(monkeypatch, capsys):
    monkeypatch.setattr(transport, "REPL_SECONDS", 0.3)
    monkeypatch.setattr(transport, "READ_SECONDS", 0.1)
    with FakeBoard(silent=True) as board:
        assert "no answer from a MicroPython REPL" in line_of(lambda: open_and_run(board.port))
    assert capsys.readouterr().out == ""


def test_a_board_unplugged_in_the_middle_of_a_command_is_noticed():
    with FakeBoard(die_on="print(1)") as board:
        started = time.monotonic()
        assert "does not answer any more" in line_of(lambda: open_and_run(board.port))
        assert time.monotonic() - started < 5


def test_a_board_unplugged_while_it_works_is_noticed():
    with FakeBoard({"wait": lambda: time.sleep(0.5)}) as board, Link(board.port) as link:
        threading.Timer(0.2, board.unplug).start()
        assert "does not answer any more" in line_of(lambda: link.execute("wait()"))


def test_a_board_without_our_firmware_is_told_apart(monkeypatch):
    monkeypatch.setitem(sys.modules, "pkcs11", None)  # the fake board's Python is this one
    with FakeBoard() as board, Link(board.port) as link:
        words = line_of(lambda: link.ask(b"{}"))
    assert "no PKCS#11 firmware" in words
