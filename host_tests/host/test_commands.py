# SPDX-License-Identifier: MIT
"""Commands against the firmware's own `hostlink` on CPython: the path of every user, in a blink.

The token is the real one over a store in memory; the serial line is a pseudo terminal.  The same
commands run against the emulated board in host_tests/board.
"""

import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from p11board import csr, keys
from p11board.cli_objects import exported
from p11board.errors import UsageProblem

PEM = serialization.Encoding.PEM


def test_a_blank_board_tells_what_it_is(board):
    text = board("info").stdout
    assert "FAKE" in text and "keys 0x400000 64 KiB" in text
    assert "the default 0000" in text
    assert board("objects").stdout.startswith("no objects yet")


def test_a_board_with_a_source_takes_no_seed(board):
    assert "has an entropy source" in board("seed", code=1).stderr


def test_a_seed_is_64_fresh_bytes_and_is_stored(board, monkeypatch):
    from pal import nv_seed

    given = []
    monkeypatch.setattr(nv_seed, "needed", lambda: True)
    monkeypatch.setattr(nv_seed, "provision", lambda pal, seed: given.append(bytes(seed)) or 7)
    assert "generation 7" in board("seed").stdout
    assert board.json("seed") == {"generation": 7}
    assert {len(seed) for seed in given} == {64} and len(set(given)) == 2


def test_a_pair_is_made_and_its_signature_verifies(board, tmp_path):
    public = serialization.load_pem_public_key(board("keygen").stdout_bytes)
    file, signature = tmp_path / "file", tmp_path / "signature"
    file.write_bytes(b"content")
    board("sign", file, "-o", signature)
    public.verify(signature.read_bytes(), b"content", ec.ECDSA(hashes.SHA256()))
    assert "valid" in board("verify", file, signature).stdout
    file.write_bytes(b"another content")
    assert "NOT valid" in board("verify", file, signature, code=1).stdout


def test_the_request_for_a_certificate_is_signed_by_the_board(board):
    board("keygen")
    request = x509.load_pem_x509_csr(board("csr", "--subject", "CN=x").stdout_bytes)
    assert request.is_signature_valid


def test_the_pin_never_becomes_source_code_on_the_board(board):
    board("keygen")
    assert board.fake.commands
    assert not any("0000" in command or "pin" in command for command in board.fake.commands)


def test_a_command_is_one_connection_and_few_requests(board):
    board("keygen")
    before = len(board.fake.commands)
    board("sign", "-", input="x")
    assert len(board.fake.commands) - before == 2  # info (is the PIN the default?), sign


def test_a_certificate_gets_the_id_of_its_key(board, certificate, ec_key, tmp_path):
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.write_bytes(certificate.public_bytes(PEM))
    form = serialization.PrivateFormat.PKCS8
    key.write_bytes(ec_key.private_bytes(PEM, form, serialization.NoEncryption()))
    board("import", cert, "--label", "Device Cert")
    board("import", key, "--label", "Device Priv TLS Key")
    found = board.json("objects")
    assert {(o["class"], o["label"]) for o in found} == {
        ("certificate", "Device Cert"),
        ("private key", "Device Priv TLS Key"),
        ("public key", "Device Pub TLS Key"),
    }
    assert len({o["id"] for o in found}) == 1
    assert board("export", "Device Cert").stdout_bytes == certificate.public_bytes(PEM)


def test_an_rsa_key_is_imported_and_signs_what_openssl_would(board, tmp_path):
    key = rsa.generate_private_key(65537, 2048)
    file, signature, message = tmp_path / "key.pem", tmp_path / "signature", tmp_path / "message"
    form, lock = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    file.write_bytes(key.private_bytes(PEM, form, lock))
    message.write_bytes(b"content")
    assert "an RSA private key" in board("import", file, "--label", "rsa").stdout
    found = board.json("objects")
    assert {(o["class"], o["key_type"]) for o in found} == {
        ("private key", "RSA"),
        ("public key", "RSA"),
    }
    assert len({o["id"] for o in found}) == 1
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    exported = board("export", "rsa", "--class", "public").stdout_bytes
    assert exported == key.public_key().public_bytes(PEM, spki)
    board("sign", message, "--label", "rsa", "-o", signature)
    assert signature.read_bytes() == key.sign(b"content", padding.PKCS1v15(), hashes.SHA256())
    assert "valid" in board("verify", message, signature, "--label", "rsa").stdout
    message.write_bytes(b"another content")
    assert "NOT valid" in board("verify", message, signature, "--label", "rsa", code=1).stdout
    refused = board("csr", "--label", "rsa", "--subject", "CN=x", code=2)
    assert "EC keys" in refused.stderr


