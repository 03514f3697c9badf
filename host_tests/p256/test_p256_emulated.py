# SPDX-License-Identifier: MIT
"""The engine on an emulated Cortex-M4 (assembly) and RV32IMC (C): the right results, the same
number of instructions whatever the secrets are, the limits on instructions and stack, and
nothing left in the stack that depends on a secret."""

import random

import p256_build
import p256_driver as driver
import p256_vectors as vectors
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from p256_oracle import accepted
from p256_reference import G, N, P, R, be, edge_scalars, le, point_bytes, special

pytestmark = pytest.mark.long

BUILDS = [("m4", "-O2"), ("m4", "-Os"), ("rv32", "-O2"), ("rv32", "-Os")]
OTHER_POINT = point_bytes(G)


def program(target, optimise):
    if not p256_build.emulator(target):
        pytest.skip("no compiler or emulator for " + target)
    return p256_build.bare(target, optimise)


def perform(target, optimise, requests):
    return driver.perform(program(target, optimise), requests)


# --- results -------------------------------------------------------------------------------


@pytest.mark.parametrize("target,optimise,count", [("m4", "-O2", 1000), ("rv32", "-Os", 150)])
def test_signatures_of_the_board_are_accepted_by_cryptography(target, optimise, count):
    rng = random.Random(count)
    requests, keys = [], []
    for i in range(count):
        scalar, digest = rng.randrange(1, N), rng.randbytes(32)
        op = driver.SIGN if i % 3 else driver.SIGN_RFC6979
        fields = {"scalar": be(scalar), "digest": digest, "blind": rng.randbytes(32)}
        requests.append(driver.request(op, nonce=be(rng.randrange(1, N)), **fields))
        keys.append((scalar, digest))
    for (scalar, digest), reply in zip(keys, perform(target, optimise, requests)):
        public_key = ec.derive_private_key(scalar, ec.SECP256R1()).public_key()
        assert reply.result and accepted(public_key, digest, reply.out)


@pytest.mark.parametrize("target,optimise", [("m4", "-O2"), ("rv32", "-Os")])
def test_wycheproof_on_the_board(target, optimise):
    cases = [c for c in vectors.wycheproof_ecdsa() if c.name.startswith(("sha256", "sha512_p"))]
    requests = [
        driver.request(
            *(driver.VERIFY, len(c.digest)),
            **{"point": c.point, "digest": c.digest, "signature": c.signature},
        )
        for c in cases
    ]
    agreements = list(vectors.wycheproof_ecdh())
    requests += [
        driver.request(driver.ECDH, scalar=c.scalar, point=c.point, blind=be(7))
        for c in agreements
    ]
    replies = perform(target, optimise, requests)
    for case, reply in zip(cases, replies):
        assert bool(reply.result) == case.valid, case.name
    for case, reply in zip(agreements, replies[len(cases) :]):
        assert bool(reply.result) == case.valid, case.name
        assert reply.out[:32] == (case.secret if case.valid else bytes(32)), case.name


FIELD = {
    driver.MUL: (P, lambda a, b: a * b * pow(R, -1, P) % P),
    driver.SQR: (P, lambda a, b: a * a * pow(R, -1, P) % P),
    driver.ADD: (P, lambda a, b: (a + b) % P),
    driver.SUB: (P, lambda a, b: (a - b) % P),
    driver.HALF: (P, lambda a, b: a * pow(2, -1, P) % P),
    driver.INVERT: (P, lambda a, b: pow(a, -1, P) * R * R % P if a else 0),
    driver.SCALAR_MUL: (N, lambda a, b: a * b * pow(R, -1, N) % N),
    driver.SCALAR_INVERT: (N, lambda a, b: pow(a, -1, N) * R % N if a else 0),
}


def _field(target, optimise, count):
    requests, expected = [], []
    for op, (modulus, function) in FIELD.items():
        numbers = special(modulus, count, op)
        for a, b in zip(numbers, numbers[1:] + numbers[:1]):
            requests.append(driver.request(op, scalar=le(a), digest=le(b)))
            expected.append((op, a, b, function(a, b)))
    for (op, a, b, result), reply in zip(expected, perform(target, optimise, requests)):
        assert reply.out[:32] == le(result), (op, hex(a), hex(b))


@pytest.mark.parametrize("target,optimise", [("m4", "-O2"), ("rv32", "-O2")])
def test_field_operations_of_the_board_agree_with_integers(target, optimise):
    _field(target, optimise, 700)


