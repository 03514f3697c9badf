# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Keys that ask for the PIN at each use."""

from token_kit import *


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
