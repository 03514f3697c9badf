# SPDX-License-Identifier: MIT
"""The fast SHA-256: the C path here, the assembly on the emulated Cortex-M4."""

import ctypes
import hashlib
import random

import p256_build
import p256_driver as driver
import p256_engine as engine
import pytest

MESSAGE = bytes((i * 7 + 1) & 255 for i in range(4160))  # as in harness/ops_engine.c


def _digest(pieces):
    lib = engine.load()
    state, out = ctypes.create_string_buffer(b"\xa5" * 104, 104), ctypes.create_string_buffer(32)
    lib.fast_sha256_start(state)
    for piece in pieces:
        lib.fast_sha256_add(state, piece, ctypes.c_size_t(len(piece)))
    lib.fast_sha256_end(out, state)
    assert state.raw == bytes(104), "the state is wiped"
    return out.raw


def test_every_length_agrees_with_hashlib():
    for size in range(400):
        message = random.Random(size).randbytes(size)
        assert _digest([message]) == hashlib.sha256(message).digest(), size


def test_messages_in_pieces_agree_with_hashlib():
    rng = random.Random(256)
    for _ in range(400):
        pieces = [rng.randbytes(rng.choice((0, 1, 3, 55, 63, 64, 65, 128, 200))) for _ in range(6)]
        assert _digest(pieces) == hashlib.sha256(b"".join(pieces)).digest()


@pytest.mark.long
@pytest.mark.parametrize("target", ["m4", "rv32"])
def test_the_board_agrees_with_hashlib(target):
    if not p256_build.emulator(target):
        pytest.skip("no tools for " + target)
    sizes = [*range(130), 1000, 4095, 4096]
    requests = [driver.request(driver.SHA256, size) for size in sizes]
    for size, reply in zip(sizes, driver.perform(p256_build.bare(target), requests)):
        assert reply.out[:32] == hashlib.sha256(MESSAGE[:size]).digest(), size


@pytest.mark.long
@pytest.mark.parametrize("optimise", ["-O2", "-Os"])
def test_a_byte_costs_at_most_thirty_instructions_on_cortex_m4(optimise):
    if not p256_build.emulator("m4"):
        pytest.skip("no tools for m4")
    requests = [driver.request(driver.SHA256, size) for size in (0, 4096)]
    empty, long = driver.perform(p256_build.bare("m4", optimise), requests)
    assert (long.instructions - empty.instructions) / 4096 <= 30
