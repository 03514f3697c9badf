# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Logging in: default mode, arguments, roles (facts/store.md §5)."""

import p11crypto
import pytest
from pin_kit import *
from token_kit import *

from pkcs11.application import Application

# --- default mode ------------------------------------------------------------------------------


def test_a_blank_token_opens_with_0000_only(app, open_session, clock):
    for pin in (b"0001", b"000", b"00000", b"\0\0\0\0", b" 0000", b"x"):
        clock.now += 31000
        with raises(CKR_PIN_INCORRECT):
            app.C_Login(open_session, CKU_USER, pin)
    clock.now += 31000
    app.C_Login(open_session, CKU_USER, b"0000")


def test_the_first_login_makes_the_master_key_and_the_next_ones_do_not(app, session, store):
    assert store.records[0x02][1] == 3 and store.records[0x01][1] == 2  # SECRET, CRITICAL
    before = dict(store.records)
    app.C_Logout(session)
    app.C_Login(session, CKU_USER, b"0000")
    assert store.records == before


def test_default_mode_is_counted_like_any_other(app, open_session, clock, store):
    fail(app, open_session, clock, 10)
    assert flags(app) & LOCKED
    with raises(CKR_PIN_LOCKED):
        app.C_Login(open_session, CKU_USER, b"0000")
    assert store.events.count("attempt") == 10


def test_the_default_pin_is_not_stretched_and_a_chosen_one_is(app, session, monkeypatch):
    seen = []
    real = p11crypto.master_unwrap

    def unwrap(pin, salt, iterations, aad, blob):
        seen.append(iterations)
        return real(pin, salt, iterations, aad, blob)

    monkeypatch.setattr(p11crypto, "master_unwrap", unwrap)
    app.C_SetPIN(session, b"0000", b"654321")
    app.C_Logout(session)
    app.C_Login(session, CKU_USER, b"654321")
    assert seen == [0, 50]


class Speed:
    """master_wrap on a board that takes so many µs for an iteration, over a test's clock."""

    def __init__(self, monkeypatch, clock, microseconds):
        self.clock, self.microseconds, self.real = clock, microseconds, p11crypto.master_wrap
        monkeypatch.setattr(p11crypto, "master_wrap", self)

    def __call__(self, master, pin, salt, iterations, aad):
        self.clock.now += iterations * self.microseconds // 1000
        return self.real(master, pin, salt, iterations and 1, aad)


@pytest.mark.parametrize(
    "microseconds, iterations",
    [(1, 700000), (10, 70000), (35, 20000), (70, 10000), (100, 10000), (5000, 10000), (0, 10000)],
)
def test_stretching_takes_0_7_seconds_and_never_fewer_than_10000_iterations(
    make_token, clock, store, monkeypatch, microseconds, iterations
):
    """0 µs: a clock that stands still."""
    app = Application(make_token(iterations=None))
    app.C_Initialize()
    Speed(monkeypatch, clock, microseconds)
    seen = []
    monkeypatch.setattr(
        p11crypto, "master_unwrap", lambda pin, salt, count, *more: seen.append(count)
    )
    app.C_InitToken(1, b"12345678", b"")
    assert app.token.keyring.iterations(1) == iterations  # as stored with the wrap
    with raises(CKR_PIN_INCORRECT):
        log_in(app, b"12345678", CKU_SO)
    assert seen == [iterations]


def test_each_pin_keeps_the_iterations_it_was_set_with(make_token, clock, monkeypatch):
    app = Application(make_token(iterations=None))
    app.C_Initialize()
    session = log_in(app)
    speed = Speed(monkeypatch, clock, 10)
    assert app.token.keyring.iterations(0) == 0  # the default PIN
    app.C_SetPIN(session, b"0000", b"1234")
    assert app.token.keyring.iterations(0) == 70000
    speed.microseconds = 20
    assert app.token.keyring.iterations(0) == 70000
    real = p11crypto.master_unwrap
    monkeypatch.setattr(
        p11crypto, "master_unwrap", lambda pin, salt, count, *more: real(pin, salt, 1, *more)
    )
    app.C_SetPIN(session, b"1234", b"4321")
    assert app.token.keyring.iterations(0) == 35000


