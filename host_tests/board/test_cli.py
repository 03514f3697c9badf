# SPDX-License-Identifier: MIT
"""The command line as a user meets it: help, JSON, exit codes, one-line errors."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time

import click
import pytest
import serial

from p11board.cli import cli
from p11board.errors import TokenError


def commands(group=cli, path=()):
    """Every command's words, groups included."""
    yield path
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name)


def run(*arguments, code=0, environment=None, **more):
    """Run the installed program in a process of its own; returns the CompletedProcess."""
    done = subprocess.run(
        [sys.executable, "-m", "p11board", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, "NO_COLOR": "1", **(environment or {})},
        **more,
    )
    assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
    assert "Traceback" not in done.stderr
    return done


def one_line(done):
    """The error of a failed run: exactly one line on standard error."""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    assert lines[0].startswith("p11board: ")
    return lines[0]


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_has_help(board, words):
    for option in ("--help", "-h"):
        text = board.p11board(*words, option).stdout
        assert text.startswith("Usage:")
        assert len(max(text.splitlines(), key=len)) <= 80


def test_the_installed_program_runs(board):
    assert run("--version").stdout.startswith("p11board ")
    assert "keygen" in run("--help").stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["info"],
        ["objects"],
        ["random"],
        ["ports"],
        ["keygen", "--label", "test json", "--replace"],
        ["read", "test json", "--class", "public"],
        ["sign", "--label", "test json", "--digest", "11" * 32],
        ["csr", "--label", "test json", "--subject", "CN=x"],
        ["destroy", "test json", "--yes"],
    ],
    ids=lambda a: a[0],
)
def test_json_output_is_one_document(board, arguments):
    board.json(*arguments)


def test_json_is_the_whole_of_standard_output_and_colourless(board):
    done = run(*board.options(), "info", "--json", environment={"FORCE_COLOR": "1"})
    assert json.loads(done.stdout)["board"]
    assert done.stderr == ""


def test_json_errors_are_json_too(board):
    result = board.p11board("read", "test nothing", "--json", code=1)
    assert set(json.loads(result.stdout)) >= {"error", "hint"}


def test_info_says_what_the_board_is(board):
    board.p11board("random", "16")  # so that the source was asked
    text = board.p11board("info").stdout
    for word in ("firmware", "entropy", "flash", "keys 0x400000 64 KiB", "user PIN"):
        assert word in text
    # the source, its proof, the counters of its health tests
    assert "SCU generator" in text and "SP 800-90B" in text
    assert re.search(r"ok; \d{4,} samples tested, 0 repetition and 0 proportion alarms", text)


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["info", "--nonsense"],
        ["read"],
        ["import", "file"],
        ["sign"],
        ["verify", "file"],
        ["random", "0"],
        ["keygen", "--id", "xyz"],
        ["csr", "--subject", "nonsense"],
        ["flash", "x.p11a", "--board", "/dev/ttyACM9"],
    ],
    ids=" ".join,
)
def test_wrong_use_is_exit_code_2(board, arguments):
    result = board.p11board(*arguments, code=2)
    assert result.stderr and not result.stdout


def test_a_file_that_is_not_there_is_named(board):
    result = board.p11board("import", "/nonexistent/file", "--label", "x", code=2)
    assert "cannot read /nonexistent/file: No such file or directory" in result.stderr


def test_a_busy_port_is_one_line(board):
    with serial.Serial(board.port, exclusive=True):
        assert "in use by another program" in one_line(run("--board", board.port, "info", code=1))
    run("--board", board.port, "random")


def test_an_absent_board_is_one_line(tmp_path):
    state = ["--state", tmp_path]
    assert "is off" in one_line(run(*state, "--board", "emulated", "info", code=1))
    assert "no serial port" in one_line(run("--board", "/dev/ttyNONE", "info", code=1))
    assert "P11BOARD" not in os.environ
    line = one_line(run("info", code=1, environment={"P11BOARD": "/dev/ttyNONE"}))
    assert "/dev/ttyNONE" in line


def test_missing_qemu_is_one_line(emulated, tmp_path):
    emulated.emulator.stop()
    done = run(
        "--state",
        emulated.emulator.state,
        "emulate",
        "start",
        "--loader",
        emulated.loader,
        code=1,
        environment={"PATH": str(tmp_path)},
    )
    assert "sudo apt install qemu-system-arm" in one_line(done)


