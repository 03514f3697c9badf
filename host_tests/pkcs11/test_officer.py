# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""The security officer: C_InitToken, C_InitPIN, what he may and may not."""

import pytest
from pin_kit import *
from token_kit import *

from pkcs11.application import Application


def test_no_officer_login_before_init_token(app, open_session, store):
    with raises(CKR_USER_PIN_NOT_INITIALIZED):
        app.C_Login(open_session, CKU_SO, b"12345678")
    assert not store.writes


def test_init_token_of_a_blank_token(app, restart):
    app.C_InitToken(1, b"12345678", b"my label")
    app = restart()
    info = app.C_GetTokenInfo(1)
    assert info.label == b"my label"
    assert info.flags & CKF_TOKEN_INITIALIZED
    assert not info.flags & (CKF_USER_PIN_INITIALIZED | CKF_USER_PIN_TO_BE_CHANGED)
    assert not info.flags & CKF_SO_PIN_TO_BE_CHANGED
    session = app.C_OpenSession(1, RW)
    with raises(CKR_USER_PIN_NOT_INITIALIZED):
        app.C_Login(session, CKU_USER, b"0000")
    app.C_Login(session, CKU_SO, b"12345678")
    app.C_InitPIN(session, b"4321")
    assert app.C_GetTokenInfo(1).flags & CKF_USER_PIN_INITIALIZED
    app.C_Logout(session)
    app.C_Login(session, CKU_USER, b"4321")
    generate(app, session)


def test_init_token_with_a_session_open_anywhere(app, token):
    other = Application(token)
    other.C_Initialize()
    session = other.C_OpenSession(1, RO)
    with raises(CKR_SESSION_EXISTS):
        app.C_InitToken(1, b"12345678", b"")
    other.C_CloseSession(session)
    app.C_InitToken(1, b"12345678", b"")


def test_init_token_over_objects_needs_a_proof_of_the_default_pin(app, session):
    generate(app, session)
    app.C_Finalize()
    app.C_Initialize()
    with raises(CKR_PIN_INCORRECT):
        app.C_InitToken(1, b"12345678", b"")
    session = log_in(app)
    assert len(find(app, session)) == 2
    app.C_CloseSession(session)
    app.C_InitToken(1, b"12345678", b"")
    assert find(app, log_in(app, b"12345678", CKU_SO)) == []


def test_init_token_without_objects_but_with_a_chosen_user_pin_needs_a_proof_too(app, session):
    app.C_SetPIN(session, b"0000", b"654321")
    app.C_Finalize()
    app.C_Initialize()
    with raises(CKR_PIN_INCORRECT):
        app.C_InitToken(1, b"12345678", b"")


def test_init_token_again_needs_the_officers_pin_and_destroys_everything(app, officer, store):
    app.C_InitPIN(officer, b"4321")
    app.C_Logout(officer)
    app.C_Login(officer, CKU_USER, b"4321")
    _, private = generate(app, officer)
    wraps = store.records[0x02][3], store.records[0x03][3]
    app.C_CloseSession(officer)
    with raises(CKR_PIN_INCORRECT):
        app.C_InitToken(1, b"87654321", b"")
    assert store.fails(1) == 1
    app.token.settings.clock.now += 31000
    app.C_InitToken(1, b"12345678", b"again")
    assert 0x02 not in store.records and store.records[0x03][3] not in wraps
    session = log_in(app, b"12345678", CKU_SO)
    assert find(app, session) == []
    app.C_InitPIN(session, b"4321")
    app.C_Logout(session)
    app.C_Login(session, CKU_USER, b"4321")
    with raises(CKR_OBJECT_HANDLE_INVALID):
        app.C_GetAttributeValue(session, private, [CKA_CLASS])


@pytest.mark.parametrize("label", [None, 5, bytes(33), "x" * 33, []])
def test_token_labels(app, label):
    with raises(CKR_ARGUMENTS_BAD):
        app.C_InitToken(1, b"12345678", label)
    app.C_InitToken(1, b"12345678", b"x" * 32)
    assert app.C_GetTokenInfo(1).label == b"x" * 32


