# SPDX-License-Identifier: MIT
"""Certificates from elsewhere: a request goes out as a file, a certificate comes back."""

import pytest
from cryptography import x509
from host.provision_kit import (
    FILES,
    Authority,
    carry_out,
    contents,
    handed_over,
    identity,
    job,
    pem,
    states,
    write,
)

from p11board import keys, plan
from p11board.chain import BadCertificate
from p11board.errors import FileProblem, UsageProblem


def test_a_request_goes_out_and_its_certificate_comes_back(device, tmp_path, ca):
    outcomes, certificate = handed_over(device, tmp_path, ca)
    assert identity(device)[1] == certificate
    assert states(outcomes)["key"] == plan.DONE
    carry_out(device, job(tmp_path, FILES, import_cert=str(tmp_path / "x.pem")), id="x")
    assert device.writes == []
    carry_out(device, job(tmp_path, FILES), id="x")
    assert device.writes == []


@pytest.mark.usefixtures("ca")
def test_without_export_or_import_a_hand_over_says_what_to_do(device, tmp_path):
    with pytest.raises(UsageProblem) as caught:
        carry_out(device, job(tmp_path, FILES))
    assert "--export-csr" in caught.value.line()


@pytest.mark.parametrize(
    "how, reason",
    [
        ({"end": -0.5}, "expired on"),
        ({"begin": 1}, "not valid before"),
        ({"extensions": [(x509.BasicConstraints(True, None), True)]}, "is a CA"),
    ],
    ids=["expired", "not yet", "CA"],
)
def test_a_certificate_that_does_not_verify_never_reaches_the_board(
    device, tmp_path, ca, how, reason
):
    with pytest.raises(BadCertificate, match=reason):
        handed_over(device, tmp_path, ca, **how)
    assert identity(device)[1] is None
    assert "Device Cert next" not in {label for label, _ in contents(device)}


def test_a_certificate_of_another_ca_is_refused_and_the_old_identity_stays(device, tmp_path, ca):
    _, old = handed_over(device, tmp_path, ca)
    stranger = Authority("test CA")  # the same name, another key
    request = (tmp_path / "x.csr").read_bytes()
    write(tmp_path / "x.pem", pem(stranger.sign(request)))
    with pytest.raises(BadCertificate, match="no path leads"):
        carry_out(device, job(tmp_path, FILES, import_cert=str(tmp_path / "x.pem")), id="x")
    assert identity(device)[1] == old


def test_a_certificate_for_another_board_is_refused(device, tmp_path, ca, ec_key):
    handed_over(device, tmp_path, ca)
    write(tmp_path / "y.pem", pem(ca.issue(ec_key.public_key(), "CN=y")))
    with pytest.raises(FileProblem, match="none of the board's keys"):
        carry_out(device, job(tmp_path, FILES, import_cert=str(tmp_path / "y.pem")))


def test_a_chain_is_stored_and_an_old_one_goes_away(device, tmp_path, ca):
    middle = Authority("middle", ca)
    lower = Authority("lower", middle)
    files = FILES + 'chain = ["chain.pem"]\n'
    write(tmp_path / "chain.pem", pem(middle.certificate, lower.certificate))
    path = str(tmp_path / "x.csr")
    carry_out(device, job(tmp_path, files, export_csr=path), id="x")
    write(tmp_path / "x.pem", pem(lower.sign((tmp_path / "x.csr").read_bytes())))
    _, outcomes = carry_out(device, job(tmp_path, files, import_cert=str(tmp_path / "x.pem")))
    assert "a path of 4" in outcomes[-1].text
    stored = {v for (label, _), v in contents(device).items() if label.startswith("Device Chain")}
    assert stored == {keys.certificate_item(one.certificate).value for one in (middle, lower)}
    # Signed by the root itself the next time: nothing stands between any more.
    write(tmp_path / "x.pem", pem(ca.sign((tmp_path / "x.csr").read_bytes())))
    carry_out(device, job(tmp_path, files, import_cert=str(tmp_path / "x.pem")))
    assert not any(label.startswith("Device Chain") for label, _ in contents(device))


@pytest.mark.usefixtures("ca")
def test_pem_is_what_is_written(device, tmp_path):
    path = tmp_path / "deep" / "x.csr"
    carry_out(device, job(tmp_path, FILES, export_csr=str(path)), id="x")
    assert x509.load_pem_x509_csr(path.read_bytes()).subject.rfc4514_string() == "CN=x"
    assert [p.name for p in path.parent.iterdir()] == ["x.csr"]


def test_a_certificate_makes_no_key(device, tmp_path, ca, ec_key):
    write(tmp_path / "x.pem", pem(ca.issue(ec_key.public_key(), "CN=x")))
    with pytest.raises(FileProblem, match="none of the board's keys"):
        carry_out(device, job(tmp_path, FILES, import_cert=str(tmp_path / "x.pem")))
    assert "keygen" not in device.writes
