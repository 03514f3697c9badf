# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Signing and verifying, and the state of operations (facts 1.6, 1.11)."""

import hashlib

import p11crypto
import pytest
from cryptography.hazmat.primitives import hashes
from token_kit import *

KEY = ec_key()


@pytest.fixture
def pair(app, session):
    return generate(app, session)


@pytest.fixture
def public(pair):
    return pair[0]


@pytest.fixture
def private(pair):
    return pair[1]


@pytest.fixture
def certificate_object(app, session):
    return app.C_CreateObject(session, guide_certificate(certificate(KEY)))


def start(app, session, key, how):
    (app.C_SignInit if how == "sign" else app.C_VerifyInit)(session, CKM_ECDSA, key)


def test_size_query_then_signature(app, session, private, public):
    app.C_SignInit(session, CKM_ECDSA, private)
    for room in (0, 1, 63):
        with pytest.raises(P11Error) as error:
            app.C_Sign(session, DIGEST, room)
        assert error.value.ckr == CKR_BUFFER_TOO_SMALL and error.value.length == 64
    signature = app.C_Sign(session, DIGEST, 64)
    assert len(signature) == 64
    assert verifies(get(app, session, public, CKA_EC_POINT)[2:], DIGEST, signature)
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Sign(session, DIGEST)


def test_a_search_may_start_while_a_signature_is_pending(app, session, private, public):
    app.C_SignInit(session, CKM_ECDSA, private)
    with raises(CKR_BUFFER_TOO_SMALL):
        app.C_Sign(session, DIGEST, 0)
    assert find(app, session, (CKA_LABEL, PUBLIC_LABEL)) == [public]
    app.C_Sign(session, DIGEST)
    app.C_FindObjectsInit(session, [])
    app.C_SignInit(session, CKM_ECDSA, private)
    app.C_FindObjectsFinal(session)
    app.C_Sign(session, DIGEST)


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


def test_one_operation_at_a_time(app, session, public, private):
    starts = (
        lambda: app.C_DigestInit(session, CKM_SHA256),
        lambda: app.C_SignInit(session, CKM_ECDSA, private),
        lambda: app.C_VerifyInit(session, CKM_ECDSA, public),
    )
    ends = (
        lambda: app.C_DigestFinal(session),
        lambda: app.C_Sign(session, DIGEST),
        lambda: app.C_Verify(session, DIGEST, bytes(64)),
    )
    for begin, end in zip(starts, ends):
        begin()
        for other in starts:
            with raises(CKR_OPERATION_ACTIVE):
                other()
        try:
            end()
        except P11Error as error:
            assert error.ckr == CKR_SIGNATURE_INVALID


def test_a_failed_init_starts_nothing_and_takes_no_slot(app, session, public):
    used = p11crypto.slots_used()
    for mechanism, key in ((CKM_ECDSA, public), (CKM_ECDSA, 0), (CKM_SHA256, public)):
        with pytest.raises(P11Error):
            app.C_SignInit(session, mechanism, key)
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Sign(session, DIGEST)
    assert p11crypto.slots_used() == used


@pytest.mark.parametrize("data", [None, 5, "text", [1], 1.5])
def test_bad_data_ends_the_operation(app, session, public, private, data):
    used = p11crypto.slots_used()
    app.C_SignInit(session, CKM_ECDSA, private)
    with raises(CKR_ARGUMENTS_BAD):
        app.C_Sign(session, data)
    assert p11crypto.slots_used() == used
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Sign(session, DIGEST)
    for arguments in ((data, bytes(64)), (DIGEST, data)):
        app.C_VerifyInit(session, CKM_ECDSA, public)
        with raises(CKR_ARGUMENTS_BAD):
            app.C_Verify(session, *arguments)
        with raises(CKR_OPERATION_NOT_INITIALIZED):
            app.C_Verify(session, DIGEST, bytes(64))


def test_a_bad_room_keeps_the_operation(app, session, private):
    app.C_SignInit(session, CKM_ECDSA, private)
    for room in (b"", "64", 64.0):
        with raises(CKR_ARGUMENTS_BAD):
            app.C_Sign(session, DIGEST, room)
    app.C_Sign(session, DIGEST)


