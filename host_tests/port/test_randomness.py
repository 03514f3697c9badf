# SPDX-License-Identifier: MIT
"""The generator's output and the raw source of the emulated board, judged by ent and dieharder.

`make test` judges SHORT bytes of each with ent, `make soak` LONG bytes with both programs.
"""

import os

import pytest
from randomness import DIEHARDER_BYTES, dieharder, ent

SHORT, LONG = 128 << 10, DIEHARDER_BYTES
SECONDS = 600

PROGRAM = """
import p11crypto, sys
part = bytearray(4096)
for _ in range(%d):
    p11crypto.%s(part)
    sys.stdout.buffer.write(part)
"""


def stream(board, function, size):
    """So many bytes of a function of p11crypto."""
    board.send(b"\x03\x03\x01")
    board.until(b"raw REPL; CTRL-B to exit\r\n>")
    board.send((PROGRAM % (size // 4096, function)).encode() + b"\x04")
    board.until(b"OK")
    board.line.settimeout(SECONDS)
    data = bytearray()
    while len(data) < size:
        more = board.line.recv(min(65536, size - len(data)))
        assert more, "the board went away"
        data += more
    assert board.until(b"\x04>") == b"\x04\x04>"
    board.send(b"\x02")
    board.until(b">>> ")
    return bytes(data)


@pytest.mark.emulated
@pytest.mark.parametrize("function", ["random", "hardware_poll"], ids=["DRBG", "raw source"])
def test_a_stream_of_the_board_passes(board, tmp_path, request, function):
    soak = request.config.getoption("--soak")
    path = tmp_path / "stream"
    path.write_bytes(stream(board, function, LONG if soak else SHORT))
    assert ent(path) == []
    if soak:
        assert dieharder(path) == []


@pytest.mark.emulated
def test_os_urandom_is_the_output_of_the_same_generator(board):
    """Each 64 KiB of it make the generator reseed from the source, as each of its own do."""
    printed = board.run(
        "import os, p11crypto\np11crypto.random(bytearray(1))\n"
        "before = p11crypto.entropy_info()\nfor _ in range(140):\n    os.urandom(1024)\n"
        "after = p11crypto.entropy_info()\nprint(after[5] - before[5], after[1] - before[1])"
    )
    reseeds, samples = map(int, printed.split())
    assert reseeds == 2 and samples >= 2 * 128


def biased(size):
    """Each bit is one in 51 of 100 cases: 1/2 + 1/128."""
    extra = -1
    for _ in range(6):
        extra &= int.from_bytes(os.urandom(size), "big")
    return (int.from_bytes(os.urandom(size), "big") | extra).to_bytes(size, "big")


def congruential(size):
    """The low bytes of a linear congruential generator: each bit has a short period."""
    state, out = 1, bytearray()
    for _ in range(size):
        state = (state * 1103515245 + 12345) & 0x7FFFFFFF
        out.append(state & 0xFF)
    return bytes(out)


def stuck_now_and_then(size):
    """Good bytes, each eighth repeated."""
    good = bytearray(os.urandom(size))
    good[7::8] = good[6::8]
    return bytes(good)


BAD = {
    "zeros": bytes,
    "a counter": lambda size: bytes(i & 0xFF for i in range(size)),
    "biased bits": biased,
    "a linear congruential generator": congruential,
    "repeated bytes": stuck_now_and_then,
    "hexadecimal text": lambda size: os.urandom(size // 2).hex().encode(),
    "words that grow": lambda size: b"".join(i.to_bytes(4, "big") for i in range(size // 4)),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_stream_fails(tmp_path, name):
    path = tmp_path / "stream"
    path.write_bytes(BAD[name](SHORT))
    assert ent(path)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["zeros", "biased bits", "words that grow"])
def test_dieharder_is_understood_when_it_says_failed(tmp_path, name):
    path = tmp_path / "stream"
    path.write_bytes(BAD[name](LONG))
    assert dieharder(path)


def test_the_bounds_let_good_streams_pass(tmp_path, request):
    """The operating system's, so that a bound that is too narrow shows here first."""
    soak = request.config.getoption("--soak")
    path = tmp_path / "stream"
    for _ in range(200 if soak else 5):
        path.write_bytes(os.urandom(SHORT))
        assert ent(path) == []
    if soak:
        path.write_bytes(os.urandom(LONG))
        assert ent(path) == [] and dieharder(path) == []