def test_set_pin_leaves_default_mode_and_keeps_the_keys(app, session, restart):
    _, private = generate(app, session)
    assert flags(app) & CKF_USER_PIN_TO_BE_CHANGED
    app.C_SetPIN(session, b"0000", b"654321")
    assert not flags(app) & CKF_USER_PIN_TO_BE_CHANGED
    assert flags(app) & CKF_TOKEN_INITIALIZED and flags(app) & CKF_USER_PIN_INITIALIZED
    app.C_SignInit(session, CKM_ECDSA, private)
    app.C_Sign(session, DIGEST)
    app = restart()
    session = app.C_OpenSession(1, RW)
    with raises(CKR_PIN_INCORRECT):
        app.C_Login(session, CKU_USER, b"0000")
    app.token.settings.clock.now += 31000
    app.C_Login(session, CKU_USER, b"654321")
    (private,) = find(app, session, (CKA_CLASS, CKO_PRIVATE_KEY))
    app.C_SignInit(session, CKM_ECDSA, private)
    app.C_Sign(session, DIGEST)


def test_a_locked_build_has_no_default_mode(make_token):
    app = Application(make_token(default_mode=False))
    app.C_Initialize()
    assert not flags(app) & (CKF_TOKEN_INITIALIZED | CKF_USER_PIN_INITIALIZED)
    session = app.C_OpenSession(1, RW)
    for user in (CKU_USER, CKU_SO):
        with raises(CKR_USER_PIN_NOT_INITIALIZED):
            app.C_Login(session, user, b"0000")
    with raises(CKR_USER_PIN_NOT_INITIALIZED):
        app.C_SetPIN(session, b"0000", b"1234")
    app.C_CloseSession(session)
    app.C_InitToken(1, b"12345678", b"locked build")
    session = log_in(app, b"12345678", CKU_SO)
    app.C_InitPIN(session, b"4321")


# --- arguments and states ----------------------------------------------------------------------


@pytest.mark.parametrize("user", [3, -1, None, b"", "1", 1 << 40, True])
def test_user_types(app, open_session, user):
    with raises(CKR_USER_TYPE_INVALID):
        app.C_Login(open_session, user, b"0000")


@pytest.mark.parametrize("pin", [None, 5, [], (), 1.5])
def test_pins_that_are_none(app, open_session, pin, store):
    with raises(CKR_ARGUMENTS_BAD):
        app.C_Login(open_session, CKU_USER, pin)
    with raises(CKR_ARGUMENTS_BAD):
        app.C_SetPIN(open_session, pin, b"1234")
    with raises(CKR_ARGUMENTS_BAD):
        app.C_SetPIN(open_session, b"0000", pin)
    with raises(CKR_ARGUMENTS_BAD):
        app.C_InitPIN(open_session, pin)
    assert not store.writes


@pytest.mark.parametrize("pin", [b"", bytes(65), bytes(1000)])
def test_pins_that_nobody_can_have_are_wrong_and_cost_nothing(app, open_session, pin, store):
    with raises(CKR_PIN_INCORRECT):
        app.C_Login(open_session, CKU_USER, pin)
    assert not store.writes


def test_login_twice(app, session):
    with raises(CKR_USER_ALREADY_LOGGED_IN):
        app.C_Login(session, CKU_USER, b"0000")
    second = app.C_OpenSession(1, RO)
    with raises(CKR_USER_ALREADY_LOGGED_IN):
        app.C_Login(second, CKU_USER, b"wrong")


def test_one_role_at_a_time(app, officer):
    with raises(CKR_USER_ANOTHER_ALREADY_LOGGED_IN):
        app.C_Login(officer, CKU_USER, b"0000")
    app.C_InitPIN(officer, b"4321")
    app.C_Logout(officer)
    app.C_Login(officer, CKU_USER, b"4321")
    with raises(CKR_USER_ANOTHER_ALREADY_LOGGED_IN):
        app.C_Login(officer, CKU_SO, b"12345678")


def test_logout_without_login(app, open_session):
    with raises(CKR_USER_NOT_LOGGED_IN):
        app.C_Logout(open_session)


def test_the_officer_needs_read_write_sessions_only(app):
    app.C_InitToken(1, b"12345678", b"")
    reader, writer = app.C_OpenSession(1, RO), app.C_OpenSession(1, RW)
    with raises(CKR_SESSION_READ_ONLY_EXISTS):
        app.C_Login(writer, CKU_SO, b"12345678")
    app.C_CloseSession(reader)
    app.C_Login(writer, CKU_SO, b"12345678")
    assert app.C_GetSessionInfo(writer).state == CKS_RW_SO_FUNCTIONS
    with raises(CKR_SESSION_READ_WRITE_SO_EXISTS):
        app.C_OpenSession(1, RO)


def test_pins_may_be_text(app, open_session):
    app.C_Login(open_session, CKU_USER, "0000")
    app.C_SetPIN(open_session, "0000", "pässwörd")
    app.C_Logout(open_session)
    app.C_Login(open_session, CKU_USER, "pässwörd")
