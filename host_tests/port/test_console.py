# SPDX-License-Identifier: MIT
"""The console: nothing is lost, Ctrl-C gets through, every kind of reset comes back."""

import hashlib
import random
import re

import pytest
from qemu_machine import PROMPT

pytestmark = pytest.mark.emulated


def noise(length):
    return random.Random(length).randbytes(length)


def test_100_kb_sent_while_the_program_sleeps_all_arrive(board):
    data = noise(100_000)
    board.send(b"\x03\x01")
    board.until(b"raw REPL; CTRL-B to exit\r\n>")
    board.send(
        b"import hashlib, micropython, sys, time\n"
        b"micropython.kbd_intr(-1)\n"
        b"print('ready')\n"
        b"time.sleep(1)\n"
        b"hash = hashlib.sha256()\n"
        b"buf = bytearray(1000)\n"
        b"for _ in range(100):\n"
        b"    sys.stdin.buffer.readinto(buf)\n"
        b"    hash.update(buf)\n"
        b"micropython.kbd_intr(3)\n"
        b"print(hash.digest().hex())\n\x04"
    )
    board.until(b"ready\r\n")
    board.line.settimeout(30)
    board.send(data)
    assert hashlib.sha256(data).hexdigest().encode() in board.until(b"\x04>")
    board.send(b"\x02")
    board.until(PROMPT)


def test_a_program_of_100_kb_can_be_pasted(board):
    lines = [b"# " + noise(n + 50).hex()[:98].encode() for n in range(1000)]
    board.send(b"\x05")
    board.until(b"paste mode; Ctrl-C to cancel, Ctrl-D to finish\r\n=== ")
    board.send(b"\r".join([*lines, b"print(6 * 7)"]) + b"\x04")
    echo = board.until(b"\r\n42\r\n", 60)
    assert re.findall(rb"(# \w+)\r\n", echo) == lines
    board.until(PROMPT)


def test_100_kb_of_output_arrive(board):
    program = "for n in range(2000):\n    print('%05d' % n, 'x' * 43)\n"
    expected = "".join(f"{n:05d} {'x' * 43}\r\n" for n in range(2000))
    assert board.run(program) == expected


@pytest.mark.parametrize(
    "program",
    [
        "while True: pass\r\r",
        "import time; time.sleep(1000)\r",
        "import sys; sys.stdin.read(50000)\r",
        "import machine; machine.lightsleep(1000000)\r",
        "import select; select.poll().poll(1000000)\r",
    ],
)
def test_ctrl_c_stops_a_program_behind_4_kb_of_type_ahead(board, program):
    board.send(program.encode())
    board.drain()
    board.send(b"unread " * 600 + b"\x03")
    board.until(b"KeyboardInterrupt: \r\n", 10)
    board.send(b"\x03")
    board.drain()


def test_ctrl_c_stops_a_program_that_prints(board):
    board.send(b"while True: print('x' * 50)\r\r")
    board.until(b"x" * 50 + b"\r\n")
    board.send(b"\x03")
    board.until(b"KeyboardInterrupt: \r\n" + PROMPT, 10)


def test_50_soft_resets_leave_nothing_behind(board):
    board.run("import p11crypto\np11crypto.ec_generate(p11crypto.P256)\n")
    free = None
    for _ in range(50):
        board.send(b"\x04")
        assert b"MPY: soft reboot\r\n" in board.until(PROMPT)
    for _ in range(2):
        board.send(b"\x04")
        board.until(PROMPT)
        program = "import gc\ngc.collect()\nprint(gc.mem_free())\n"
        free = (free or []) + [board.run(program)]
    assert free[0] == free[1]
    assert board.run("import p11crypto\nprint(p11crypto.slots_used())\n") == "0\r\n"


def test_machine_reset_starts_anew(board):
    board.send(b"x = 1; import machine; machine.reset()\r")
    board.until(b"for more information.\r\n" + PROMPT)
    assert board.run("print('x' in globals())\n") == "False\r\n"


def machine_code(*words):
    """A program that runs Thumb code: it takes the place of a compiled function's, in the heap."""
    writes = "".join(f"mem16[code + {2 * at}] = {word}\n" for at, word in enumerate(words))
    return (
        "from machine import mem16, mem32\n"
        "import micropython\n"
        "@micropython.native\n"
        "def f(a): return [a + 1, a + 2, a + 3]\n"
        f"code = mem32[id(f) + 12] + 4\n{writes}f(1)\n"
    )


UNDEFINED = (0xDE00,)  # udf
ENDLESS = (0xB40F, 0xE7FD)  # again: push {r0-r3}; b again


@pytest.mark.parametrize(
    "program, cause",
    [
        ("import machine; machine.mem32[0] = 0", b"forbidden access"),
        ("import machine; machine.mem32[0x40000000]", b"bus error"),
        (machine_code(*UNDEFINED), b"undefined instruction"),
        (machine_code(*ENDLESS), b"stack overflow"),
    ],
    ids=["forbidden", "bus", "undefined", "overflow"],
)
def test_a_fault_is_reported_in_one_line_and_resets(board, program, cause):
    board.send(b"\x03\x01")
    board.until(b"raw REPL; CTRL-B to exit\r\n>")
    board.send(program.encode() + b"\x04")
    line = board.until(b"; resetting\r\n", 10)
    assert b"\r\nfault: " + cause in line
    board.until(b"for more information.\r\n" + PROMPT, 10)


def test_runaway_recursion_is_an_exception_not_a_fault(board):
    program = (
        "def f():\n    return f()\n"
        "try:\n    f()\nexcept RuntimeError as error:\n    print(error)\n"
    )
    assert board.run(program) == "maximum recursion depth exceeded\r\n"


def test_what_a_program_leaves_in_memory_is_gone_after_a_soft_reset(board):
    look = (
        "import machine, micropython\n"
        "found = 0\n"
        "for a in range(%s, 0xb8000, 4):\n"
        "    if machine.mem32[a] == word: found += 1\n"
        "print(found)\n"
    )
    start = board.run("import uctypes\nprint(uctypes.addressof(bytearray(4)) & ~0xffff)\n").strip()
    # The word is computed, so that no source text or constant holds it.
    word = "word = 0x12345 * 0x1234\n"
    program = word + "x = [word.to_bytes(4, 'little') * 8 for _ in range(20)]\n" + look % start
    assert int(board.run(program)) >= 160
    board.send(b"\x04")
    board.until(PROMPT)
    assert int(board.run(word + look % start)) < 10