def test_an_rsa_key_of_another_size_is_refused_before_the_board_is_asked(board, tmp_path):
    file = tmp_path / "key.pem"
    form, lock = serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    file.write_bytes(rsa.generate_private_key(65537, 1024).private_bytes(PEM, form, lock))
    said = board("import", file, "--label", "rsa", code=1).stderr
    assert "1024 bits" in said and "2048 bits" in said and not board.fake.commands


def test_what_is_there_is_only_replaced_when_told(board, tmp_path):
    board("keygen")
    text = board("keygen", code=1).stderr
    assert "--replace" in text and "Device Priv TLS Key" in text
    board("keygen", "--replace")
    assert len(board.json("objects")) == 2


def test_a_wrong_pin_costs_one_attempt(board, token, tmp_path):
    board("keygen")
    pin = tmp_path / "pin"
    app = __import__("pkcs11").application()
    app.C_Initialize()
    app.C_SetPIN(app.C_OpenSession(1, 6), b"0000", b"secret-pin")
    app.C_Finalize()
    assert "--pin-file" in board("sign", "-", input="", code=2).stderr
    pin.write_text("wrong-pin\n")
    limit = board.json("info")["token"]["pins"]["user"]["tries_left"]
    text = board("sign", "-", "--pin-file", pin, input="x", code=1).stderr
    assert "CKR_PIN_INCORRECT (0xA0)" in text
    assert board.json("info")["token"]["pins"]["user"]["tries_left"] == limit - 1
    pin.write_text("secret-pin\n")
    assert "try again in 1 s" in board("sign", "-", "--pin-file", pin, input="x", code=1).stderr
    token.now += 1000
    board("sign", "-", "--pin-file", pin, input="x")
    assert f"set, {limit} of" in board("info").stdout


def test_a_token_that_cannot_be_mounted_still_gives_its_facts(board, token):
    from pal.store import StoreError

    token.pal.store.fail_mount = StoreError.UNRECOGNISED
    for text in (board("info").stdout, board("keygen", code=1).stderr):
        assert "is not a store" in text


def test_a_label_that_is_not_there_is_named(board):
    text = board("read", "nowhere", code=1).stderr
    assert text == (
        "p11board: CKR_OBJECT_HANDLE_INVALID (0x82): no object has the label 'nowhere'; "
        "see `p11board objects`\n"
    )


def test_destroy_asks_and_takes_no_for_an_answer(board, monkeypatch):
    board("keygen")
    label = "Device Pub TLS Key"
    assert "--yes" in board("destroy", label, code=2).stderr
    monkeypatch.setattr("p11board.cli_objects.sys.stdin.isatty", lambda: True, raising=False)
    assert len(board.json("objects")) == 2
    board("destroy", label, "-y")
    assert len(board.json("objects")) == 1


def test_data_that_is_too_long_for_a_request_is_refused_here(board, tmp_path):
    file = tmp_path / "data"
    file.write_bytes(bytes(9000))
    text = board("import", file, "--as", "data", "--label", "x", code=2).stderr
    assert "too much for one request" in text
    assert "the board takes 4096" in board("digest", file, code=2).stderr


def test_hash_and_random_come_from_the_board(board, tmp_path):
    file = tmp_path / "data"
    file.write_bytes(b"abc" * 1000)
    digest = hashlib.sha256(b"abc" * 1000).hexdigest()
    assert board("digest", file).stdout.strip() == digest
    assert len(bytes.fromhex(board("random", "2500").stdout)) == 2500
    out = tmp_path / "random"
    board("random", "33", "-o", out)
    assert out.stat().st_size == 33


def test_signatures_convert_between_raw_and_der_files(board, tmp_path):
    board("keygen")
    file, signature = tmp_path / "file", tmp_path / "signature"
    file.write_bytes(b"x")
    board("sign", file, "--raw", "-o", signature)
    assert signature.stat().st_size == 64
    board("verify", file, signature)
    der = csr.der_signature(signature.read_bytes())
    board("verify", file, "--hex", der.hex())
    board("verify", file, "--hex", "00" * 10, code=1)


def test_an_object_that_is_no_certificate_can_still_be_had_as_it_is():
    junk = {"class": keys.CERTIFICATE, "label": "junk", "value": b"not DER"}
    with pytest.raises(UsageProblem) as caught:
        exported(junk)
    assert "--der" in caught.value.line()
    assert exported(junk, der=True) == b"not DER"
