# SPDX-License-Identifier: MIT
"""Plain mpremote works on the board: exec, files, long programs, Ctrl-C, soft reset."""

import hashlib
import os
import time

import pytest
import serial

from p11board.transport import Link


def test_exec_prints(board):
    assert board.mpremote("exec", "print('hello', 6 * 7)") == "hello 42\n"


def test_an_error_on_the_board_is_a_non_zero_exit(board):
    board.mpremote("exec", "1/0", code=1)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 20000])
def test_files_are_copied_both_ways_unchanged(board, tmp_path, size):
    there, back = tmp_path / "there", tmp_path / "back"
    there.write_bytes(os.urandom(size))
    board.mpremote("cp", there, ":copied")
    digest = board.mpremote("sha256sum", ":copied")
    assert hashlib.sha256(there.read_bytes()).hexdigest() in digest
    board.mpremote("cp", ":copied", back, "+", "rm", ":copied")
    assert back.read_bytes() == there.read_bytes()
    assert "copied" not in board.mpremote("ls")


def test_a_file_survives_a_soft_reset(board, tmp_path):
    file = tmp_path / "kept.txt"
    file.write_text("still here")
    board.mpremote("cp", file, ":kept.txt")
    output = board.mpremote("soft-reset", "exec", "print(open('kept.txt').read())")
    assert "still here" in output
    board.mpremote("rm", ":kept.txt")


def test_a_program_of_100_kilobytes_arrives_complete(board, tmp_path):
    lines = [f"t += {number}" for number in range(9000)]
    program = "t = 0\n" + "".join(line.ljust(10) + "\n" for line in lines[:10]) + comment(100_000)
    script = tmp_path / "long.py"
    script.write_text(program + "print(t)\n")
    assert script.stat().st_size > 100_000
    assert board.mpremote("run", script) == f"{sum(range(10))}\n"


def comment(size):
    """Lines of comment, in all `size` bytes or a little more."""
    line = "# " + "x" * 61 + "\n"
    return line * (size // len(line) + 1)


def test_100_kilobytes_of_data_typed_at_a_program_arrive_unchanged(board):
    """Nothing is dropped even when the program reads more slowly than the host writes."""
    data = os.urandom(75_000).hex()[:100_000].encode()
    code = (
        "import sys, hashlib, time\n"
        "h = hashlib.sha256()\n"
        "n = 100000\n"
        "while n:\n"
        " b = sys.stdin.buffer.read(min(n, 1000))\n"
        " h.update(b)\n"
        " n -= len(b)\n"
        " if n == 50000: time.sleep_ms(500)\n"
        "import binascii\n"
        "print(binascii.hexlify(h.digest()).decode())\n"
    )
    with Link(board.port) as link:
        link.transport.exec_raw_no_follow(code)
        time.sleep(0.2)
        link.transport.serial.write(data)
        output, trace = link.transport.follow(timeout=30)
    assert not trace
    assert output.decode().strip() == hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("program", ["while True: pass", "import time; time.sleep(100)"])
def test_ctrl_c_interrupts_a_program(board, program):
    with Link(board.port) as link:
        link.transport.exec_raw_no_follow("print('running')\n" + program)
        assert link.transport.read_until(1, b"running\r\n", timeout=10)
        link.transport.serial.write(b"\x03")
        _, trace = link.transport.follow(timeout=10)
    assert b"KeyboardInterrupt" in trace


def test_a_running_program_does_not_keep_the_next_connection_out(board):
    with serial.Serial(board.port, timeout=2, exclusive=True) as line:
        line.write(b"\x01while True: print('busy')\n\x04")
        line.read(1000)
    assert board.mpremote("exec", "print('free')") == "free\n"


def test_a_soft_reset_forgets_variables_and_gives_the_heap_back(board):
    measure = "import gc; gc.collect(); print(gc.mem_free())"
    before = int(board.mpremote("soft-reset", "exec", measure).splitlines()[-1])
    board.mpremote("exec", "keep = bytearray(20000)")
    output = board.mpremote("soft-reset", "exec", "print('keep' in globals()); " + measure)
    lines = output.splitlines()[-2:]
    assert lines[0] == "False"
    assert abs(int(lines[1]) - before) < 2000


def test_time_passes_as_on_the_wall(board):
    code = (
        "from time import ticks_diff, ticks_ms, sleep_ms\n"
        "t = ticks_ms(); sleep_ms(500); print(ticks_diff(ticks_ms(), t))"
    )
    assert 490 <= int(board.mpremote("exec", code)) < 2000  # a busy host is late, never early


def test_garbage_on_the_line_does_not_hang_the_repl(board):
    with serial.Serial(board.port, timeout=1, exclusive=True) as line:
        junk = bytes(b for b in os.urandom(20000) if b not in b"\x01\x02\x03\x04\x05")
        line.write(junk)
        time.sleep(0.2)
        line.write(b"\x05" + os.urandom(200) + b"\x04\x03")
        line.write(b"\x01\x05A\x01")
        line.write(b"\xff\xfe'''(((\x04")
    assert board.mpremote("exec", "print('fine')") == "fine\n"
