# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""PINs: default mode, attempts, delay, lock-out, security officer (facts/store.md §5)."""

import p11crypto
import pytest
from token_kit import *

from pkcs11.application import Application

LOW = CKF_USER_PIN_COUNT_LOW
FINAL = CKF_USER_PIN_FINAL_TRY
LOCKED = CKF_USER_PIN_LOCKED


def flags(app):
    return app.C_GetTokenInfo(1).flags


@pytest.fixture
def open_session(app):
    return app.C_OpenSession(1, RW)


@pytest.fixture
def officer(app):
    """A session of the security officer (PIN "12345678") on an initialised token."""
    app.C_InitToken(1, b"12345678", b"mine")
    return log_in(app, b"12345678", CKU_SO)


@pytest.fixture
def restart(make_token, clock):
    """Power off and on: a new Application on a new Token over the same store."""

    def again(**choices):
        p11crypto.test_reset()
        app = Application(make_token(**choices))
        app.C_Initialize()
        return app

    return again


def fail(app, session, clock, count, pin=b"9999", user=CKU_USER):
    """Give a wrong PIN count times, each after the delay."""
    for _ in range(count):
        clock.now += 31000
        with raises(CKR_PIN_INCORRECT):
            app.C_Login(session, user, pin)
    clock.now += 31000


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


# --- security officer --------------------------------------------------------------------------


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


# --- secrets in RAM ----------------------------------------------------------------------------


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
