# SPDX-License-Identifier: MIT
"""A certificate is renewed in time, on the same key or a new one."""

import pytest
from host.provision_kit import (
    DEMO,
    FILES,
    carry_out,
    handed_over,
    identity,
    job,
    pem,
    states,
    write,
)

from p11board import plan
from p11board.work import Renewal


@pytest.mark.parametrize("new_key", [False, True], ids=["same key", "new key"])
def test_a_certificate_is_renewed_when_its_end_is_near_and_only_then(device, tmp_path, new_key):
    short = job(tmp_path, DEMO, changes=[("certificate.days", "10")])
    carry_out(device, short)
    first = identity(device)
    todo = job(tmp_path, DEMO, renewal=Renewal(new_key))
    _, outcomes = carry_out(device, todo)
    second = identity(device)
    assert second[1] != first[1] and (second[0] != first[0]) == new_key
    assert states(outcomes)["switch"] == plan.APPLIED
    carry_out(device, todo)
    assert device.writes == [] and identity(device) == second


def test_a_renewal_by_files_makes_one_key_and_can_be_repeated(device, tmp_path, ca):
    _, first = handed_over(device, tmp_path, ca)
    old = identity(device)
    force = Renewal(new_key=True, force=True)
    path = tmp_path / "next.csr"
    for _ in range(2):
        carry_out(device, job(tmp_path, FILES, renewal=force, export_csr=str(path)), id="x")
        assert identity(device) == old
    assert device.writes == []  # the second export made no second key
    write(tmp_path / "next.pem", pem(ca.sign(path.read_bytes())))
    todo = job(tmp_path, FILES, renewal=force, import_cert=str(tmp_path / "next.pem"))
    carry_out(device, todo, id="x")
    new = identity(device)
    assert new[0] != old[0] and new[1] != first
    carry_out(device, todo, id="x")
    assert device.writes == [] and identity(device) == new