def test_a_wrong_session_does_not_disturb_the_operation(app, session, private):
    app.C_SignInit(session, CKM_ECDSA, private)
    with raises(CKR_SESSION_HANDLE_INVALID):
        app.C_Sign(0, DIGEST)
    app.C_Sign(session, DIGEST)


def test_the_key_in_its_slot_only_while_the_operation_runs(app, session, private):
    used = p11crypto.slots_used()
    app.C_SignInit(session, CKM_ECDSA, private)
    assert p11crypto.slots_used() == used + 1
    app.C_Sign(session, DIGEST)
    assert p11crypto.slots_used() == used
    app.C_SignInit(session, CKM_ECDSA, private)
    app.C_CloseSession(session)
    assert p11crypto.slots_used() == 0


@pytest.mark.parametrize("token_object", [True, False])
def test_a_key_destroyed_under_a_running_operation(app, session, token_object):
    public, private = guide_pair()
    if not token_object:
        private.remove((CKA_TOKEN, True))
    public, private = generate(app, session, public, private)
    point = get(app, session, public, CKA_EC_POINT)[2:]
    second = app.C_OpenSession(1, RO)
    app.C_SignInit(session, CKM_ECDSA, private)
    app.C_SignInit(second, CKM_ECDSA, private)
    app.C_DestroyObject(session, private)
    with raises(CKR_KEY_HANDLE_INVALID):
        app.C_SignInit(app.C_OpenSession(1, RO), CKM_ECDSA, private)
    assert verifies(point, DIGEST, app.C_Sign(session, DIGEST))
    assert verifies(point, DIGEST, app.C_Sign(second, DIGEST))
    assert p11crypto.slots_used() == 1  # the master key


def test_a_public_key_destroyed_under_a_running_verification(app, session, public, private):
    app.C_SignInit(session, CKM_ECDSA, private)
    signature = app.C_Sign(session, DIGEST)
    app.C_VerifyInit(session, CKM_ECDSA, public)
    app.C_DestroyObject(session, public)
    app.C_Verify(session, DIGEST, signature)


def test_operations_in_many_sessions_interleave(app, session, public, private):
    sessions = [app.C_OpenSession(1, RO) for _ in range(6)]
    for handle in sessions:
        app.C_SignInit(handle, CKM_ECDSA, private)
    signatures = [app.C_Sign(handle, bytes((handle,)) * 32) for handle in sessions]
    for handle in sessions:
        app.C_VerifyInit(handle, CKM_ECDSA, public)
    for handle, signature in reversed(list(zip(sessions, signatures))):
        app.C_Verify(handle, bytes((handle,)) * 32, signature)


# --- mechanisms that hash ----------------------------------------------------------------------

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


# --- keys that ask for the PIN each time -------------------------------------------------------


def test_a_key_that_asks_for_the_pin_each_time(app, session, public):
    template, private = guide_pair()
    public, private = generate(app, session, template, private + [(CKA_ALWAYS_AUTHENTICATE, True)])
    app.C_SignInit(session, CKM_ECDSA, private)
    with raises(CKR_USER_NOT_LOGGED_IN):
        app.C_Sign(session, DIGEST)
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Login(session, CKU_CONTEXT_SPECIFIC, b"0000")
    app.C_SignInit(session, CKM_ECDSA_SHA256, private)
    app.C_SignUpdate(session, b"x")
    with raises(CKR_USER_NOT_LOGGED_IN):
        app.C_SignFinal(session)
    app.C_SignInit(session, CKM_ECDSA, private)
    with raises(CKR_PIN_INCORRECT):
        app.C_Login(session, CKU_CONTEXT_SPECIFIC, b"9999")
    app.token.settings.clock.now += 2000
    app.C_Login(session, CKU_CONTEXT_SPECIFIC, b"0000")
    app.C_Sign(session, DIGEST)
    app.C_SignInit(session, CKM_ECDSA, private)
    with raises(CKR_USER_NOT_LOGGED_IN):
        app.C_Sign(session, DIGEST)


def test_a_context_login_without_a_reason(app, session, private):
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Login(session, CKU_CONTEXT_SPECIFIC, b"0000")
    app.C_SignInit(session, CKM_ECDSA, private)
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Login(session, CKU_CONTEXT_SPECIFIC, b"0000")
    app.C_Sign(session, DIGEST)
