# SPDX-License-Identifier: MIT
"""The figures that `make bench` prints are goals here: the engine against mbedTLS measured in the same
run, and PKCS#11 on the emulated board. Counts of instructions do not depend on this machine."""

import bench_p256
import bench_token
import p256_build
import pytest

pytestmark = [pytest.mark.emulated, pytest.mark.long]

MBEDTLS = bench_p256.ROOT / "build" / "src" / "mbedtls"


@pytest.mark.parametrize("target", ["m4", "rv32"])
def test_the_engine_keeps_its_goals_against_mbedtls_of_the_same_run(target):
    if not p256_build.emulator(target):
        pytest.fail("no compiler or emulator for " + target)
    results = bench_p256.compare(target, MBEDTLS, keys=2)
    missed = [row for row in bench_p256.goals(target, results) if row[1] > row[2]]
    assert missed == []
    secret = ("keygen", "sign", "sign_rfc6979", "ecdh")
    assert [results["engine"]["spread"][name] for name in secret] == [0, 0, 0, 0]


def test_pkcs11_on_the_board_keeps_its_limits_in_instructions(capsys):
    found = bench_token.measure(bench_token.BUILD)
    assert bench_token.table(found), capsys.readouterr().out
    for key, *_ in bench_token.ROWS:
        assert found[key]["mean"] > 1000, key
    # it does contain the arithmetic: a signature of the engine alone takes 165 000
    assert found["c_sign_total"]["mean"] > 200_000


@pytest.mark.slow
def test_the_firmware_with_mbedtls_as_backend_signs_and_the_engine_is_several_times_faster():
    build = bench_token.BUILD.with_name(bench_token.BUILD.name + "-mbedtls")
    assert build.is_dir(), "run `make firmware-mbedtls`"
    own = bench_token.measure(bench_token.BUILD)["c_sign_total"]["mean"]
    other = bench_token.measure(build)["c_sign_total"]["mean"]
    assert other > 10 * own
