# SPDX-License-Identifier: MIT
"""Provisioning by claim: a claim certificate until the board has an identity of its own."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from host.provision_kit import carry_out, contents, identity, job, key_pem, pem, states, write

from p11board import plan
from p11board.chain import BadCertificate
from p11board.errors import FileProblem

CLAIM = """
kind = "claim"
[certificate]
signer = "none"
trust = ["ca.pem"]
[objects]
root = "ca.pem"
[claim]
certificate = "claim.pem"
key = "claim.key"
"""


def claim_files(tmp_path, ca, **how):
    key = ec.generate_private_key(ec.SECP256R1())
    write(tmp_path / "claim.key", key_pem(key))
    write(tmp_path / "claim.pem", pem(ca.issue(key.public_key(), "CN=claim", **how)))


def test_a_claim_is_stored_and_gone_once_the_board_has_its_own_identity(device, tmp_path, ca):
    claim_files(tmp_path, ca)
    _, outcomes = carry_out(device, job(tmp_path, CLAIM), id="x")
    assert "claim CN=claim and the device key each signed" in outcomes[-1].text
    assert {label for label, _ in contents(device)} == {
        "Root Cert",
        "Claim Key",
        "Claim Cert",
        "Device Priv TLS Key",
        "Device Pub TLS Key",
    }
    carry_out(device, job(tmp_path, CLAIM), id="x")
    assert device.writes == []
    path = str(tmp_path / "x.csr")
    carry_out(device, job(tmp_path, CLAIM, export_csr=path), id="x")
    write(tmp_path / "x.pem", pem(ca.sign((tmp_path / "x.csr").read_bytes())))
    _, outcomes = carry_out(device, job(tmp_path, CLAIM, import_cert=str(tmp_path / "x.pem")))
    assert states(outcomes)["claim-gone"] == plan.APPLIED
    assert not any("Claim" in label for label, _ in contents(device))
    identity(device)
    carry_out(device, job(tmp_path, CLAIM), id="x")
    assert device.writes == []


def test_a_claim_may_be_kept(device, tmp_path, ca):
    claim_files(tmp_path, ca)
    changes = [("claim.discard", "false")]
    path = str(tmp_path / "x.csr")
    carry_out(device, job(tmp_path, CLAIM, changes=changes, export_csr=path), id="x")
    write(tmp_path / "x.pem", pem(ca.sign((tmp_path / "x.csr").read_bytes())))
    todo = job(tmp_path, CLAIM, changes=changes, import_cert=str(tmp_path / "x.pem"))
    carry_out(device, todo, id="x")
    assert ("Claim Key", "private key") in contents(device)


def test_a_trusted_users_claim_must_be_short_lived(device, tmp_path, ca):
    text = CLAIM.replace('"claim"', '"trusted-user"', 1)
    claim_files(tmp_path, ca)
    with pytest.raises(BadCertificate, match="lives 8784 hours"):
        carry_out(device, job(tmp_path, text))
    assert device.writes == []
    claim_files(tmp_path, ca, begin=-0.001, end=0.003)
    carry_out(device, job(tmp_path, text))
    assert ("Claim Key", "private key") in contents(device)


def test_a_claim_that_expired_is_not_called_verified(device, tmp_path, ca):
    claim_files(tmp_path, ca, begin=-2, end=-1)
    with pytest.raises(BadCertificate, match="expired"):
        carry_out(device, job(tmp_path, CLAIM))


def test_a_claim_key_that_is_not_the_certificates_is_refused_before_anything_is_written(
    device, tmp_path, ca, ec_key
):
    claim_files(tmp_path, ca)
    write(tmp_path / "claim.key", key_pem(ec_key))
    with pytest.raises(FileProblem, match="is for another key"):
        carry_out(device, job(tmp_path, CLAIM))
    assert device.writes == []
