# SPDX-License-Identifier: MIT
"""The facts that the proofs in docs/P256.md rest on, computed.

That no addition of the comb can meet its own summand, for which scalars the last addition of ECDH
can, what the matrices of fifteen division steps look like, and that generated files are what
their generators write.
"""

import ctypes
import hashlib
import io
import itertools
import re

import p256_engine
from p256_build import ENGINE
from p256_reference import N, gen_combs

COMBS, COLUMNS, TEETH = gen_combs.COMBS, gen_combs.COLUMNS, gen_combs.TEETH
DIGITS = COMBS * COLUMNS * TEETH
ORDER = (3, 2, 1, 0)  # combs within a column, as in comb.c


def meetings(order):
    """Odd k below n for which an addition in column 0 would meet its summand or the negative.

    Let T be the entry of the comb whose turn it is, A the sum before, rest what later combs add:
    k = A + T + rest. A = sigma T + m n with sigma = 1 or -1 means k = (sigma + 1) T + m n + rest.
    All terms but m n are below 2^249 in absolute value, so m is -1, 0 or 1. The unknown signs are
    found from the lowest digit up: each must be what the digits of k say.
    """
    found = []
    for step, comb in enumerate(order):
        later = order[step + 1 :]
        places = sorted(
            (COLUMNS * (COMBS * tooth + j), j) for tooth in range(TEETH) for j in (comb, *later)
        )
        for sigma, m in itertools.product((1, -1), (-1, 0, 1)):
            partial = [m * N]
            for place, j in places:
                weight = sigma + 1 if j == comb else 1
                # the digit at `place` of the final k depends on lower places only
                partial = [
                    k + weight * (sign << place)
                    for k in partial
                    for sign in (1, -1)
                    if digit(k + weight * (sign << place), place) == sign
                ]
            found += [k for k in partial if 0 < k < N and k % 2]
    return found


def digit(k, place):
    """Digit `place`, 1 or -1, of the odd k; only its bits up to place + 1 matter."""
    return 1 if ((k - 1) // 2 + (1 << DIGITS - 1)) >> place & 1 else -1


def test_the_digits_of_the_comb_are_a_number():
    for k in (1, 3, N - 2, 0x123456789ABCDEF << 180 | 1):
        assert sum(digit(k, i) << i for i in range(DIGITS)) == k


def test_no_addition_of_the_last_column_meets_its_summand():
    assert meetings(ORDER) == []


def test_the_search_finds_meetings_where_there_are_some():
    # with comb 3 last there is one k; it is a regression that this order once had
    found = meetings((0, 1, 2, 3))
    assert found == [0xFEFFFFFF00000010FFFFFFFFFFFEFFFFBCE6FAADB7179E84F3B9CBC2FC632551]
    k = found[0]
    entry = sum(digit(k, COLUMNS * (COMBS * t + 3)) << COLUMNS * (COMBS * t + 3) for t in range(5))
    assert (k - 2 * entry) % N == 0


def test_sums_of_earlier_columns_are_too_small_to_meet_modulo_n():
    # In column c: 2^c A = k - rest, so |A -+ T| < n means that A = +-T would hold for integers.
    summand = sum(1 << COLUMNS * COMBS * tooth for tooth in range(TEETH)) << COLUMNS * (COMBS - 1)
    for column in range(1, COLUMNS):
        rest = sum((2 << column) - 1 << COLUMNS * block for block in range(COMBS * TEETH))
        assert (N + rest >> column) + summand < N


def test_the_last_addition_of_ecdh_meets_its_summand_only_for_n_minus_two():
    found = []
    for odd in range(1, 16, 2):
        for d in (odd, -odd):
            # 16 A = d modulo n with 16 A + d = k, k odd and below n
            for m in (-1, 0, 1):
                k = m * N + 2 * d
                if 0 < k < N and k % 2 and (k - d) % 16 == 0 and ((k - d) // 16) % 2:
                    found.append(k)
    assert found == [N - 2]


def test_entries_of_fifteen_division_steps_fit_the_packed_rows():
    low, high = 0, 0
    for zeta in range(-17, 17):
        states = {(zeta, 1, 0, 0, 1)}
        for _ in range(15):
            following = set()
            for z, u, v, q, r in states:
                following.add((z - 1, 2 * u, 2 * v, q, r))
                if z < 0:
                    following.add((-z - 2, 2 * q, 2 * r, q - u, r - v))
                else:
                    following.add((z - 1, 2 * u, 2 * v, q + u, r + v))
            states = following
        for _, *entries in states:
            low, high = min(low, *entries), max(high, *entries)
    assert (low, high) == (-(2**14), 2**15)


def test_combs_c_is_what_the_generator_writes():
    out = io.StringIO()
    gen_combs.main(out)
    assert (ENGINE / "p256" / "combs.c").read_text() == out.getvalue()


def test_the_first_key_of_rfc_6979_is_padded_right():
    # Midstates cannot be had from hashlib; a hash over pad and nothing more can.
    text = (ENGINE / "p256" / "nonce.c").read_text()
    for name, pad in (("zero_inner", 0x36), ("zero_outer", 0x5C)):
        words = re.search(name + r"\[8\] = \{(.*?)\}", text, re.S)[1]
        state = [int(word, 16) for word in re.findall("0x[0-9a-f]{8}", words)]
        assert compress(state, padding(64)) == hashlib.sha256(bytes([pad]) * 64).digest()


def padding(size):
    """The last block of a message of `size` bytes, a multiple of 64."""
    return b"\x80" + bytes(55) + (8 * size).to_bytes(8, "big")


def compress(state, block):
    """The compression function of SHA-256 on eight integers; returns the digest."""
    words = (ctypes.c_uint32 * 8)(*state)
    p256_engine.load().fast_sha256_blocks(words, block, ctypes.c_size_t(1))
    return b"".join(word.to_bytes(4, "big") for word in words)
