# SPDX-License-Identifier: MIT
"""Whole operations of the portable path against `cryptography`, and bad input."""

import hashlib
import os
import random

import p256_engine as engine
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, utils
from p256_oracle import PREHASHED, accepted
from p256_reference import B, G, N, P, R, add, be, edge_scalars, multiply, point_bytes


def _key(scalar):
    return ec.derive_private_key(scalar, ec.SECP256R1())


def _point(key):
    numbers = key.public_key().public_numbers()
    return be(numbers.x) + be(numbers.y)


def _signatures(count, seed):
    rng = random.Random(seed)
    key = None
    for i in range(count):
        if i % 20 == 0:
            key = _key(rng.randrange(1, N))
            public_key, scalar = key.public_key(), key.private_numbers().private_value
            point = _point(key)
            assert engine.public(scalar) == point
        digest = rng.randbytes(32)
        if i % 2:
            signature = engine.sign(scalar, digest, rng.randrange(1, N))
        else:
            signature = engine.sign_rfc6979(scalar, digest, os.urandom(i % 48))
        assert accepted(public_key, digest, signature)
        if i % 3 == 0:
            assert engine.verify(point, digest, signature)
        if i % 15 == 0:
            bad = bytearray(signature)
            bad[rng.randrange(64)] ^= 1 << rng.randrange(8)
            assert not engine.verify(point, digest, bytes(bad))
            assert not engine.verify(point, rng.randbytes(32), signature)


@pytest.mark.long
def test_twenty_thousand_signatures_agree_with_cryptography():
    _signatures(20000, 1)


@pytest.mark.slow
def test_signatures_agree_with_cryptography_for_long():
    _signatures(400000, 2)


def test_signatures_of_cryptography_are_accepted():
    for _ in range(300):
        key = ec.generate_private_key(ec.SECP256R1())
        digest = os.urandom(32)
        r, s = utils.decode_dss_signature(key.sign(digest, PREHASHED))
        assert engine.verify(_point(key), digest, be(r) + be(s))


def test_shared_secrets_agree_with_cryptography():
    for _ in range(1000):
        ours, theirs = _key(random.randrange(1, N)), ec.generate_private_key(ec.SECP256R1())
        secret = ours.exchange(ec.ECDH(), theirs.public_key())
        assert engine.ecdh(ours.private_numbers().private_value, _point(theirs)) == secret


def test_edge_scalars_give_the_right_points():
    for scalar in edge_scalars():
        assert engine.public(scalar) == _point(_key(scalar)), hex(scalar)


def test_edge_scalars_give_the_right_secrets():
    other = _key(0x1234567)
    for scalar in edge_scalars()[::3] + [1, 2, 3, N - 1, N - 2, N - 3]:
        secret = _key(scalar).exchange(ec.ECDH(), other.public_key())
        assert engine.ecdh(scalar, _point(other)) == secret, hex(scalar)


def test_edge_nonces_sign():
    key = _key(0xC0FFEE)
    digest = hashlib.sha256(b"nonce").digest()
    for nonce in edge_scalars()[::5] + [1, 2, N - 1, N - 2]:
        signature = engine.sign(0xC0FFEE, digest, nonce)
        x = _key(nonce).public_key().public_numbers().x
        assert signature[:32] == be(x % N)
        assert accepted(key.public_key(), digest, signature)


