# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""PINs and keys in RAM: wiped by who had them last, whatever happens."""

import p11crypto
import pytest
from token_kit import *


@pytest.mark.parametrize("wrap", [bytearray, lambda pin: memoryview(bytearray(pin))])
def test_pins_are_wiped_whatever_happens(app, open_session, wrap):
    pins = []

    def pin(text):
        pins.append(wrap(text))
        return pins[-1]

    with raises(CKR_SESSION_HANDLE_INVALID):
        app.C_Login(0, CKU_USER, pin(b"0000"))
    with raises(CKR_USER_TYPE_INVALID):
        app.C_Login(open_session, 7, pin(b"0000"))
    with raises(CKR_PIN_INCORRECT):
        app.C_Login(open_session, CKU_USER, pin(b"9999"))
    app.token.settings.clock.now += 31000
    app.C_Login(open_session, CKU_USER, pin(b"0000"))
    with raises(CKR_USER_ALREADY_LOGGED_IN):
        app.C_Login(open_session, CKU_USER, pin(b"0000"))
    with raises(CKR_PIN_LEN_RANGE):
        app.C_SetPIN(open_session, pin(b"0000"), pin(b"1"))
    app.C_SetPIN(open_session, pin(b"0000"), pin(b"1234"))
    with raises(CKR_USER_NOT_LOGGED_IN):
        app.C_InitPIN(open_session, pin(b"1234"))
    with raises(CKR_SESSION_EXISTS):
        app.C_InitToken(1, pin(b"12345678"), b"")
    assert len(pins) == 11 and not any(any(bytes(p)) for p in pins)


def test_a_pin_in_a_view_of_immutable_bytes_works_and_cannot_be_wiped(app, open_session):
    pin = b"0000"
    app.C_Login(open_session, CKU_USER, memoryview(pin))
    assert pin == b"0000"


def test_a_failed_login_leaves_no_key_behind(app, open_session):
    with raises(CKR_PIN_INCORRECT):
        app.C_Login(open_session, CKU_USER, b"9999")
    assert p11crypto.slots_used() == 0


def test_logout_and_finalize_empty_all_slots(app, session):
    _, private = generate(app, session)
    app.C_SignInit(session, CKM_ECDSA, private)
    assert p11crypto.slots_used() == 2
    app.C_Logout(session)
    assert p11crypto.slots_used() == 0
    app.C_Login(session, CKU_USER, b"0000")
    public, private = guide_pair()
    private.remove((CKA_TOKEN, True))
    generate(app, session, public, private)
    app.C_Finalize()
    assert p11crypto.slots_used() == 0


def test_init_token_ends_handles_to_public_objects_too(app, session):
    public, _ = generate(app, session)
    app.C_CloseSession(session)
    app.C_InitToken(1, b"12345678", b"")
    session = log_in(app, b"12345678", CKU_SO)
    app.C_CreateObject(session, guide_certificate(certificate(ec_key())))
    with raises(CKR_OBJECT_HANDLE_INVALID):
        app.C_GetAttributeValue(session, public, [CKA_CLASS])


def test_a_flash_that_fails_cannot_keep_anybody_logged_in(app, session, store, monkeypatch):
    from pal.store import StoreError

    _, private = generate(app, session)
    app.token._cache.clear()

    def broken(number):
        raise StoreError(StoreError.IO)

    monkeypatch.setattr(app.token.pal, "info", broken)
    app.C_Logout(session)
    assert app.C_GetSessionInfo(session).state == CKS_RW_PUBLIC_SESSION
    assert p11crypto.slots_used() == 0
    monkeypatch.undo()
    with raises(CKR_OBJECT_HANDLE_INVALID):
        app.C_GetAttributeValue(session, private, [CKA_CLASS])


def test_finalize_wipes_what_an_interrupted_call_left(app, session, monkeypatch):
    _, private = generate(app, session)

    def interrupted(self, kind, operation):
        raise KeyboardInterrupt

    monkeypatch.setattr("pkcs11.session.Session.start", interrupted)
    with pytest.raises(KeyboardInterrupt):
        app.C_SignInit(session, CKM_ECDSA, private)
    assert p11crypto.slots_used() == 2
    app.C_Finalize()
    assert p11crypto.slots_used() == 0
