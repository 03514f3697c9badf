# SPDX-License-Identifier: MIT
"""The curve in Python integers, and special numbers to try.

The arithmetic is that of gen_combs.py, which the engine's table comes from; nothing here is fast
or constant-time. Scalars and coordinates are ints, `be` and `le` give 32 bytes.
"""

import importlib.util
import random

from p256_build import ENGINE

_spec = importlib.util.spec_from_file_location("gen_combs", ENGINE / "p256" / "gen_combs.py")
gen_combs = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(gen_combs)

P, N, B, G = gen_combs.P, gen_combs.N, gen_combs.B, gen_combs.G
add, multiply = gen_combs.add, gen_combs.multiply
R = 1 << 256


def be(x):
    """32 bytes, big-endian."""
    return x.to_bytes(32, "big")


def le(x):
    """32 bytes, little-endian: the engine's words on a little-endian machine."""
    return x.to_bytes(32, "little")


def point_bytes(point):
    """X || Y of an affine point."""
    return be(point[0]) + be(point[1])


def special(modulus, count, seed):
    """`count` numbers below the modulus: edges, sparse words, words of ones, random ones."""
    rng = random.Random(seed)
    found = {0, 1, 2, 3, modulus - 1, modulus - 2, modulus - 3, modulus // 2, modulus // 2 + 1}
    found |= {(R - modulus) % modulus, R % modulus, R * R % modulus, pow(2, -1, modulus)}
    for bit in range(0, 256, 16):
        for x in ((1 << bit) - 1, 1 << bit, (1 << bit) + 1):
            found |= {x % modulus, (modulus - x) % modulus}
    words = (0, 1, 2, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF)
    while len(found) < count:
        if rng.random() < 0.3:
            found.add(rng.randrange(modulus))
        else:
            x = 0
            for i in range(8):
                word = rng.choice(words) if rng.random() < 0.8 else rng.getrandbits(32)
                x |= word << 32 * i
            found.add(x % modulus)
    return rng.sample(sorted(found), count)


def edge_scalars():
    """Scalars near which the multiplications could go wrong, all in 1..n-1."""
    found = set(range(1, 40)) | {N - x for x in range(1, 40)}
    for i in range(257):
        for x in ((1 << i) - 1, 1 << i, (1 << i) + 1):
            found |= {x % N, -x % N, (N // 2 + x) % N, (N // 2 - x) % N}
    for comb in range(gen_combs.COMBS):
        for e in range(1 << (gen_combs.TEETH - 1)):
            for x in (gen_combs.entry(comb, e), 2 * gen_combs.entry(comb, e)):
                found |= {x % N, -x % N, (x + 1) % N, (x - 1) % N}
    # what the combs would meet in another order (test_p256_exceptions.py)
    found |= {
        0xFEFFFFFF00000010FFFFFFFFFFFEFFFFBCE6FAADB7179E84F3B9CBC2FC632551,
        0xFFFFF7FF00000000FF7FFFFFFFFFFFF7BCE6FAADA7171E84F3B9CAC2F4632551 % N,
        0xFFFFFFFF40000000FFFFFBFFFFFFFFFFBCA6FAADA7179E80F3B9CAC2FC636551 % N,
        0xFFFFFFFF00020000FFFFFFFFDFFFFFFFBCE6F8ADA7179E84F399CAC2FC632553 % N,
    }
    return sorted(found - {0})
