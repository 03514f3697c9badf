# SPDX-License-Identifier: MIT
"""Key and certificate files: what is accepted, and that the error names what was found."""

import datetime
import hashlib

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from p11board import key_files, keys
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
    item = key_files.decode(ec_key.private_bytes(encoding, form, CLEAR), "key")
    assert (item.kind, item.curve) == (keys.PRIVATE_KEY, "P-256")
    assert item.value == scalar(ec_key)
    assert keys.public_half(item).value == keys.point(ec_key.public_key())


@pytest.mark.parametrize("encoding", [PEM, DER])
def test_encrypted_pkcs8_asks_for_its_password(ec_key, encoding):
    data = ec_key.private_bytes(encoding, PKCS8, LOCKED)
    assert key_files.decode(data, "key", password=lambda: b"horse").value == scalar(ec_key)
    with pytest.raises(FileProblem, match="cannot decrypt"):
        key_files.decode(data, "key", password=lambda: b"mule")
    with pytest.raises(FileProblem, match="encrypted"):
        key_files.decode(data, "key")


@pytest.fixture(scope="module")
def rsa_key():
    return rsa.generate_private_key(65537, 2048)


def rsa_value(key):
    own = key.private_numbers()
    halves = (own.p, own.q, own.dmp1, own.dmq1, own.iqmp)
    return own.d.to_bytes(256, "big") + b"".join(one.to_bytes(128, "big") for one in halves)


@pytest.mark.parametrize("encoding", [PEM, DER])
@pytest.mark.parametrize("form", [SEC1, PKCS8])  # the traditional form of RSA is PKCS#1
@pytest.mark.parametrize("lock", [CLEAR, LOCKED], ids=["clear", "encrypted"])
def test_rsa_keys_decode_to_their_numbers_and_their_public_half(rsa_key, encoding, form, lock):
    if lock is LOCKED and form == SEC1 and encoding == DER:
        pytest.skip("there is no such form")
    data = rsa_key.private_bytes(encoding, form, lock)
    item = key_files.decode(data, "key", password=lambda: b"horse")
    own = rsa_key.public_key().public_numbers()
    assert (item.kind, item.curve, item.value) == (keys.PRIVATE_KEY, "", rsa_value(rsa_key))
    assert item.extra == {"modulus": f"{own.n:x}", "exponent": "00010001"}
    half = keys.public_half(item)
    assert half == key_files.decode(rsa_key.public_key().public_bytes(encoding, SPKI), "key")
    assert half.value == own.n.to_bytes(256, "big") and half.extra == {"exponent": "00010001"}
    assert half.point == item.point == keys.point(rsa_key.public_key())
    assert keys.public_key(rsa_key.public_key().public_bytes(DER, SPKI)) == rsa_key.public_key()


def test_a_public_key_as_pkcs1_is_one_too(rsa_key):
    for encoding in (PEM, DER):
        data = rsa_key.public_key().public_bytes(encoding, serialization.PublicFormat.PKCS1)
        assert key_files.decode(data, "key").description == "an RSA public key"


def test_rsa_keys_the_token_cannot_hold_say_why():
    def public(e, bits=2048):
        n = (1 << bits) - 1
        return rsa.RSAPublicNumbers(e, n).public_key().public_bytes(PEM, SPKI)

    with pytest.raises(FileProblem, match="public exponent 4294967297.*32 bits"):
        raise_line(lambda: key_files.decode(public((1 << 32) + 1), "f"))
    with pytest.raises(FileProblem, match="an RSA public key of 4096 bits.*2048"):
        raise_line(lambda: key_files.decode(public(65537, 4096), "f"))


def test_a_certificate_with_an_rsa_key_of_any_size_is_taken(rsa_key):
    for key in (rsa_key, rsa.generate_private_key(65537, 1024)):
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "rsa")])
        builder = x509.CertificateBuilder(name, name, key.public_key(), 7)
        start = datetime.datetime(2024, 1, 1)
        builder = builder.not_valid_before(start)
        builder = builder.not_valid_after(start + datetime.timedelta(days=1))
        made = builder.sign(key, hashes.SHA256())
        item = key_files.decode(made.public_bytes(PEM), "cert")
        spki = key.public_key().public_bytes(DER, serialization.PublicFormat.PKCS1)
        assert keys.key_identifier(item.point) == hashlib.sha256(spki).digest()[:20]
        assert item.value == made.public_bytes(DER)


