#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Writes combs.c: the multiples of the generator of P-256 that p256_comb reads.

Entry e of comb j is 2^(13 j) (2^208 +- 2^156 +- 2^104 +- 2^52 +- 1) G with a plus where the bit of
e is set (bit 3 belongs to 2^156). Coordinates are in Montgomery form (times 2^256 modulo p), eight
words, the least significant first. The host tests run this file and compare.

Usage: gen_combs.py > combs.c
"""

import sys

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
COMBS, COLUMNS, TEETH = 4, 13, 5
SPACING = COMBS * COLUMNS


def add(a, b):
    """Sum of two affine points (None is the neutral element)."""
    if a is None or b is None:
        return a or b
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * (a[0] * a[0] - 1) * pow(2 * a[1], -1, P)
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P)
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, a):
    """k times the affine point a, for any integer k."""
    result = None
    for bit in bin(k % N)[2:]:
        result = add(result, result)
        if bit == "1":
            result = add(result, a)
    return result


def entry(comb, e):
    """The integer that entry e of a comb multiplies the generator with."""
    k = 1 << (TEETH - 1) * SPACING
    for tooth in range(TEETH - 1):
        sign = 1 if e >> tooth & 1 else -1
        k += sign << tooth * SPACING
    return k << comb * COLUMNS


def words(x):
    """C initialiser of a field element in Montgomery form, on two lines."""
    x = (x << 256) % P
    halves = ([x >> 32 * i & 0xFFFFFFFF for i in range(start, start + 4)] for start in (0, 4))
    return ",\n            ".join(", ".join("0x%08x" % word for word in half) for half in halves)


def main(out):
    """Writes the file."""
    out.write(
        "// SPDX-License-Identifier: MIT\n// Written by gen_combs.py.\n// clang-format off\n"
    )
    out.write('#include "point.h"\n\nconst p256_comb_t p256_combs[P256_COMBS] = {\n')
    for comb in range(COMBS):
        points = [multiply(entry(comb, e), G) for e in range(1 << (TEETH - 1))]
        out.write("    {\n")
        for axis in range(2):
            out.write("    {\n")
            for point in points:
                out.write("        {{ %s }},\n" % words(point[axis]))
            out.write("    },\n")
        out.write("    },\n")
    out.write("};\n")


if __name__ == "__main__":
    main(sys.stdout)
