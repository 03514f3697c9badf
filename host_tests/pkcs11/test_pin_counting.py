# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Attempts are counted before anything is compared; the delay and the lock-out follow the count."""

import p11crypto
from pin_kit import *
from token_kit import *

from pkcs11.application import Application

# --- counting ----------------------------------------------------------------------------------


def test_an_attempt_is_counted_before_the_pin_is_compared(app, open_session, store, monkeypatch):
    order = []
    real = p11crypto.master_unwrap

    def unwrap(*args):
        order.append(("compare", store.fails(0)))
        return real(*args)

    monkeypatch.setattr(p11crypto, "master_unwrap", unwrap)
    with raises(CKR_PIN_INCORRECT):
        app.C_Login(open_session, CKU_USER, b"9999")
    assert order == [("compare", 1)]
    assert store.events[-1] == "attempt"


def test_without_a_durable_attempt_nothing_is_compared(app, session, store, monkeypatch):
    app.C_Logout(session)

    def unwrap(*args):
        raise AssertionError("compared")

    monkeypatch.setattr(p11crypto, "master_unwrap", unwrap)
    store.fail_at = store.writes + 1
    with raises(CKR_DEVICE_ERROR):
        app.C_Login(session, CKU_USER, b"0000")


def test_an_attempt_that_leaves_no_trace_is_no_attempt(app, session, store, monkeypatch):
    app.C_Logout(session)
    app.token.pal.attempt = lambda role: 7
    monkeypatch.setattr(p11crypto, "master_unwrap", None)
    with raises(CKR_DEVICE_ERROR):
        app.C_Login(session, CKU_USER, b"0000")


def test_a_right_pin_is_refused_if_the_success_cannot_be_written(app, session, store):
    app.C_Logout(session)
    store.fail_at = store.writes + 2
    with raises(CKR_DEVICE_ERROR):
        app.C_Login(session, CKU_USER, b"0000")
    assert app.C_GetSessionInfo(session).state == CKS_RW_PUBLIC_SESSION
    assert p11crypto.slots_used() == 0
    store.fail_at = None
    app.token.pal.success = lambda role: None
    app.token.settings.clock.now += 31000
    with raises(CKR_DEVICE_ERROR):
        app.C_Login(session, CKU_USER, b"0000")
    assert p11crypto.slots_used() == 0


def test_flags_follow_the_count_and_a_success_clears_them(app, open_session, clock):
    assert not flags(app) & (LOW | FINAL | LOCKED)
    fail(app, open_session, clock, 1)
    assert flags(app) & (LOW | FINAL | LOCKED) == LOW
    fail(app, open_session, clock, 8)
    assert flags(app) & (LOW | FINAL | LOCKED) == LOW | FINAL
    app.C_Login(open_session, CKU_USER, b"0000")
    assert not flags(app) & (LOW | FINAL | LOCKED)
    app.C_Logout(open_session)
    fail(app, open_session, clock, 10)
    assert flags(app) & (LOW | FINAL | LOCKED) == LOW | LOCKED


def test_a_locked_pin_is_never_compared_again_also_after_power_off(
    app, open_session, clock, restart, monkeypatch
):
    fail(app, open_session, clock, 10)
    app = restart()
    monkeypatch.setattr(p11crypto, "master_unwrap", None)
    session = app.C_OpenSession(1, RW)
    for _ in range(3):
        clock.now += 31000
        with raises(CKR_PIN_LOCKED):
            app.C_Login(session, CKU_USER, b"0000")
        with raises(CKR_PIN_LOCKED):
            app.C_SetPIN(session, b"0000", b"1234")


def test_the_limits_can_be_chosen(make_token, clock):
    app = Application(make_token(limits=(3, 3)))
    app.C_Initialize()
    fail(app, app.C_OpenSession(1, RW), clock, 3)
    assert flags(app) & LOCKED


def test_set_pin_counts_a_wrong_old_pin(app, session, clock, store):
    with raises(CKR_PIN_INCORRECT):
        app.C_SetPIN(session, b"9999", b"1234")
    assert store.fails(0) == 1
    clock.now += 31000
    app.C_SetPIN(session, b"0000", b"1234")
    assert store.fails(0) == 0


# --- delay -------------------------------------------------------------------------------------


def test_the_delay_grows_and_costs_no_attempt(app, open_session, clock, store):
    for fails, delay in ((1, 1), (2, 3), (3, 7), (4, 15), (5, 30), (6, 30)):
        with raises(CKR_PIN_INCORRECT):
            app.C_Login(open_session, CKU_USER, b"9999")
        assert store.fails(0) == fails
        assert app.token.keyring.seconds_left(0) == delay
        clock.now += delay * 1000 - 1
        with raises(CKR_FUNCTION_FAILED):
            app.C_Login(open_session, CKU_USER, b"0000")
        assert store.fails(0) == fails
        clock.now += 1
        assert app.token.keyring.seconds_left(0) == 0
    app.C_Login(open_session, CKU_USER, b"0000")


def test_power_off_does_not_shorten_the_delay(app, open_session, clock, restart):
    for _ in range(3):
        clock.now += 31000
        with raises(CKR_PIN_INCORRECT):
            app.C_Login(open_session, CKU_USER, b"9999")
    app = restart()
    session = app.C_OpenSession(1, RW)
    clock.now += 6999
    with raises(CKR_FUNCTION_FAILED):
        app.C_Login(session, CKU_USER, b"0000")
    clock.now += 1
    app.C_Login(session, CKU_USER, b"0000")


def test_a_clock_that_wrapped_does_not_lock_out(app, open_session, clock):
    with raises(CKR_PIN_INCORRECT):
        app.C_Login(open_session, CKU_USER, b"9999")
    clock.now -= 1 << 20
    app.C_Login(open_session, CKU_USER, b"0000")
