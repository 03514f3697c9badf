# SPDX-License-Identifier: MIT
"""Provisioning, flow by flow and cut off at every request, against the firmware's own hostlink."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from host.provision_kit import (
    PEM,
    SO,
    USER,
    Authority,
    Device,
    carry_out,
    job,
    key_pem,
    pem,
    states,
    write,
)

from p11board import identity_steps, keys, plan, work
from p11board.chain import BadCertificate
from p11board.errors import FileProblem, Problem, TokenError, TransportProblem, UsageProblem
from p11board.work import Renewal

DEMO = """
kind = "plain"
[certificate]
signer = "demo"
subject = "CN={id},O=Test"
[objects]
root = "demo"
jitp = "demo"
code_verify = "demo"
"""
FILES = """
kind = "plain"
[certificate]
trust = ["ca.pem"]
"""
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
GUIDE = {
    ("Device Cert", "certificate"),
    ("Device Priv TLS Key", "private key"),
    ("Device Pub TLS Key", "public key"),
    ("Root Cert", "certificate"),
    ("JITP Cert", "certificate"),
    ("Code Verify Key", "public key"),
}


@pytest.fixture
def device(token):
    return Device(token)


@pytest.fixture
def ca(tmp_path):
    made = Authority("test CA")
    write(tmp_path / "ca.pem", pem(made.certificate))
    return made


def contents(device):
    """{(label, class): value or id} of the token, as the user sees it."""
    board = device.connect()
    board.ask_pin_with(lambda: USER)
    found = {}
    for one in board.objects():
        value = one["id"]
        if one["class"] != "private key":
            value = board.read(one["label"], one["class"])["value"]
        assert (one["label"], one["class"]) not in found
        found[one["label"], one["class"]] = value
    return found


def identity(device):
    """(point, certificate) in use; they belong together and the key signs."""
    held = work.Holdings(device.connect())
    held.board.ask_pin_with(lambda: USER)
    point = held.pair(*identity_steps.CURRENT)
    certificate = held.certificate("Device Cert")
    if certificate is not None:
        assert keys.certificate_point(certificate) == point
        signature = held.board.sign(bytes(32))
        assert held.board.verify(bytes(32), signature)
    return point, certificate


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


def cuts(device, todo, at_end):
    """Provision, cut off at each request in turn, before and after it is carried out.

    at_end(done): called after each resumed run with whether that run came to its end.
    """
    number, carried_out = 1, False
    while True:
        board = device.connect()
        device.cut_at = (number, carried_out)
        try:
            plan.run(work.Work(board, todo, {"id": "x"}).steps())
            at_end(True)
            return
        except TransportProblem:
            at_end(False)
        if carried_out:
            number += 1
        carried_out = not carried_out


def test_cut_off_after_any_number_of_requests_it_resumes_without_loss(device, tmp_path):
    """Each run is cut one request later than the one before; what was done stays done."""
    todo = job(tmp_path, DEMO)
    points = []

    def check(done):
        info = device.connect().info()["token"]
        if info["default_mode"] or not info["pins"]["user"]["set"]:
            return
        point, _ = identity(device)
        points.append(point)

    cuts(device, todo, check)
    assert set(contents(device)) == GUIDE
    assert len({p for p in points if p is not None}) == 1, "a key was made anew"
    made = points.index(points[-1])
    assert None not in points[made:]
    assert 3 < len(points)


def test_cut_off_everywhere_from_blank_it_always_ends_in_the_same_state(
    token, tmp_path, monkeypatch
):
    """From a blank board each time: one cut at every place, one run to resume."""
    import pkcs11
    from pal.pal import Pal
    from pkcs11.settings import Settings
    from pkcs11.token import Token

    todo = job(tmp_path, DEMO)
    place = 0
    while True:
        place += 1
        store = type(token.pal.store)()
        fresh = Token(Pal(store), Settings(iterations=2, clock=lambda: 0))
        device = Device(fresh)
        monkeypatch.setattr(pkcs11, "_token", fresh)
        board = device.connect()
        device.cut_at = (place, True)
        try:
            plan.run(work.Work(board, todo, {"id": "x"}).steps())
            break
        except TransportProblem:
            carry_out(device, todo, id="x")
            assert set(contents(device)) == GUIDE
            identity(device)
    assert place > 20


def test_the_old_identity_works_until_the_new_one_does(device, tmp_path):
    carry_out(device, job(tmp_path, DEMO), id="x")
    old = identity(device)
    seen = []

    def check(done):
        point, certificate = identity(device)
        assert certificate is not None
        seen.append(certificate == old[1])

    todo = job(tmp_path, DEMO, renewal=Renewal(new_key=True, force=True))
    # The first run that gets beyond the switch ends the test: forced again, it would renew again.
    number, carried_out = 1, False
    while not seen or seen[-1]:
        board = device.connect()
        device.cut_at = (number, carried_out)
        with pytest.raises(TransportProblem):
            plan.run(work.Work(board, todo, {"id": "x"}).steps())
        check(False)
        number, carried_out = number + carried_out, not carried_out
    assert len(seen) > 20
    carry_out(device, job(tmp_path, DEMO), id="x")
    new = identity(device)
    assert new[0] != old[0] and set(contents(device)) == GUIDE


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


def test_another_board_than_the_expected_one_is_not_touched(device, tmp_path):
    device.token.settings.serial = b"00AA"
    board = device.connect()
    assert work.check_serial(board, "00aa") == "00AA"
    with pytest.raises(work.WrongBoard, match="00AA.*expected was 00AB"):
        work.check_serial(board, "00AB")
    assert device.requests == ["info"]


def test_a_wrong_pin_costs_one_attempt_and_ends_the_run(device, tmp_path):
    todo = job(tmp_path, DEMO)
    carry_out(device, todo)
    write(tmp_path / "user.pin", b"654321")
    left = device.connect().info()["token"]["pins"]["user"]["tries_left"]
    with pytest.raises(TokenError, match="CKR_PIN_INCORRECT"):
        carry_out(device, todo)
    assert device.connect().info()["token"]["pins"]["user"]["tries_left"] == left - 1


def test_the_delay_after_a_power_cut_in_a_login_is_sat_out_and_a_longer_one_is_not(
    device, token, tmp_path, monkeypatch
):
    todo = job(tmp_path, DEMO)
    carry_out(device, todo)
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        token.now += 1000 * seconds

    monkeypatch.setattr(work.time, "sleep", sleep)
    token.pal.attempt(0)  # counted, then the power went
    token.keyring.load()
    carry_out(device, todo)
    assert slept == [1]
    for _ in range(5):
        token.pal.attempt(0)
    token.keyring.load()
    with pytest.raises(TokenError) as caught:
        carry_out(device, todo)
    assert "try again in 30 s" in caught.value.line() and slept == [1]


def test_objects_of_a_token_nobody_initialised_are_not_destroyed(device, tmp_path):
    device.connect().keygen()
    before = contents(device)
    with pytest.raises(Problem, match="holds 2 objects.*factory-reset"):
        try:
            carry_out(device, job(tmp_path, DEMO))
        except Problem as problem:
            raise Problem(problem.line()) from None
    assert contents(device) == before


def test_a_profile_may_leave_the_pins_alone(device, tmp_path):
    device.connect().keygen()
    carry_out(device, job(tmp_path, DEMO, changes=[("token.initialise", "false")]))
    assert device.connect().info()["token"]["default_mode"]
    assert {(o["label"], o["class"]) for o in device.connect().objects()} == GUIDE


def test_a_token_with_another_label_is_left_alone(device, tmp_path):
    carry_out(device, job(tmp_path, DEMO, changes=[("token.label", "line 1")]))
    with pytest.raises(Problem, match="is called 'line 1', the profile says 'line 2'"):
        carry_out(device, job(tmp_path, DEMO, changes=[("token.label", "line 2")]))
    assert device.writes == []


def test_a_cut_between_init_token_and_init_pin_is_repaired_by_the_security_officer(
    device, tmp_path
):
    import pkcs11

    app = pkcs11.application()
    app.C_Initialize()
    app.C_InitToken(1, bytearray(SO), "micropython-pkcs11")
    app.C_Finalize()
    _, outcomes = carry_out(device, job(tmp_path, DEMO))
    assert states(outcomes)["token"] == plan.DONE
    assert states(outcomes)["user-pin"] == plan.APPLIED
    assert set(contents(device)) == GUIDE


def test_a_board_without_entropy_source_gets_its_seed_first(device, tmp_path, monkeypatch):
    from pal import nv_seed

    given = []
    board = device.connect()
    facts = board.info()
    facts["entropy"]["seed"] = {"generation": 0}
    monkeypatch.setattr(nv_seed, "needed", lambda: True)
    monkeypatch.setattr(nv_seed, "provision", lambda pal, seed: given.append(bytes(seed)) or 1)
    done = work.Work(board, job(tmp_path, DEMO), {})
    step = done.steps()[0]
    assert step.name == "seed" and not step.check()
    assert "generation 1" in step.apply()
    assert len(given[0]) == 64


# --- keys that come from a file -----------------------------------------------------------------

FORMS = {
    "PKCS#8": (serialization.PrivateFormat.PKCS8, None),
    "SEC1": (serialization.PrivateFormat.TraditionalOpenSSL, None),
    "encrypted PKCS#8": (serialization.PrivateFormat.PKCS8, b"secret"),
}
IMPORT = [("key.source", "file"), ("key.file", "{id}.key"), ("key.password_file", "password")]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("encoding", ["PEM", "DER"])
def test_a_key_is_imported_in_every_form(device, tmp_path, ec_key, form, encoding):
    kind, password = FORMS[form]
    data = key_pem(ec_key, password, kind)
    if encoding == "DER":
        encryption = serialization.NoEncryption()
        if password:
            encryption = serialization.BestAvailableEncryption(password)
        data = ec_key.private_bytes(serialization.Encoding.DER, kind, encryption)
    write(tmp_path / "dev.key", data)
    write(tmp_path / "password", b"secret\n")
    carry_out(device, job(tmp_path, DEMO, changes=IMPORT), id="dev")
    assert identity(device)[0] == keys.point(ec_key.public_key())
    carry_out(device, job(tmp_path, DEMO, changes=IMPORT), id="dev")
    assert device.writes == []


def test_another_key_file_means_another_identity_and_the_old_one_stays_meanwhile(
    device, tmp_path, ec_key, ca
):
    files = FILES.replace('"ca.pem"', '"ca.pem", "demo-ca/root-ca.pem"')
    carry_out(device, job(tmp_path, DEMO), id="dev")
    old = identity(device)
    write(tmp_path / "dev.key", key_pem(ec_key))
    changes = IMPORT[:2]
    todo = job(tmp_path, files, changes=changes, export_csr=str(tmp_path / "csr"))
    _, outcomes = carry_out(device, todo, id="dev")
    assert outcomes[-1].state == plan.WAITING and identity(device) == old
    write(tmp_path / "cert", pem(ca.sign((tmp_path / "csr").read_bytes())))
    todo = job(tmp_path, files, changes=changes, import_cert=str(tmp_path / "cert"))
    carry_out(device, todo, id="dev")
    assert identity(device)[0] == keys.point(ec_key.public_key())


# --- certificates from elsewhere ----------------------------------------------------------------


def handed_over(device, tmp_path, ca, **how):
    """Export a request, have it signed, import. Returns the outcomes of the import."""
    request, answer = tmp_path / "x.csr", tmp_path / "x.pem"
    _, outcomes = carry_out(
        device, job(tmp_path, FILES, export_csr=str(tmp_path / "{id}.csr")), id="x"
    )
    assert outcomes[-1].name == "certificate" and outcomes[-1].state == plan.WAITING
    certificate = ca.sign(request.read_bytes(), **how)
    write(answer, pem(certificate))
    _, outcomes = carry_out(
        device, job(tmp_path, FILES, import_cert=str(tmp_path / "{id}.pem")), id="x"
    )
    return outcomes, certificate


def test_a_request_goes_out_and_its_certificate_comes_back(device, tmp_path, ca):
    outcomes, certificate = handed_over(device, tmp_path, ca)
    assert identity(device)[1] == certificate
    assert states(outcomes)["key"] == plan.DONE
    carry_out(device, job(tmp_path, FILES, import_cert=str(tmp_path / "x.pem")), id="x")
    assert device.writes == []
    carry_out(device, job(tmp_path, FILES), id="x")
    assert device.writes == []


def test_without_export_or_import_a_hand_over_says_what_to_do(device, tmp_path, ca):
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


# --- certificates from a command ----------------------------------------------------------------

SIGN = """
import sys, os
sys.path[:0] = {path!r}
from host.provision_kit import *
ca = Authority.__new__(Authority)
ca.key = serialization.load_pem_private_key(open({folder!r} + "/ca.key", "rb").read(), None)
ca.name = x509.load_pem_x509_certificate(open({folder!r} + "/ca.pem", "rb").read()).subject
made = ca.sign(sys.stdin.buffer.read())
assert os.environ["P11BOARD_ID"] == "x" and os.environ["P11BOARD_SERIAL"]
sys.stdout.buffer.write(pem(made))
"""


def by_command(words):
    import json

    return [("certificate.signer", "command"), ("certificate.command", json.dumps(words))]


def test_a_command_signs(device, token, tmp_path, ca):
    import sys

    token.settings.serial = b"01"
    write(tmp_path / "ca.key", key_pem(ca.key))
    write(tmp_path / "sign.py", SIGN.format(path=sys.path, folder=str(tmp_path)).encode())
    words = [sys.executable, "sign.py"]
    carry_out(device, job(tmp_path, FILES, changes=by_command(words)), id="x")
    assert identity(device)[1].issuer == ca.name


@pytest.mark.parametrize(
    "words, error",
    [
        (["sh", "-c", "echo no luck >&2; exit 3"], r"did not sign \(exit code 3\): no luck"),
        (["false"], "no message"),
        (["true"], "is empty"),
        (["echo", "hello"], "the output of echo"),
        (["cat"], "CERTIFICATE REQUEST"),
        (["/no/such/program"], "cannot run /no/such/program"),
        (["sh", "-c", "head -c 2000000 /dev/zero"], "2000000 bytes"),
    ],
    ids=["exit code", "silent", "nothing", "text", "request", "missing", "flood"],
)
def test_a_command_that_does_not_sign_leaves_the_board_as_it_was(
    device, tmp_path, ca, words, error
):
    with pytest.raises(Problem, match=error):
        carry_out(device, job(tmp_path, FILES, changes=by_command(words)), id="x")
    assert "import" not in device.writes and "switch" not in device.writes


# --- the kinds ----------------------------------------------------------------------------------


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


def test_files_that_are_wrong_are_found_before_the_board_is_touched(device, tmp_path, ca, ec_key):
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


def test_pem_is_what_is_written(device, tmp_path, ca):
    path = tmp_path / "deep" / "x.csr"
    carry_out(device, job(tmp_path, FILES, export_csr=str(path)), id="x")
    assert x509.load_pem_x509_csr(path.read_bytes()).subject.rfc4514_string() == "CN=x"
    assert [p.name for p in path.parent.iterdir()] == ["x.csr"]
    assert PEM


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


def test_a_certificate_makes_no_key(device, tmp_path, ca, ec_key):
    write(tmp_path / "x.pem", pem(ca.issue(ec_key.public_key(), "CN=x")))
    with pytest.raises(FileProblem, match="none of the board's keys"):
        carry_out(device, job(tmp_path, FILES, import_cert=str(tmp_path / "x.pem")))
    assert "keygen" not in device.writes