def test_a_wrong_flash_file_is_one_line_and_stays(tmp_path):
    flash = tmp_path / "flash.bin"
    flash.write_bytes(b"a diary")
    done = run("--state", tmp_path, "emulate", "start", code=1)
    assert "has 7 bytes" in one_line(done)
    assert flash.read_bytes() == b"a diary"


def test_emulate_start_status_stop(make_board, firmware, tmp_path):
    state = ["--state", tmp_path / "state", "emulate"]
    start = [*state, "start", "--image", firmware[0], "--loader", firmware[1]]
    first = json.loads(run(*start, "--json").stdout)
    try:
        again = run(*start).stdout
        assert f"already on, at {first['port']}" in again
        assert "stop it first" in one_line(run(*start, "--fresh", code=2))
        assert json.loads(run(*state, "status", "--json").stdout) == first
    finally:
        assert "off" in run(*state, "stop").stdout
    assert "off already" in run(*state, "stop").stdout
    assert not json.loads(run(*state, "status", "--json").stdout)["running"]


def wait_until_busy(port, seconds=20):
    """Wait until another program has the port, and a moment longer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with open(port, "rb", buffering=0) as line:
            try:
                fcntl.flock(line, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                break
        time.sleep(0.05)
    time.sleep(0.5)


def test_a_killed_board_is_noticed_in_the_middle_of_a_command(emulated):
    command = [sys.executable, "-m", "p11board", *emulated.options(), "random", "1000000"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    wait_until_busy(emulated.port)
    emulated.emulator.kill()
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "does not answer any more" in errors
    assert len(errors.strip().splitlines()) == 1


def test_ctrl_c_ends_a_command_with_130_and_leaves_the_board_usable(board):
    command = [sys.executable, "-m", "p11board", *board.options(), "random", "1000000"]
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A background job starts with SIGINT ignored, and a child inherits that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    wait_until_busy(board.port)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 130
    assert errors.strip() == "p11board: interrupted"
    board.json("random")


def test_repl_runs_in_this_terminal(board):
    master, terminal = pty.openpty()
    command = [sys.executable, "-m", "p11board", *board.options(), "repl"]
    process = subprocess.Popen(command, stdin=terminal, stdout=terminal, stderr=terminal)
    os.close(terminal)
    try:
        read_until(master, b"exit this shell")
        wait_until_raw(master)
        os.write(master, b"\r")
        read_until(master, b">>> ")
        os.write(master, b"print(6 * 7)\r")
        read_until(master, b"42\r\n>>> ")
        os.write(master, b"\x1d")
        assert process.wait(timeout=10) == 0
    finally:
        process.kill()
        process.wait()
        os.close(master)


def wait_until_raw(terminal, seconds=10):
    """Wait until the program has switched off line editing: before, Return means newline."""
    deadline = time.monotonic() + seconds
    while termios.tcgetattr(terminal)[3] & termios.ICANON:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def read_until(descriptor, ending, seconds=10):
    """Read a terminal until `ending` has come."""
    seen = b""
    deadline = time.monotonic() + seconds
    while ending not in seen:
        ready, _, _ = select.select([descriptor], [], [], max(0, deadline - time.monotonic()))
        assert ready, seen
        seen += os.read(descriptor, 4096)


def test_a_running_program_is_interrupted_by_a_command_not_fatal_to_it(board):
    with serial.Serial(board.port, exclusive=True) as line:
        line.write(b"\x01while True: pass\n\x04")
        time.sleep(0.2)
    board.json("random")


def test_a_wrong_pin_is_refused_and_makes_the_next_login_wait(board):
    with board.connected() as token:
        token._pin = b"9999"
        with pytest.raises(TokenError, match="CKR_PIN_INCORRECT"):
            token.objects()
    assert "try again in" in board.p11board("objects", code=1).stderr
    wait_for_login(board)
    board.json("objects")


def wait_for_login(board):
    """Let the delay after a wrong PIN pass."""
    pins = board.json("info")["token"]["pins"]
    time.sleep(pins["user"]["wait_seconds"] + 0.1)