@pytest.mark.slow
@pytest.mark.parametrize("target,optimise", BUILDS)
def test_field_operations_of_the_board_agree_with_integers_for_long(target, optimise):
    _field(target, optimise, 20000)


# --- constant time -------------------------------------------------------------------------


def _secret_requests(op, count, edges):
    """Requests that differ in everything secret: scalar, nonce, digest, blinding."""
    rng = random.Random(op)
    scalars = [rng.randrange(1, N) for _ in range(count)] + edges
    for scalar in scalars:
        digest, blind = rng.randbytes(32), rng.randbytes(32)
        nonce = rng.randrange(1, N)
        if op == driver.SIGN and rng.random() < 0.5:
            scalar, nonce = nonce, scalar
        yield driver.request(
            *(op | driver.WITH_STACK, 32),
            **{"scalar": be(scalar), "digest": digest, "nonce": be(nonce), "blind": blind},
            point=OTHER_POINT,
        )


SECRET_OPS = {
    "public": driver.PUBLIC,
    "sign": driver.SIGN,
    "rfc6979": driver.SIGN_RFC6979,
    "ecdh": driver.ECDH,
}


@pytest.mark.parametrize("target,optimise", BUILDS)
@pytest.mark.parametrize("name", SECRET_OPS)
def test_instructions_and_the_stack_left_behind_do_not_depend_on_secrets(target, optimise, name):
    op, edges = SECRET_OPS[name], edge_scalars()
    edges = edges[:: 9 if op == driver.ECDH else 5] + [1, 2, 3, N - 3, N - 2, N - 1]
    replies = perform(target, optimise, list(_secret_requests(op, 200, edges)))
    assert all(reply.result for reply in replies)
    counts = {reply.instructions for reply in replies}
    assert len(counts) == 1, sorted(counts)
    assert len({reply.residue for reply in replies}) == 1


@pytest.mark.parametrize("target", ["m4", "rv32"])
def test_the_clock_counts_single_instructions(target):
    if not p256_build.emulator(target):
        pytest.skip("no compiler or emulator for " + target)
    clock = p256_build.bare(target, operations="ops_none.c")
    rounds = (1, 2, 3, 4, 5, 6, 7, 1000, 100001)
    replies = driver.perform(clock, [driver.request(driver.NOPS, n) for n in rounds])
    overhead = replies[0].instructions - 2
    assert [r.instructions - overhead for r in replies] == [2 * n for n in rounds]


# --- limits --------------------------------------------------------------------------------

# Instructions; issue 8: R/20, R/24, R/19, R_ecdh/16 of mbedTLS tuned -O2, R_rv32/10 and /9.
LIMITS = {
    ("m4", "-O2"): {"public": 211000, "sign": 254000, "verify": 718000, "ecdh": 696000},
    ("m4", "-Os"): {"public": 211000, "sign": 254000, "verify": 718000, "ecdh": 696000},
    ("rv32", "-O2"): {"sign": 845000, "verify": 3180000},
    ("rv32", "-Os"): {"sign": 845000, "verify": 3180000},
}
STACK = 2560


def _verifications(target, optimise):
    rng = random.Random(24)
    requests = []
    for _ in range(20):
        scalar, digest = be(rng.randrange(1, N)), rng.randbytes(32)
        fields = {
            "scalar": scalar,
            "digest": digest,
            "nonce": be(rng.randrange(1, N)),
            "blind": be(9),
        }
        point, signature = perform(
            target,
            optimise,
            [driver.request(driver.PUBLIC, **fields), driver.request(driver.SIGN, **fields)],
        )
        requests.append(
            driver.request(
                *(driver.VERIFY | driver.WITH_STACK, 32),
                **{"point": point.out, "digest": digest, "signature": signature.out},
            )
        )
    replies = perform(target, optimise, requests)
    assert all(r.result for r in replies)
    return replies


@pytest.mark.parametrize("target,optimise", BUILDS)
def test_instructions_and_stack_stay_within_their_limits(target, optimise):
    limits = LIMITS[target, optimise]
    for name, op in SECRET_OPS.items():
        reply = perform(target, optimise, list(_secret_requests(op, 1, [])))[0]
        assert reply.instructions <= limits.get(name, 1 << 32), name
        assert 0 < reply.stack <= STACK, name
    for reply in _verifications(target, optimise):
        assert reply.instructions <= limits["verify"]
        assert reply.stack <= STACK
