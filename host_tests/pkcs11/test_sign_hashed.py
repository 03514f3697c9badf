# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""CKM_ECDSA_SHA…: the token hashes, in one or in many parts."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from token_kit import *

HASHED = {
    CKM_ECDSA_SHA1: (hashlib.sha1, hashes.SHA1()),
    CKM_ECDSA_SHA224: (hashlib.sha224, hashes.SHA224()),
    CKM_ECDSA_SHA256: (hashlib.sha256, hashes.SHA256()),
    CKM_ECDSA_SHA384: (hashlib.sha384, hashes.SHA384()),
    CKM_ECDSA_SHA512: (hashlib.sha512, hashes.SHA512()),
}


@pytest.mark.parametrize("number", HASHED)
def test_hashing_mechanisms_in_one_and_in_many_parts(app, session, public, private, number):
    if number not in app.C_GetMechanismList(1):
        pytest.skip("not offered")
    message = b"message " * 50
    digest, algorithm = HASHED[number]
    point = get(app, session, public, CKA_EC_POINT)[2:]
    app.C_SignInit(session, number, private)
    whole = app.C_Sign(session, message)
    app.C_SignInit(session, number, private)
    for at in range(0, len(message), 33):
        app.C_SignUpdate(session, message[at : at + 33])
    with pytest.raises(P11Error) as error:
        app.C_SignFinal(session, 63)
    assert error.value.length == 64
    parts = app.C_SignFinal(session)
    for signature in (whole, parts):
        assert verifies(point, digest(message).digest(), signature, algorithm)
        app.C_VerifyInit(session, number, public)
        app.C_Verify(session, message, signature)
        app.C_VerifyInit(session, number, public)
        app.C_VerifyUpdate(session, message[:7])
        app.C_VerifyUpdate(session, message[7:])
        app.C_VerifyFinal(session, signature)
        app.C_VerifyInit(session, number, public)
        app.C_VerifyUpdate(session, message[1:])
        with raises(CKR_SIGNATURE_INVALID):
            app.C_VerifyFinal(session, signature)
    app.C_SignInit(session, number, private)
    app.C_Sign(session, b"")


def test_parts_of_a_mechanism_that_has_none(app, session, public, private):
    for call in (
        lambda: app.C_SignUpdate(session, DIGEST),
        lambda: app.C_SignFinal(session),
    ):
        app.C_SignInit(session, CKM_ECDSA, private)
        with raises(CKR_OPERATION_NOT_INITIALIZED):
            call()
        with raises(CKR_OPERATION_NOT_INITIALIZED):
            app.C_Sign(session, DIGEST)
    for call in (
        lambda: app.C_VerifyUpdate(session, DIGEST),
        lambda: app.C_VerifyFinal(session, bytes(64)),
    ):
        app.C_VerifyInit(session, CKM_ECDSA, public)
        with raises(CKR_OPERATION_NOT_INITIALIZED):
            call()
        with raises(CKR_OPERATION_NOT_INITIALIZED):
            app.C_Verify(session, DIGEST, bytes(64))


def test_one_shot_does_not_finish_parts(app, session, public, private):
    app.C_SignInit(session, CKM_ECDSA_SHA256, private)
    app.C_SignUpdate(session, b"x")
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Sign(session, b"y")
    app.C_VerifyInit(session, CKM_ECDSA_SHA256, public)
    app.C_VerifyUpdate(session, b"x")
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Verify(session, b"y", bytes(64))
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_VerifyFinal(session, bytes(64))
