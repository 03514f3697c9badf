# SPDX-License-Identifier: MIT
"""Key and certificate files: what is accepted, and that the error names what was found."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from p11board import keys
from p11board.errors import FileProblem

PEM, DER = serialization.Encoding.PEM, serialization.Encoding.DER
SEC1 = serialization.PrivateFormat.TraditionalOpenSSL
PKCS8 = serialization.PrivateFormat.PKCS8
SPKI = serialization.PublicFormat.SubjectPublicKeyInfo
CLEAR = serialization.NoEncryption()
LOCKED = serialization.BestAvailableEncryption(b"horse")


def scalar(key):
    return key.private_numbers().private_value.to_bytes(32, "big")


@pytest.mark.parametrize("encoding", [PEM, DER])
@pytest.mark.parametrize("form", [SEC1, PKCS8])
def test_private_keys_decode_to_the_scalar_and_the_public_point(ec_key, encoding, form):
    item = keys.decode(ec_key.private_bytes(encoding, form, CLEAR), "key")
    assert (item.kind, item.curve) == (keys.PRIVATE_KEY, "P-256")
    assert item.value == scalar(ec_key)
    assert keys.public_half(item).value == keys.point(ec_key.public_key())


@pytest.mark.parametrize("encoding", [PEM, DER])
def test_encrypted_pkcs8_asks_for_its_password(ec_key, encoding):
    data = ec_key.private_bytes(encoding, PKCS8, LOCKED)
    assert keys.decode(data, "key", password=lambda: b"horse").value == scalar(ec_key)
    with pytest.raises(FileProblem, match="cannot decrypt"):
        keys.decode(data, "key", password=lambda: b"mule")
    with pytest.raises(FileProblem, match="encrypted"):
        keys.decode(data, "key")


def test_a_password_is_not_asked_for_in_vain(ec_key):
    def never():
        raise AssertionError("asked")

    keys.decode(ec_key.private_bytes(PEM, PKCS8, CLEAR), "key", password=never)


@pytest.mark.parametrize("encoding", [PEM, DER])
def test_public_keys_decode_to_the_point(ec_key, encoding):
    item = keys.decode(ec_key.public_key().public_bytes(encoding, SPKI), "key")
    assert item.kind == keys.PUBLIC_KEY
    assert item.value == keys.point(ec_key.public_key())
    assert keys.point(keys.public_key(item.value)) == item.value


@pytest.mark.parametrize("encoding", [PEM, DER])
def test_certificates_keep_every_byte_and_bring_their_names(certificate, encoding):
    item = keys.decode(certificate.public_bytes(encoding), "cert")
    assert item.kind == keys.CERTIFICATE
    assert item.value == certificate.public_bytes(DER)
    assert bytes.fromhex(item.extra["subject"]) == certificate.subject.public_bytes()
    assert item.extra["serial"] == "0203008000"
    assert item.point == keys.point(certificate.public_key())


def test_openssl_ecparam_output_is_a_private_key(ec_key):
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    data = parameters + ec_key.private_bytes(PEM, SEC1, CLEAR)
    assert keys.decode(data, "key").value == scalar(ec_key)


def test_a_file_with_key_and_certificate_needs_a_choice(ec_key, certificate):
    data = certificate.public_bytes(PEM) + ec_key.private_bytes(PEM, PKCS8, CLEAR)
    with pytest.raises(FileProblem, match="holds 2 items"):
        keys.decode(data, "both")
    assert keys.decode(data, "both", keys.CERTIFICATE).kind == keys.CERTIFICATE
    assert keys.decode(data, "both", keys.PRIVATE_KEY).kind == keys.PRIVATE_KEY


def test_the_wrong_kind_is_named(certificate):
    with pytest.raises(FileProblem, match="holds a certificate of CN=unit test.*private key"):
        raise_line(lambda: keys.decode(certificate.public_bytes(PEM), "f", keys.PRIVATE_KEY))


def raise_line(action):
    """Raise the Problem again with its whole line, so that `match` sees the next step too."""
    try:
        action()
    except FileProblem as problem:
        raise FileProblem(problem.line()) from None


@pytest.mark.parametrize(
    "key, words",
    [
        (rsa.generate_private_key(65537, 2048), "an RSA private key.*P-256"),
        (ed25519.Ed25519PrivateKey.generate(), "an Ed25519 private key.*P-256"),
        (ec.generate_private_key(ec.SECP256K1()), "private key on the curve secp256k1.*P-256"),
        (ec.generate_private_key(ec.SECP521R1()), "private key on the curve secp521r1.*P-256"),
    ],
)
@pytest.mark.parametrize("encoding", [PEM, DER])
def test_keys_the_token_cannot_hold_are_named(key, words, encoding):
    data = key.private_bytes(encoding, PKCS8, CLEAR)
    with pytest.raises(FileProblem, match=words):
        raise_line(lambda: keys.decode(data, "f"))


@pytest.mark.parametrize(
    "data, words",
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"hello world\n", "text without a PEM block"),
        (b"\x00\x01\x02", "neither PEM nor DER"),
        (b"\x04" + bytes(64), "bare EC point"),
        (b"-----BEGIN CERTIFICATE-----\nMIIB", "does not end.*truncated"),
        (
            b"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
            "certificate in it is broken",
        ),
        (
            b"-----BEGIN CERTIFICATE REQUEST-----\nMIIB\n-----END CERTIFICATE REQUEST-----\n",
            "CERTIFICATE REQUEST.*signed by a CA",
        ),
        (
            b"-----BEGIN OPENSSH PRIVATE KEY-----\nAA==\n-----END OPENSSH PRIVATE KEY-----\n",
            "ssh-keygen",
        ),
        (b"-----BEGIN MESSAGE-----\nAA==\n-----END MESSAGE-----\n", "a PEM block 'MESSAGE'"),
    ],
)
def test_other_files_are_described(data, words):
    with pytest.raises(FileProblem, match=words):
        raise_line(lambda: keys.decode(data, "f"))


@pytest.mark.parametrize("length", [31, 33])
def test_private_keys_of_other_lengths_are_refused(ec_key, length):
    value = scalar(ec_key).rjust(length, b"\0")[-length:]
    body = b"\x02\x01\x01\x04" + bytes([length]) + value
    body += bytes.fromhex("a00a06082a8648ce3d030107")
    with pytest.raises(FileProblem, match="none of the kinds|broken"):
        keys.decode(b"\x30" + bytes([len(body)]) + body, "f")


def test_every_truncation_of_a_certificate_is_refused(certificate_der):
    for length in range(1, len(certificate_der)):
        with pytest.raises(FileProblem):
            keys.decode(certificate_der[:length], "f")
    with pytest.raises(FileProblem, match=r"announces \d+ bytes, the file has 200"):
        keys.decode(certificate_der[:200], "f")


@pytest.mark.parametrize(
    "number, der", [(0, "020100"), (127, "02017f"), (128, "02020080"), (0x8000, "0203008000")]
)
def test_serial_numbers_are_der_integers(number, der):
    assert keys.der_integer(number).hex() == der
