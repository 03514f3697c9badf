# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""The state of operations: sizes, ends, many sessions, keys that go away (facts 1.6)."""

import p11crypto
import pytest
from token_kit import *


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


def test_bad_data_does_not_end_an_operation_of_another_kind(app, session, public, private):
    bad = (
        lambda: app.C_Digest(session, None),
        lambda: app.C_DigestUpdate(session, None),
        lambda: app.C_Verify(session, DIGEST, None),
        lambda: app.C_VerifyUpdate(session, None),
        lambda: app.C_VerifyFinal(session, None),
        lambda: app.C_Encrypt(session, None),
        lambda: app.C_DecryptUpdate(session, None),
    )
    app.C_SignInit(session, CKM_ECDSA, private)
    for call in bad:
        with raises(CKR_ARGUMENTS_BAD):
            call()
    app.C_Sign(session, DIGEST)


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
