# SPDX-License-Identifier: MIT
"""Provisioning a board from blank to verified, against the firmware's own hostlink."""

import pytest
from cryptography import x509
from host.provision_kit import (
    DEMO,
    FILES,
    GUIDE,
    USER,
    Authority,
    carry_out,
    contents,
    identity,
    job,
    key_pem,
    pem,
    states,
    write,
)

from p11board import keys, plan, work
from p11board.chain import BadCertificate
from p11board.errors import Problem


def test_a_blank_board_becomes_a_verified_device(device, tmp_path):
    done, outcomes = carry_out(device, job(tmp_path, DEMO), id="pump 7")
    assert set(contents(device)) == GUIDE
    assert outcomes[-1].state == plan.APPLIED and "signed a challenge" in outcomes[-1].text
    assert done.certificate.subject.rfc4514_string() == "CN=pump 7,O=Test"
    token = device.connect().info()["token"]
    assert not token["default_mode"] and token["pins"]["so"]["set"]


def test_key_and_certificate_share_their_cka_id(device, tmp_path):
    carry_out(device, job(tmp_path, DEMO))
    board = device.connect()
    board.ask_pin_with(lambda: USER)
    ids = {o["id"] for o in board.objects() if o["label"].startswith("Device")}
    assert len(ids) == 1 and ids != {""}
    (point, certificate) = identity(device)
    board.import_item(keys.certificate_item(certificate), "by hand", keys.key_identifier(point))
    assert {o["id"] for o in board.find("by hand")} == ids


def test_a_second_run_writes_nothing_and_verifies_again(device, tmp_path):
    todo = job(tmp_path, DEMO)
    carry_out(device, todo)
    before = contents(device)
    _, outcomes = carry_out(device, todo)
    assert device.writes == []
    assert set(states(outcomes[:-1]).values()) == {plan.DONE}
    assert outcomes[-1].state == plan.APPLIED
    assert contents(device) == before


def test_a_dry_run_writes_not_even_to_a_blank_store(device, token, tmp_path):
    done = work.Work(device.connect(), job(tmp_path, DEMO), {})
    shown = states(plan.preview(done.steps()))
    assert token.pal.store.writes == 0
    assert device.writes == []
    assert shown["token"] == shown["key"] == shown["certificate"] == plan.TO_DO


@pytest.mark.parametrize("kind", ["jitp", "jitr"])
def test_a_jitp_board_has_the_certificate_of_its_signer(device, tmp_path, kind):
    text = DEMO.replace("plain", kind)
    carry_out(device, job(tmp_path, text))
    found = contents(device)
    jitp = x509.load_der_x509_certificate(found["JITP Cert", "certificate"])
    identity(device)[1].verify_directly_issued_by(jitp)


def test_a_jitp_board_takes_no_certificate_of_another_ca(device, tmp_path, ca):
    other = Authority("other", ca)
    write(tmp_path / "other.pem", pem(other.certificate))
    text = FILES.replace("plain", "jitp") + '[objects]\njitp = "other.pem"\nroot = "ca.pem"\n'
    path = str(tmp_path / "csr")
    carry_out(device, job(tmp_path, text, export_csr=path))
    write(tmp_path / "cert", pem(ca.sign((tmp_path / "csr").read_bytes())))
    with pytest.raises(BadCertificate, match="was not issued by CN=other"):
        carry_out(device, job(tmp_path, text, import_cert=str(tmp_path / "cert")))


@pytest.mark.usefixtures("ca")
def test_files_that_are_wrong_are_found_before_the_board_is_touched(device, tmp_path, ec_key):
    write(tmp_path / "code.pem", key_pem(ec_key))
    for extra, error in (
        ('[objects]\nroot = "missing.pem"\n', "cannot read"),
        ('[objects]\ncode_verify = "code.pem"\n', "is a private key"),
        ('[objects]\nroot = "code.pem"\n', "a file with a certificate is needed"),
    ):
        with pytest.raises(Problem) as caught:
            carry_out(device, job(tmp_path, FILES + extra))
        assert error in caught.value.line()
        assert device.writes == []


def test_a_step_that_does_not_take_fails_at_once():
    step = plan.Step("x", "something", lambda: False, lambda: "did it")
    told = []
    with pytest.raises(Problem, match="the board does not show it"):
        plan.run([step], told.append)
    assert told[0].state == plan.FAILED


def test_a_subject_cannot_be_extended_by_a_value(device, tmp_path):
    done, _ = carry_out(device, job(tmp_path, DEMO), id="a,O=Evil+CN=b")
    assert [a.value for a in done.certificate.subject] == ["Test", "a,O=Evil+CN=b"]


def test_the_request_carries_the_names_of_the_profile(device, tmp_path):
    changes = [
        ("certificate.dns", "{id}.example"),
        ("certificate.ip", "192.0.2.7"),
        ("certificate.uri", "urn:dev:{id}"),
        ("certificate.email", "ops@example.org"),
    ]
    done, _ = carry_out(device, job(tmp_path, DEMO, changes=changes), id="b1")
    names = done.certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
    assert sorted(str(name.value) for name in names.value) == [
        "192.0.2.7",
        "b1.example",
        "ops@example.org",
        "urn:dev:b1",
    ]