@pytest.mark.parametrize("pin", [b"", b"123", bytes(65)])
def test_new_pins_have_4_to_64_bytes(app, pin, store):
    with raises(CKR_PIN_LEN_RANGE):
        app.C_InitToken(1, pin, b"")
    app.C_InitToken(1, b"12345678", b"")
    with raises(CKR_PIN_INCORRECT):
        app.C_InitToken(1, pin, b"")
    session = log_in(app, b"12345678", CKU_SO)
    with raises(CKR_PIN_LEN_RANGE):
        app.C_InitPIN(session, pin)
    attempts = store.events.count("attempt")
    with raises(CKR_PIN_LEN_RANGE):
        app.C_SetPIN(session, b"12345678", pin)
    assert store.events.count("attempt") == attempts
    app.C_InitPIN(session, b"x" * 64)
    app.C_InitPIN(session, b"x" * 4)


def test_init_pin_is_the_officers_call(app, session):
    with raises(CKR_USER_NOT_LOGGED_IN):
        app.C_InitPIN(session, b"1234")
    app.C_Logout(session)
    with raises(CKR_USER_NOT_LOGGED_IN):
        app.C_InitPIN(session, b"1234")


def test_the_officer_unlocks_the_user_and_the_keys_are_still_there(app, officer, clock):
    app.C_InitPIN(officer, b"4321")
    app.C_Logout(officer)
    app.C_Login(officer, CKU_USER, b"4321")
    _, private = generate(app, officer)
    app.C_Logout(officer)
    fail(app, officer, clock, 10)
    with raises(CKR_PIN_LOCKED):
        app.C_Login(officer, CKU_USER, b"4321")
    app.C_Login(officer, CKU_SO, b"12345678")
    app.C_InitPIN(officer, b"5555")
    app.C_Logout(officer)
    assert not flags(app) & (LOW | LOCKED)
    app.C_Login(officer, CKU_USER, b"5555")
    (private,) = find(app, officer, (CKA_CLASS, CKO_PRIVATE_KEY))
    app.C_SignInit(officer, CKM_ECDSA, private)
    app.C_Sign(officer, DIGEST)


def test_the_officer_changes_his_own_pin(app, officer):
    app.C_SetPIN(officer, b"12345678", b"abcdefgh")
    app.C_Logout(officer)
    with raises(CKR_PIN_INCORRECT):
        app.C_Login(officer, CKU_SO, b"12345678")
    app.token.settings.clock.now += 31000
    app.C_Login(officer, CKU_SO, b"abcdefgh")


def test_a_public_session_changes_the_users_pin(app, open_session):
    app.C_SetPIN(open_session, b"0000", b"1234")
    app.C_Login(open_session, CKU_USER, b"1234")


def test_the_officers_count_and_lock(app, officer, clock):
    app.C_Logout(officer)
    fail(app, officer, clock, 14, user=CKU_SO)
    assert flags(app) & CKF_SO_PIN_FINAL_TRY and flags(app) & CKF_SO_PIN_COUNT_LOW
    fail(app, officer, clock, 1, user=CKU_SO)
    assert flags(app) & CKF_SO_PIN_LOCKED and not flags(app) & CKF_SO_PIN_FINAL_TRY
    with raises(CKR_PIN_LOCKED):
        app.C_Login(officer, CKU_SO, b"12345678")
    app.C_CloseSession(officer)
    with raises(CKR_PIN_LOCKED):
        app.C_InitToken(1, b"12345678", b"")


def test_the_officer_sees_public_objects_only_and_may_make_them(app, officer):
    app.C_InitPIN(officer, b"4321")
    app.C_Logout(officer)
    app.C_Login(officer, CKU_USER, b"4321")
    public, _ = generate(app, officer)
    app.C_Logout(officer)
    app.C_Login(officer, CKU_SO, b"12345678")
    assert find(app, officer) == [public]
    value = certificate(ec_key())
    trusted = app.C_CreateObject(officer, guide_certificate(value) + [(CKA_TRUSTED, True)])
    assert get(app, officer, trusted, CKA_TRUSTED) is True
    with raises(CKR_USER_NOT_LOGGED_IN):
        app.C_CreateObject(officer, guide_private(ec_key()))
    app.C_SetAttributeValue(officer, public, [(CKA_TRUSTED, True)])
    app.C_DestroyObject(officer, trusted)
