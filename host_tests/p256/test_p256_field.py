# SPDX-License-Identifier: MIT
"""Field and scalar arithmetic of the portable path against Python integers: over a million
operations, all pairs of hundreds of special numbers. The assembly is compared in
test_p256_emulated.py, operation by operation and in whole signatures."""

import ctypes
import itertools
import random

import p256_engine as engine
import pytest
from p256_reference import N, P, R, le, special

R_P, R_N = pow(R, -1, P), pow(R, -1, N)
HALF = pow(2, -1, P)

BINARY = {
    "p256_fe_mul": (P, 620, lambda a, b: a * b * R_P % P),
    "p256_fe_add": (P, 440, lambda a, b: (a + b) % P),
    "p256_fe_sub": (P, 440, lambda a, b: (a - b) % P),
    "p256_scalar_montgomery": (N, 300, lambda a, b: a * b * R_N % N),
    "p256_scalar_add": (N, 200, lambda a, b: (a + b) % N),
}
UNARY = {
    "p256_fe_sqr": (P, 100000, lambda a: a * a * R_P % P),
    "p256_fe_half": (P, 30000, lambda a: a * HALF % P),
    "p256_fe_invert": (P, 12000, lambda a: pow(a, -1, P) * R * R % P if a else 0),
    "p256_scalar_invert": (N, 12000, lambda a: pow(a, -1, N) * R % N if a else 0),
}


def _unpack(raw):
    return [int.from_bytes(raw[i : i + 32], "little") for i in range(0, len(raw), 32)]


def _pairs(name, scale):
    modulus, count, expected = BINARY[name]
    numbers = special(modulus, int(count * scale), name)
    pairs = list(itertools.product(numbers, numbers))
    left = b"".join(le(a) for a, _ in pairs)
    right = b"".join(le(b) for _, b in pairs)
    result = _unpack(engine.batch(name, left, right))
    wrong = [(a, b) for (a, b), r in zip(pairs, result) if r != expected(a, b)]
    assert wrong == []


def _singles(name, scale):
    modulus, count, expected = UNARY[name]
    numbers = special(modulus, int(count * scale), name)
    result = _unpack(engine.batch(name, b"".join(le(a) for a in numbers)))
    wrong = [a for a, r in zip(numbers, result) if r != expected(a)]
    assert wrong == []


def test_the_counts_add_up_to_a_million():
    assert sum(c * c for _, c, _ in BINARY.values()) + sum(u[1] for u in UNARY.values()) >= 1000000


@pytest.mark.parametrize("name", BINARY)
def test_binary_operations_agree_with_integers(name):
    _pairs(name, 1)


@pytest.mark.parametrize("name", UNARY)
def test_unary_operations_agree_with_integers(name):
    _singles(name, 1)


@pytest.mark.slow
@pytest.mark.parametrize("name", BINARY)
def test_binary_operations_agree_with_integers_for_long(name):
    _pairs(name, 4)


@pytest.mark.slow
@pytest.mark.parametrize("name", UNARY)
def test_unary_operations_agree_with_integers_for_long(name):
    _singles(name, 10)


def test_outputs_may_be_inputs():
    rng = random.Random(1)
    lib = engine.load()
    for _ in range(200):
        a = rng.randrange(P)
        buffer = ctypes.create_string_buffer(le(a), 32)
        lib.p256_fe_mul(buffer, buffer, buffer)
        assert _unpack(buffer.raw) == [a * a * R_P % P]
        lib.p256_fe_sub(buffer, buffer, buffer)
        assert _unpack(buffer.raw) == [0]