@pytest.mark.parametrize("blind", [0, 1, 2, P - 1, P, P + 1, 2 * P - 1 - R // 2, R - 1])
def test_any_blinding_gives_the_same_result(blind):
    blind = be(blind % R)
    digest = hashlib.sha256(b"blind").digest()
    assert engine.public(77, blind) == _point(_key(77))
    assert engine.sign(77, digest, 99, blind) == engine.sign(77, digest, 99)
    assert engine.ecdh(77, point_bytes(G), blind) == _point(_key(77))[:32]


@pytest.mark.parametrize("length", [0, 1, 20, 28, 31, 32, 33, 48, 64])
def test_digests_of_any_length(length):
    digest = random.Random(length).randbytes(length)
    signature = engine.sign_rfc6979(5, digest)
    assert engine.verify(_point(_key(5)), digest, signature)
    e = int.from_bytes(digest[:32], "big") % N
    assert accepted(_key(5).public_key(), be(e), signature)


@pytest.mark.parametrize("scalar", [0, N, N + 1, R - 1])
def test_scalars_out_of_range_are_refused(scalar):
    good = be(1)
    assert not engine.scalar_valid(scalar)
    assert engine.public(scalar) is None
    assert engine.sign(scalar, good, 1) is None
    assert engine.sign(1, good, scalar) is None
    assert engine.sign_rfc6979(scalar, good) is None
    assert engine.ecdh(scalar, point_bytes(G)) is None


def test_a_signature_with_s_zero_is_not_given_out():
    nonce = 12345
    r = multiply(nonce, G)[0] % N
    scalar = 999
    digest = be(-r * scalar % N)
    assert engine.sign(scalar, digest, nonce) is None


def _bad_points():
    x, y = G
    yield be(0) + be(0)
    yield be(x) + be((y + 1) % P)
    yield be(x) + be(0)
    yield be(0) + be(y)
    yield be(R - 1) + be(R - 1)
    yield be(P) + be(y)
    # a point of the curve whose x + p still fits in 32 bytes
    small = next(x for x in range(5, 99) if pow((x**3 - 3 * x + B) % P, (P - 1) // 2, P) == 1)
    root = pow(small**3 - 3 * small + B, (P + 1) // 4, P)
    assert engine.point_valid(be(small) + be(root))
    yield be(small + P) + be(root)
    yield be(small) + be(root)[::-1]
    # points of the twist and of curves with another b
    for _ in range(20):
        yield os.urandom(64)


def test_points_off_the_curve_are_refused_everywhere():
    for point in _bad_points():
        assert not engine.point_valid(point)
        assert engine.ecdh(5, point) is None
        assert not engine.verify(point, bytes(32), be(1) + be(1))


def test_r_and_s_out_of_range_are_refused():
    digest, point = be(7), point_bytes(G)
    good = engine.sign(1, digest, 3)
    r, s = good[:32], good[32:]
    assert engine.verify(point, digest, good)
    assert engine.verify(point, digest, r + be(N - int.from_bytes(s, "big")))
    for bad in (0, N, N + 1, R - 1):
        assert not engine.verify(point, digest, be(bad) + s)
        assert not engine.verify(point, digest, r + be(bad))
    for name, value in (("r", int.from_bytes(r, "big")), ("s", int.from_bytes(s, "big"))):
        if value + N < R:
            swapped = be(value + N) + s if name == "r" else r + be(value + N)
            assert not engine.verify(point, digest, swapped)


def test_verification_meets_every_exceptional_addition():
    # Q = d G for tiny d makes the multiples of Q and G meet each other and cancel.
    digest = be(0)
    for d in [1, 2, 3, 4, 5, 15, 16, N - 1, N - 2, N - 3]:
        point = point_bytes(multiply(d, G))
        for nonce in (1, 2, 3, N - 1, 12345):
            for e in (0, 1, 2, N - 1, d, N - d, 7777):
                digest = be(e)
                signature = engine.sign(d, digest, nonce)
                if signature is not None:
                    assert engine.verify(point, digest, signature), (d, nonce, e)
                    assert not engine.verify(point, be((e + 1) % N), signature)
    # u1 G + u2 Q = neutral element
    r, s = 5, 11
    e = -r * 3 % N
    assert not engine.verify(point_bytes(multiply(3, G)), be(e), be(r) + be(s))


def test_an_x_coordinate_above_n_is_compared_modulo_n():
    # r = x - n for a point with n <= x < p; Q is made to fit: Q = (s R - e G) / r
    x = N
    while pow((x**3 - 3 * x + B) % P, (P - 1) // 2, P) != 1:
        x += 1
    point = (x, pow((x**3 - 3 * x + B) % P, (P + 1) // 4, P))
    r, s, e = x - N, 7, 99
    inverse = pow(r, -1, N) if r else None
    while inverse is None:
        x += 1
        if pow((x**3 - 3 * x + B) % P, (P - 1) // 2, P) == 1:
            point = (x, pow((x**3 - 3 * x + B) % P, (P + 1) // 4, P))
            r, inverse = x - N, pow(x - N, -1, N)
    q = multiply(inverse, add(multiply(s, point), multiply(-e, G)))
    assert engine.verify(point_bytes(q), be(e), be(r) + be(s))
    assert not engine.verify(point_bytes(q), be(e), be(r + 1) + be(s))
