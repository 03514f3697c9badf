# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Signing and verifying with CKM_ECDSA, and keys that cannot (facts 1.11)."""

import pytest
from token_kit import *

KEY = ec_key()


@pytest.fixture
def certificate_object(app, session):
    return app.C_CreateObject(session, guide_certificate(certificate(KEY)))


def start(app, session, key, how):
    (app.C_SignInit if how == "sign" else app.C_VerifyInit)(session, CKM_ECDSA, key)


@pytest.mark.parametrize("length", [1, 20, 28, 31, 32, 33, 48, 64, 500])
def test_digests_of_any_length(app, session, private, public, length):
    data = bytes(range(256))[:length] if length <= 256 else bytes(length)
    app.C_SignInit(session, CKM_ECDSA, private)
    signature = app.C_Sign(session, data)
    app.C_VerifyInit(session, CKM_ECDSA, public)
    app.C_Verify(session, data, signature)
    digest = data[:32].rjust(32, b"\0")
    assert verifies(get(app, session, public, CKA_EC_POINT)[2:], digest, signature)


def test_an_empty_digest(app, session, private, public):
    app.C_SignInit(session, CKM_ECDSA, private)
    with raises(CKR_DATA_LEN_RANGE):
        app.C_Sign(session, b"")
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Sign(session, DIGEST)
    app.C_VerifyInit(session, CKM_ECDSA, public)
    with raises(CKR_DATA_LEN_RANGE):
        app.C_Verify(session, b"", bytes(64))


def test_a_signature_of_another_length_wins_over_an_empty_digest(app, session, public):
    for length in (0, 1, 63, 65, 72, 128):
        for data in (DIGEST, b""):
            app.C_VerifyInit(session, CKM_ECDSA, public)
            with raises(CKR_SIGNATURE_LEN_RANGE):
                app.C_Verify(session, data, bytes(length))


def test_signatures_that_are_wrong(app, session, public, private):
    app.C_SignInit(session, CKM_ECDSA, private)
    good = app.C_Sign(session, DIGEST)
    for data, signature in (
        (DIGEST, good[:-1] + bytes((good[-1] ^ 1,))),
        (DIGEST, good[32:] + good[:32]),
        (bytes(32), good),
        (DIGEST, bytes(64)),
        (DIGEST, b"\xff" * 64),
        (DIGEST, good[:32] + bytes(32)),
    ):
        app.C_VerifyInit(session, CKM_ECDSA, public)
        with raises(CKR_SIGNATURE_INVALID):
            app.C_Verify(session, data, signature)
        with raises(CKR_OPERATION_NOT_INITIALIZED):
            app.C_Verify(session, DIGEST, good)


def test_a_signature_of_the_host_verifies_on_the_token(app, session):
    handle = app.C_CreateObject(session, guide_public(KEY))
    app.C_VerifyInit(session, CKM_ECDSA, handle)
    app.C_Verify(session, DIGEST, sign(KEY, DIGEST))


def test_public_keys_verify_without_login(app, session, public, private):
    app.C_SignInit(session, CKM_ECDSA, private)
    signature = app.C_Sign(session, DIGEST)
    app.C_Logout(session)
    app.C_VerifyInit(session, CKM_ECDSA, public)
    app.C_Verify(session, DIGEST, signature)


@pytest.mark.parametrize("how", ["sign", "verify"])
@pytest.mark.parametrize("handle", [0, 12345, -1, None, b"", True])
def test_keys_that_are_not_there(app, session, pair, how, handle):
    with raises(CKR_KEY_HANDLE_INVALID):
        start(app, session, handle, how)


@pytest.mark.parametrize("how", ["sign", "verify"])
def test_a_bad_key_wins_over_a_bad_mechanism(app, session, pair, how):
    call = app.C_SignInit if how == "sign" else app.C_VerifyInit
    with raises(CKR_KEY_HANDLE_INVALID):
        call(session, 0x7777, 0)
    with raises(CKR_ARGUMENTS_BAD):
        call(session, None, 0)


def test_the_wrong_half(app, session, public, private):
    with raises(CKR_KEY_TYPE_INCONSISTENT):
        start(app, session, public, "sign")
    with raises(CKR_KEY_TYPE_INCONSISTENT):
        start(app, session, private, "verify")


@pytest.mark.parametrize("how", ["sign", "verify"])
def test_a_certificate_is_no_key(app, session, certificate_object, how):
    with raises(CKR_KEY_HANDLE_INVALID):
        start(app, session, certificate_object, how)


@pytest.mark.parametrize("number", [0, 0x7777, CKM_SHA256, CKM_EC_KEY_PAIR_GEN, -1, 1 << 40])
def test_mechanisms_that_do_not_sign(app, session, public, private, number):
    with raises(CKR_MECHANISM_INVALID):
        app.C_SignInit(session, number, private)
    with raises(CKR_MECHANISM_INVALID):
        app.C_VerifyInit(session, number, public)


def test_a_parameter_nobody_asked_for(app, session, private):
    with raises(CKR_MECHANISM_PARAM_INVALID):
        app.C_SignInit(session, (CKM_ECDSA, b"x"), private)
    app.C_SignInit(session, (CKM_ECDSA, b""), private)


def test_keys_that_are_not_for_signing(app, session):
    public, private = guide_pair()
    public[1] = (CKA_VERIFY, False)
    private[3] = (CKA_SIGN, False)
    public, private = generate(app, session, public, private)
    with raises(CKR_KEY_FUNCTION_NOT_PERMITTED):
        start(app, session, private, "sign")
    with raises(CKR_KEY_FUNCTION_NOT_PERMITTED):
        start(app, session, public, "verify")
