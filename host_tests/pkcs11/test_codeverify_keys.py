# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the kit, with its fixtures)
"""pkcs11.codeverify: which objects of the token count as the signer's key."""

import datetime

import pytest
import rsa_kit
from codeverify_kit import *
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from token_kit import certificate, ec_key, guide_certificate, guide_public, point
from update_kit import SIGNER, enrolled, signed

from pkcs11 import codeverify, der
from pkcs11.application import Application
from pkcs11.const import CKA_EC_PARAMS, CKA_EC_POINT
from pkcs11.keys import Token


def test_a_certificate_under_the_label_serves_as_well(token):
    keep(token, guide_certificate(certificate(SIGNER), b"Code Verify Key"))
    with Token(Application(token)) as opened:
        verify(opened, signed(NEW))
        with pytest.raises(codeverify.WrongKeyError):
            verify(opened, signed(NEW, OTHER))


def test_while_a_key_is_replaced_both_are_accepted(token, board):
    keep(token, guide_public(OTHER, b"Code Verify Key"))
    verify(board, signed(NEW, SIGNER))
    verify(board, signed(NEW, OTHER))


def test_without_a_key_every_image_is_refused(token, chip):
    with Token(Application(token)) as opened:
        with pytest.raises(codeverify.NoKeyError):
            install(opened, GOOD, chip)
    keep(token, guide_public(SIGNER, b"Code Verify Key 2"))
    with Token(Application(token)) as opened:
        with pytest.raises(codeverify.NoKeyError):
            install(opened, GOOD, chip)
    assert not chip.log


def test_keys_of_another_kind_under_the_label_do_not_count(token):
    other = ec_key(ec.SECP384R1())
    changed = {CKA_EC_PARAMS: der.OID_P384, CKA_EC_POINT: der.point_encode(point(other))}
    template = guide_public(SIGNER, b"Code Verify Key")
    keep(token, [(kind, changed.get(kind, value)) for kind, value in template])
    keep(token, guide_certificate(certificate(other), b"Code Verify Key"))
    with Token(Application(token)) as opened:
        with pytest.raises(codeverify.NoKeyError):
            verify(opened, GOOD)


def test_a_key_swapped_in_the_flash_is_noticed_after_login(token, store, make_token):
    enrolled(token).close()
    number = next(n for n, r in store.records.items() if r[2] == b"Code Verify Key")
    data = bytearray(store.records[number][3])
    data[-1] ^= 1  # of the MAC
    store.records[number][3] = bytes(data)
    with Token(Application(make_token())) as opened:
        verify(opened, GOOD)  # before login nobody can know
    with Token(Application(make_token()), b"0000") as opened:
        with pytest.raises(codeverify.NoKeyError):
            verify(opened, GOOD)


def test_a_certificate_of_an_rsa_key_under_the_label_does_not_count(token):
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "rsa")])
    day = datetime.datetime(2024, 1, 1)
    made = (
        x509.CertificateBuilder(name, name, rsa_kit.KEY.public_key(), 5, day)
        .not_valid_after(datetime.datetime(2044, 1, 1))
        .sign(rsa_kit.KEY, hashes.SHA256())
    )
    value = made.public_bytes(serialization.Encoding.DER)
    keep(token, guide_certificate(value, b"Code Verify Key"))
    with Token(Application(token)) as opened:
        with pytest.raises(codeverify.NoKeyError):
            verify(opened, GOOD)
