# SPDX-License-Identifier: MIT
"""The emulated board's life cycle without a firmware: refusals, locks, leftovers."""

import fcntl
import json
import os
import subprocess
import sys
import time

import pytest

from p11board import emulator, flashing
from p11board.emulator import Emulator
from p11board.errors import EmulatorProblem

STAND_IN = """#!{python}
import os, sys, time
port = int(sys.argv[sys.argv.index("-add-fd") + 1].split(",")[0].removeprefix("fd="))
script = {script!r}
if script == "die":
    sys.exit("qemu-system-arm: cannot do that")
os.write(port, script.encode())
time.sleep(60)
"""


@pytest.fixture
def board(tmp_path):
    """make(script): an Emulator whose QEMU is a stand-in that prints `script`, or dies."""
    made = []

    def make(script=">>> ", state="state"):
        qemu = tmp_path / "qemu"
        qemu.write_text(STAND_IN.format(python=sys.executable, script=script))
        qemu.chmod(0o755)
        (tmp_path / "loader.elf").touch()
        made.append(Emulator(tmp_path / state, qemu=str(qemu)))
        return made[-1]

    make.loader = tmp_path / "loader.elf"
    yield make
    for emulated in made:
        emulated.stop()


def line_of(action):
    with pytest.raises(EmulatorProblem) as caught:
        action()
    assert "\n" not in caught.value.line()
    return caught.value.line()


def test_start_waits_for_the_prompt_and_stop_switches_off(board):
    emulated = board("MicroPython v1.25.0\r\n>>> ")
    port = emulated.start(board.loader)
    status = emulated.status()
    assert status["running"] and status["port"] == port == emulated.port
    assert os.path.exists(port)
    assert emulated.stop() is True
    assert emulated.status()["running"] is False
    assert emulated.stop() is False
    assert "off" in line_of(lambda: emulated.port)


def test_another_program_sees_the_board_and_can_stop_it(board):
    emulated = board()
    port = emulated.start(board.loader)
    other = Emulator(emulated.state)
    assert other.port == port
    assert other.stop() is True
    assert not emulated.running()


def test_a_board_that_is_on_is_not_started_twice(board):
    emulated = board()
    emulated.start(board.loader)
    assert "is on" in line_of(lambda: emulated.start(board.loader))
    assert "is on" in line_of(lambda: emulated.program(b""))


def test_the_board_outlives_the_program_that_started_it(board):
    emulated = board()
    code = (
        "import sys; from p11board.emulator import Emulator;"
        "Emulator(sys.argv[1], qemu=sys.argv[2]).start(sys.argv[3])"
    )
    arguments = [str(emulated.state), emulated.qemu, str(board.loader)]
    path = os.pathsep.join(p for p in sys.path if p)
    environment = {**os.environ, "PYTHONPATH": path}
    subprocess.run([sys.executable, "-c", code, *arguments], check=True, env=environment)
    assert emulated.running()
    assert emulated.stop()


def test_a_killed_emulator_is_off_whatever_its_files_say(board):
    emulated = board()
    emulated.start(board.loader)
    pid = emulated.status()["pid"]
    os.kill(pid, 9)
    deadline = time.monotonic() + 5
    while emulated.running() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert emulated.status()["running"] is False
    emulated.start(board.loader)
    assert emulated.status()["pid"] != pid


def test_a_stale_process_id_is_never_killed(board):
    emulated = board()
    emulated.state.mkdir()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        emulated.lock.touch()
        emulated.record.write_text(json.dumps({"pid": bystander.pid, "port": "/dev/pts/0"}))
        assert emulated.stop() is False
        assert bystander.poll() is None
    finally:
        bystander.kill()
        bystander.wait()


def test_a_board_being_handled_by_another_command_is_left_alone(board):
    emulated = board()
    emulated.state.mkdir()
    with open(emulated.lock, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert "another command" in line_of(lambda: emulated.port)
        assert "another command" in line_of(emulated.stop)
        assert "is on" in line_of(lambda: emulated.start(board.loader))


def test_missing_qemu_names_the_package(tmp_path):
    emulated = Emulator(tmp_path, qemu="qemu-system-nowhere")
    assert "sudo apt install qemu-system-arm" in line_of(lambda: emulated.start(__file__))
    assert not emulated.flash.exists()


def test_a_missing_loader_names_the_remedy(board, tmp_path):
    assert "make firmware" in line_of(lambda: board().start(tmp_path / "absent.elf"))


def test_a_flash_file_of_the_wrong_size_is_refused_and_kept(board):
    emulated = board()
    emulated.state.mkdir()
    emulated.flash.write_bytes(b"precious")
    for action in (lambda: emulated.start(board.loader), emulated.create_flash):
        assert "has 8 bytes, the board's flash has exactly 33554432" in line_of(action)
    assert emulated.flash.read_bytes() == b"precious"
    assert not emulated.running()


def test_a_flash_file_is_made_once_and_kept(board):
    emulated = board()
    emulated.create_flash()
    with open(emulated.flash, "r+b") as file:
        file.write(b"data")
    emulated.create_flash()
    assert emulated.has_application()
    emulated.create_flash(fresh=True)
    assert not emulated.has_application()


def test_the_loaders_refusal_is_the_error_and_the_board_is_off_again(board):
    emulated = board("loader: no valid application: header CRC\r\n")
    words = line_of(lambda: emulated.start(board.loader))
    assert words.startswith("loader: no valid application: header CRC: program an application")
    assert not emulated.running()


def test_an_emulator_that_ends_at_once_shows_its_last_words(board):
    words = line_of(lambda: board("die").start(board.loader))
    assert "QEMU ended: qemu-system-arm: cannot do that" in words


def test_a_board_without_a_prompt_is_given_up(board, monkeypatch):
    monkeypatch.setattr(emulator.wait_for_repl, "__defaults__", (lambda: None, 0.3))
    assert "the last it printed: hello" in line_of(lambda: board("hello").start(board.loader))


def test_a_comma_in_the_path_does_not_confuse_qemus_options(board, tmp_path):
    flashing.create_blank(tmp_path / "a,b" / "flash.bin")
    emulated = board(state="a,b")
    emulated.start(board.loader)
    command = open(f"/proc/{emulated.status()['pid']}/cmdline").read()
    assert "a,,b/flash.bin,format=raw" in command
