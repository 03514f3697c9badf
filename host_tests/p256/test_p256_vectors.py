# SPDX-License-Identifier: MIT
"""Published vectors on the portable path: Wycheproof, NIST CAVP, RFC 6979."""

import hashlib
import hmac
import random

import p256_engine as engine
import p256_vectors as vectors
import pytest
from p256_reference import N, be

# RFC 6979, A.2.5
KEY = bytes.fromhex("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721")
RFC_6979 = {
    b"sample": "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
    "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
    b"test": "F1ABB023518351CD71D881567B1EA663ED3EFCF6C5132B354F28D3B0B7D38367"
    "019F4113742A2B14BD25926B49C649155F267E60D3814B4C0CC84250E46F0083",
}


def test_wycheproof_signatures():
    cases = list(vectors.wycheproof_ecdsa())
    assert len(cases) > 1000
    wrong = [c.name for c in cases if engine.verify(c.point, c.digest, c.signature) != c.valid]
    assert wrong == []


def test_wycheproof_agreements():
    cases = list(vectors.wycheproof_ecdh())
    assert len(cases) > 500 and not all(c.valid for c in cases)
    for case in cases:
        expected = case.secret if case.valid else None
        assert engine.ecdh(case.scalar, case.point) == expected, case.name


def test_nist_signatures():
    cases = list(vectors.nist_signatures())
    assert len(cases) == 75
    for scalar, point, digest, nonce, signature in cases:
        assert engine.public(scalar) == point
        assert engine.sign(scalar, digest, nonce) == signature
        assert engine.verify(point, digest, signature)


def test_nist_verifications():
    cases = list(vectors.nist_verifications())
    assert len(cases) == 75 and {c.valid for c in cases} == {True, False}
    for case in cases:
        assert engine.verify(case.point, case.digest, case.signature) == case.valid


def test_nist_key_pairs():
    cases = list(vectors.nist_key_pairs())
    assert len(cases) == 10
    for scalar, point in cases:
        assert engine.public(scalar) == point


def test_nist_points():
    cases = list(vectors.nist_points())
    assert len(cases) >= 10
    for point, valid in cases:
        assert (point is not None and engine.point_valid(point)) == valid


def test_nist_agreements():
    cases = list(vectors.nist_agreements())
    assert len(cases) > 30
    agreed = 0
    for scalar, point, secret, result in cases:
        if not engine.point_valid(point):
            assert engine.ecdh(scalar, point) is None and result.startswith("F")
        elif result.startswith("P"):
            assert engine.ecdh(scalar, point) == secret
            agreed += 1
    assert agreed > 10


@pytest.mark.parametrize("message", RFC_6979)
def test_rfc_6979_vectors(message):
    signature = engine.sign_rfc6979(KEY, hashlib.sha256(message).digest())
    assert signature.hex().upper() == RFC_6979[message]


def nonce_of_rfc_6979(scalar, digest, extra):
    """RFC 6979, 3.2 and 3.6, with HMAC of the standard library."""
    reduced = be(int.from_bytes(digest[:32], "big") % N)
    k, v = bytes(32), b"\x01" * 32
    for tag in (b"\x00", b"\x01"):
        k = hmac.digest(k, v + tag + scalar + reduced + extra, "sha256")
        v = hmac.digest(k, v, "sha256")
    while True:
        v = hmac.digest(k, v, "sha256")
        if 0 < int.from_bytes(v, "big") < N:
            return v
        k = hmac.digest(k, v + b"\x00", "sha256")
        v = hmac.digest(k, v, "sha256")


def test_the_nonce_is_that_of_rfc_6979_with_and_without_entropy():
    rng = random.Random(6979)
    for i in range(300):
        scalar, digest = be(rng.randrange(1, N)), rng.randbytes(32)
        digest = b"\xff" * 32 if i % 10 == 0 else digest
        extra = rng.randbytes(i % 70)
        nonce = nonce_of_rfc_6979(scalar, digest, extra)
        expected = engine.sign(scalar, digest, nonce)
        assert engine.sign_rfc6979(scalar, digest, extra) == expected
