# SPDX-License-Identifier: MIT
"""The engine under the address and undefined-behaviour sanitizers, under valgrind with all secrets
marked undefined, and compiled for the cores that we cannot run whole tests on."""

import random

import p256_build
import p256_driver as driver
import p256_vectors as vectors
import pytest
from p256_reference import G, N, R, be, edge_scalars, point_bytes

pytestmark = pytest.mark.long

SANITIZE = "-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all"
POISON = "-g -DP256_VALGRIND=1"


def _requests(count):
    """Every operation on random, edge and bad scalars."""
    rng = random.Random(count)
    edges = rng.sample(edge_scalars(), count) + [0, N, R - 1, 1, 2, N - 2, N - 1]
    for i, scalar in enumerate(edges):
        fields = {
            "scalar": be(scalar),
            "nonce": be(rng.choice((scalar, rng.randrange(1, N)))),
            "digest": rng.randbytes(64),
            "blind": rng.randbytes(32) if i % 7 else be(i % 2),
            "point": point_bytes(G) if i % 5 else rng.randbytes(64),
        }
        length = rng.choice((0, 20, 31, 32, 33, 48, 64))
        for op in (driver.PUBLIC, driver.SIGN, driver.SIGN_RFC6979, driver.ECDH):
            yield driver.request(op, length, **fields)
        yield driver.request(driver.POINT_VALID, **fields)
        yield driver.request(driver.SHA256, i * 37 % 300)


def _vectors():
    for c in vectors.wycheproof_ecdsa():
        fields = {"point": c.point, "digest": c.digest, "signature": c.signature}
        yield driver.request(driver.VERIFY, len(c.digest), **fields)


def test_sanitizers_find_nothing():
    program = p256_build.host("sanitized", SANITIZE)
    requests = list(_requests(60)) + list(_vectors())
    plain = driver.perform(p256_build.host("plain", "-O2"), requests)
    assert driver.perform(program, requests) == plain


@pytest.mark.skipif(not p256_build.have("valgrind"), reason="no valgrind")
@pytest.mark.parametrize("optimise", ["-O1", "-O2", "-Os", "-O3"])
def test_valgrind_sees_no_branch_and_no_address_on_undefined_secrets(optimise):
    program = p256_build.host("poisoned" + optimise, optimise + " " + POISON)
    valgrind = ("valgrind", "-q", "--error-exitcode=99", "--track-origins=no")
    replies = driver.perform(program, list(_requests(4)), prefix=valgrind)
    assert sum(r.result for r in replies) > 30


@pytest.mark.skipif(not p256_build.have("valgrind"), reason="no valgrind")
def test_valgrind_sees_the_branch_when_the_scalar_is_not_declassified():
    # the range check is a branch on the scalar; without P256_PUBLIC it must be reported
    flags = "-O2 -g -DP256_VALGRIND=1 -DP256_NOTHING_PUBLIC=1"
    program = p256_build.host("undeclared", flags)
    with pytest.raises(RuntimeError, match=": 99"):
        driver.perform(
            program,
            [driver.request(driver.PUBLIC, scalar=be(5), blind=be(6))],
            prefix=("valgrind", "-q", "--error-exitcode=99"),
        )


@pytest.mark.skipif(not p256_build.have("arm-none-eabi-gcc"), reason="no Arm compiler")
@pytest.mark.parametrize("optimise", ["-Os", "-O2"])
@pytest.mark.parametrize("core", p256_build.OTHER_CORES)
def test_other_cores_compile_without_warnings(core, optimise):
    symbols = p256_build.run(["arm-none-eabi-nm", *p256_build.object_files(core, optimise)])
    assembly = core in ("m7", "m33")
    assert ("p256_acc_mul" in symbols) == assembly


@pytest.mark.skipif(not p256_build.have("arm-none-eabi-gcc"), reason="no Arm compiler")
@pytest.mark.parametrize("optimise", ["-Os", pytest.param("-O2", marks=pytest.mark.slow)])
def test_cortex_m0_signs_the_same_way_whatever_the_secrets(optimise):
    pytest.importorskip("unicorn")
    from p256_machine import Machine

    machine = Machine(p256_build.bare("m0", optimise), "m0")
    scalars, summaries = (1, 0x1234567 << 200), set()
    requests = [
        driver.request(driver.SIGN, scalar=be(k), nonce=be(N - k), digest=be(k + 1), blind=be(k))
        for k in scalars
    ]
    for k, reply in zip(scalars, driver.perform(p256_build.host("plain", "-O2"), requests)):
        arguments = (bytes(64), be(k), be(k + 1), 32, be(N - k), be(k))
        result, memory, trace = machine.call("p256_sign", *arguments)
        assert result & 0xFF and memory[0] == reply.out
        summaries.add(trace.summary())
    assert len(summaries) == 1