def test_a_password_is_not_asked_for_in_vain(ec_key):
    def never():
        raise AssertionError("asked")

    key_files.decode(ec_key.private_bytes(PEM, PKCS8, CLEAR), "key", password=never)


@pytest.mark.parametrize("encoding", [PEM, DER])
def test_public_keys_decode_to_the_point(ec_key, encoding):
    item = key_files.decode(ec_key.public_key().public_bytes(encoding, SPKI), "key")
    assert item.kind == keys.PUBLIC_KEY
    assert item.value == keys.point(ec_key.public_key())
    assert keys.point(keys.public_key(item.value)) == item.value


@pytest.mark.parametrize("encoding", [PEM, DER])
def test_certificates_keep_every_byte_and_bring_their_names(certificate, encoding):
    item = key_files.decode(certificate.public_bytes(encoding), "cert")
    assert item.kind == keys.CERTIFICATE
    assert item.value == certificate.public_bytes(DER)
    assert bytes.fromhex(item.extra["subject"]) == certificate.subject.public_bytes()
    assert item.extra["serial"] == "0203008000"
    assert item.point == keys.point(certificate.public_key())


def test_openssl_ecparam_output_is_a_private_key(ec_key):
    parameters = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
    data = parameters + ec_key.private_bytes(PEM, SEC1, CLEAR)
    assert key_files.decode(data, "key").value == scalar(ec_key)


def test_a_file_with_key_and_certificate_needs_a_choice(ec_key, certificate):
    data = certificate.public_bytes(PEM) + ec_key.private_bytes(PEM, PKCS8, CLEAR)
    with pytest.raises(FileProblem, match="holds 2 items"):
        key_files.decode(data, "both")
    assert key_files.decode(data, "both", keys.CERTIFICATE).kind == keys.CERTIFICATE
    assert key_files.decode(data, "both", keys.PRIVATE_KEY).kind == keys.PRIVATE_KEY


def test_the_wrong_kind_is_named(certificate):
    with pytest.raises(FileProblem, match="holds a certificate of CN=unit test.*private key"):
        raise_line(lambda: key_files.decode(certificate.public_bytes(PEM), "f", keys.PRIVATE_KEY))


def raise_line(action):
    """Raise the Problem again with its whole line, so that `match` sees the next step too."""
    try:
        action()
    except FileProblem as problem:
        raise FileProblem(problem.line()) from None


@pytest.mark.parametrize(
    "key, words",
    [
        (rsa.generate_private_key(65537, 1024), "an RSA private key of 1024 bits.*2048"),
        (rsa.generate_private_key(65537, 2040), "an RSA private key of 2040 bits.*2048"),
        (ed25519.Ed25519PrivateKey.generate(), "an Ed25519 private key.*P-256"),
        (ec.generate_private_key(ec.SECP256K1()), "private key on the curve secp256k1.*P-256"),
        (ec.generate_private_key(ec.SECP521R1()), "private key on the curve secp521r1.*P-256"),
    ],
)
@pytest.mark.parametrize("encoding", [PEM, DER])
def test_keys_the_token_cannot_hold_are_named(key, words, encoding):
    data = key.private_bytes(encoding, PKCS8, CLEAR)
    with pytest.raises(FileProblem, match=words):
        raise_line(lambda: key_files.decode(data, "f"))


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
        raise_line(lambda: key_files.decode(data, "f"))


@pytest.mark.parametrize("length", [31, 33])
def test_private_keys_of_other_lengths_are_refused(ec_key, length):
    value = scalar(ec_key).rjust(length, b"\0")[-length:]
    body = b"\x02\x01\x01\x04" + bytes([length]) + value
    body += bytes.fromhex("a00a06082a8648ce3d030107")
    with pytest.raises(FileProblem, match="none of the kinds|broken"):
        key_files.decode(b"\x30" + bytes([len(body)]) + body, "f")


def test_every_truncation_of_a_certificate_is_refused(certificate_der):
    for length in range(1, len(certificate_der)):
        with pytest.raises(FileProblem):
            key_files.decode(certificate_der[:length], "f")
    with pytest.raises(FileProblem, match=r"announces \d+ bytes, the file has 200"):
        key_files.decode(certificate_der[:200], "f")


@pytest.mark.parametrize(
    "number, der", [(0, "020100"), (127, "02017f"), (128, "02020080"), (0x8000, "0203008000")]
)
def test_serial_numbers_are_der_integers(number, der):
    assert keys.der_integer(number).hex() == der
