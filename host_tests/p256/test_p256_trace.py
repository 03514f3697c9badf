# SPDX-License-Identifier: MIT
"""Every executed block and every data address, in order, of key generation, signing and ECDH on
the compiled code: the same whatever the secrets are. So no branch and no table access depends on
a secret, in the assembly, in what the compilers made of the C, and in their libraries."""

import random

import p256_build
import pytest
from p256_reference import G, N, be, multiply, point_bytes

pytest.importorskip("unicorn")
pytest.importorskip("elftools")
from p256_machine import Machine  # noqa: E402

pytestmark = pytest.mark.long

OTHER = point_bytes(multiply(0xABCDEF, G))
SCALARS = [N - 2, 0x5555555555555555 << 150, 1]
QUICK = [("m4", "-O2"), ("rv32", "-Os")]
BUILDS = [*QUICK, ("m4", "-Os"), ("rv32", "-O2")]
NAMES = ["p256_public", "p256_sign", "p256_sign_rfc6979", "p256_ecdh"]


def machine(target, optimise):
    if not p256_build.have(p256_build.TARGETS[target]["compiler"]):
        pytest.skip("no compiler for " + target)
    return Machine(p256_build.bare(target, optimise), target)


def _arguments(name, scalar, rng):
    digest, nonce, blind = rng.randbytes(32), be(rng.randrange(1, N)), rng.randbytes(32)
    if name == "p256_public":
        return bytes(64), be(scalar), blind
    if name == "p256_ecdh":
        return bytes(32), be(scalar), OTHER, blind
    if name == "p256_sign":
        # the edges as nonces too
        return bytes(64), nonce, digest, 32, be(scalar), blind
    return bytes(64), be(scalar), digest, 32, blind, 32, blind


def _cases():
    for build in BUILDS:
        for name in NAMES:
            slow = build not in QUICK and name in ("p256_ecdh", "p256_sign_rfc6979")
            yield pytest.param(*build, name, marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize("target,optimise,name", list(_cases()))
def test_no_address_depends_on_a_secret(target, optimise, name):
    rng = random.Random(name)
    m = machine(target, optimise)
    summaries, results = set(), set()
    scalars = SCALARS[: 2 if name == "p256_ecdh" else 3]
    for scalar in scalars:
        result, memory, trace = m.call(name, *_arguments(name, scalar, rng))
        assert result & 0xFF
        results.add(memory[0])
        summaries.add(trace.summary())
        if name in ("p256_public", "p256_sign"):
            start, size = m.symbols["p256_combs"]
            read = {a for a in trace.tables if start <= a < start + size}
            width = 16 if target == "m4" else 4  # a load of four words is seen as four
            assert len(read) * 4 == size or len(read) * width == size, "the whole table is read"
    assert len(results) > 1
    assert len(summaries) == 1


def test_the_trace_sees_an_address_that_depends_on_data():
    # verification is in variable time: two signatures must not look alike
    m = machine("m4", "-O2")
    rng = random.Random(3)
    summaries = set()
    point = m.call("p256_public", bytes(64), be(5), be(1))[1][0]
    for _ in range(2):
        digest = rng.randbytes(32)
        nonce = be(rng.randrange(1, N))
        signature = m.call("p256_sign", bytes(64), be(5), digest, 32, nonce, be(1))[1][0]
        result, _, trace = m.call("p256_verify", point, digest, 32, signature)
        assert result & 0xFF
        summaries.add(trace.summary())
    assert len(summaries) == 2
