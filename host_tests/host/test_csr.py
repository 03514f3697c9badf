# SPDX-License-Identifier: MIT
"""Requests whose signature comes from somewhere else: here a software key plays the board."""

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

from p11board import csr
from p11board.errors import Problem, UsageProblem


def board_with(key):
    """sign_digest as the board does it: r || s."""

    def sign_digest(digest):
        der = key.sign(digest, ec.ECDSA(utils.Prehashed(hashes.SHA256())))
        return csr.raw_signature(der)

    return sign_digest


def test_the_request_carries_subject_names_and_the_boards_signature(ec_key):
    key = csr.TokenKey(ec_key.public_key(), board_with(ec_key))
    name = csr.parse_subject("CN=board-1,O=Example Ltd,C=DE")
    request = csr.build(key, name, [csr.general_name("dns", "board-1.example")])
    assert request.is_signature_valid
    assert request.subject.rfc4514_string() == "CN=board-1,O=Example Ltd,C=DE"
    names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["board-1.example"]


def test_halves_that_do_not_belong_together_are_noticed(ec_key):
    stranger = ec.generate_private_key(ec.SECP256R1())
    key = csr.TokenKey(ec_key.public_key(), board_with(stranger))
    with pytest.raises(Problem, match="does not match its public key"):
        csr.build(key, csr.parse_subject("CN=x"))


@pytest.mark.parametrize("text", ["", "board", "CN", "C=Germany", "=x"])
def test_a_bad_subject_shows_a_good_one(text):
    with pytest.raises(UsageProblem) as caught:
        csr.parse_subject(text)
    assert "CN=board-1,O=Example,C=DE" in caught.value.line()


def test_the_private_half_cannot_be_asked_for(ec_key):
    key = csr.TokenKey(ec_key.public_key(), board_with(ec_key))
    for ask in (
        key.private_numbers,
        lambda: key.private_bytes(None, None, None),
        lambda: key.exchange(ec.ECDH(), ec_key.public_key()),
    ):
        with pytest.raises(NotImplementedError):
            ask()
    assert (key.curve.name, key.key_size) == ("secp256r1", 256)


def test_signatures_convert_both_ways_with_leading_zeros():
    raw = bytes(31) + b"\x80" + b"\xff" * 32
    der = csr.der_signature(raw)
    assert der.hex().startswith("3027020200800221")
    assert csr.raw_signature(der) == raw
