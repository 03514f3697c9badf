# SPDX-License-Identifier: MIT
"""Keys made or stored on the board, judged by an independent library, and the reverse."""

import hashlib
import os

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from p11board import csr, keys
from p11board.errors import TokenError

SHA256 = ec.ECDSA(hashes.SHA256())
PAIR = "test pair"


@pytest.fixture(scope="module")
def public_key(board):
    """The public half of a key pair generated on the board under the label PAIR."""
    with board.connected() as token:
        pair = token.keygen(PAIR, replace=True)
    return keys.public_key(bytes.fromhex(pair["point"]))


def test_the_boards_signatures_are_good(board, public_key):
    with board.connected() as token:
        for length in (0, 1, 1000):
            message = os.urandom(length)
            raw = token.sign(hashlib.sha256(message).digest(), PAIR)
            assert len(raw) == 64
            public_key.verify(csr.der_signature(raw), message, SHA256)


def test_two_signatures_of_one_message_differ(board, public_key):
    digest = hashlib.sha256(b"once").digest()
    with board.connected() as token:
        assert token.sign(digest, PAIR) != token.sign(digest, PAIR)


def test_the_board_verifies_its_own_signature_and_no_changed_one(board, public_key):
    digest = hashlib.sha256(b"message").digest()
    with board.connected() as token:
        signature = token.sign(digest, PAIR)
        assert token.verify(digest, signature, PAIR)
        assert not token.verify(hashlib.sha256(b"Message").digest(), signature, PAIR)
        for at in (0, 31, 32, 63):
            changed = bytearray(signature)
            changed[at] ^= 1
            assert not token.verify(digest, changed, PAIR)


def test_the_board_verifies_the_hosts_signatures(board):
    host_key = ec.generate_private_key(ec.SECP256R1())
    point = keys.point(host_key.public_key())
    item = keys.Item(keys.PUBLIC_KEY, point, "a host key", "P-256", point)
    with board.connected() as token:
        token.import_item(item, "test host key", replace=True)
        for message in (b"", b"x", os.urandom(500)):
            signature = csr.raw_signature(host_key.sign(message, SHA256))
            digest = hashlib.sha256(message).digest()
            assert token.verify(digest, signature, "test host key")
            assert not token.verify(digest, signature[32:] + signature[:32], "test host key")


def test_an_imported_private_key_signs_for_its_public_half(board, tmp_path):
    host_key = ec.generate_private_key(ec.SECP256R1())
    file = tmp_path / "key.pem"
    file.write_bytes(
        host_key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    board.p11board("import", file, "--label", "test imported", "--replace")
    with board.connected() as token:
        raw = token.sign(hashlib.sha256(b"hello").digest(), "test imported")
        assert token.read("test imported", keys.PUBLIC_KEY)["value"] == keys.point(
            host_key.public_key()
        )
    host_key.public_key().verify(csr.der_signature(raw), b"hello", SHA256)


def test_a_private_key_is_never_read(board, public_key):
    result = board.p11board("read", PAIR, "--class", "private", code=1)
    assert "CKR_ATTRIBUTE_SENSITIVE" in result.stderr


def test_a_private_key_is_not_even_seen_without_login(board, public_key):
    with board.connected() as token:
        seen = token.objects(private=False)
        assert (PAIR, keys.PRIVATE_KEY) not in [(o["label"], o["class"]) for o in seen]
        with pytest.raises(TokenError, match="CKR_OBJECT_HANDLE_INVALID"):
            token.request("read", label=PAIR, **{"class": keys.PRIVATE_KEY})
        with pytest.raises(TokenError):
            token.request("sign", label=PAIR, digest=bytes(32))


def test_a_certificate_request_is_signed_by_the_board(board, public_key, tmp_path):
    out = tmp_path / "device.csr"
    board.p11board("csr", "--label", PAIR, "--subject", "CN=test,O=Ünïcode", "-o", out)
    request = x509.load_pem_x509_csr(out.read_bytes())
    assert request.is_signature_valid
    assert keys.point(request.public_key()) == keys.point(public_key)


def test_signatures_travel_through_files_in_both_forms(board, public_key, tmp_path):
    message = tmp_path / "message"
    message.write_bytes(os.urandom(3000))
    for form in ([], ["--raw"]):
        signature = tmp_path / "signature"
        board.p11board("sign", message, "--label", PAIR, "-o", signature, *form)
        board.p11board("verify", message, signature, "--label", PAIR)
        der = signature.read_bytes() if not form else csr.der_signature(signature.read_bytes())
        public_key.verify(der, message.read_bytes(), SHA256)
    message.write_bytes(b"another")
    result = board.p11board("verify", message, signature, "--label", PAIR, code=1)
    assert "NOT valid" in result.stdout


def test_the_boards_hash_is_sha256(board):
    with board.connected() as token:
        for data in (b"abc", bytes(64), os.urandom(1000)):
            assert token.digest(data) == hashlib.sha256(data).digest()


def test_random_bytes_have_the_asked_length_and_are_not_repeated(board):
    with board.connected() as token:
        values = [token.random(n) for n in (1, 32, 32, 3000)]
    assert [len(v) for v in values] == [1, 32, 32, 3000]
    assert values[1] != values[2]
    assert len(set(values[3])) == 256
