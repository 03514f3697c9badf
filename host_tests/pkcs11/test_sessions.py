# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Sessions: opening, closing, states, limits, independence of Applications (facts 1.5, 1.6)."""

import pytest
from token_kit import *

from pkcs11.application import Application


@pytest.fixture
def other(token):
    """A second Application on the same token."""
    application = Application(token)
    application.C_Initialize()
    return application


def test_open_needs_the_serial_flag(app):
    for flags in (0, CKF_RW_SESSION):
        with raises(CKR_SESSION_PARALLEL_NOT_SUPPORTED):
            app.C_OpenSession(1, flags)


@pytest.mark.parametrize("flags", [None, b"", -1, "x", True])
def test_open_with_bad_flags(app, flags):
    with raises(CKR_ARGUMENTS_BAD):
        app.C_OpenSession(1, flags)


def test_open_ignores_callbacks(app):
    assert app.C_OpenSession(1, RW, b"application", print) > 0


def test_handles_are_positive_and_never_used_again(app, other):
    seen = set()
    for _ in range(40):
        for application in (app, other):
            handle = application.C_OpenSession(1, RO)
            assert handle > 0 and handle not in seen
            seen.add(handle)
            application.C_CloseSession(handle)


@pytest.mark.parametrize("handle", [0, 1 << 40, -1, None, b"", True, 1.5, [], "1"])
def test_handles_that_were_never_given_out(app, handle):
    with raises(CKR_SESSION_HANDLE_INVALID):
        app.C_CloseSession(handle)
    with raises(CKR_SESSION_HANDLE_INVALID):
        app.C_GetSessionInfo(handle)


def test_a_closed_session_is_gone(app):
    session = app.C_OpenSession(1, RO)
    app.C_CloseSession(session)
    for name, args in (
        ("C_CloseSession", ()),
        ("C_GetSessionInfo", ()),
        ("C_Login", (CKU_USER, b"0000")),
        ("C_Logout", ()),
        ("C_FindObjectsInit", ()),
        ("C_FindObjects", (1,)),
        ("C_FindObjectsFinal", ()),
        ("C_DigestInit", (CKM_SHA256,)),
        ("C_DigestUpdate", (b"x",)),
        ("C_DigestFinal", ()),
        ("C_Sign", (b"x",)),
        ("C_Verify", (b"x", b"x")),
        ("C_GenerateRandom", (1,)),
        ("C_InitPIN", (b"1234",)),
        ("C_SetPIN", (b"1234", b"1234")),
    ):
        with raises(CKR_SESSION_HANDLE_INVALID):
            getattr(app, name)(session, *args)


def test_a_session_belongs_to_its_application(app, other):
    session = app.C_OpenSession(1, RO)
    with raises(CKR_SESSION_HANDLE_INVALID):
        other.C_GetSessionInfo(session)
    with raises(CKR_SESSION_HANDLE_INVALID):
        other.C_CloseSession(session)
    assert app.C_GetSessionInfo(session)


def test_sixteen_sessions_per_application(app, other):
    handles = [app.C_OpenSession(1, RO) for _ in range(16)]
    with raises(CKR_SESSION_COUNT):
        app.C_OpenSession(1, RO)
    other.C_OpenSession(1, RO)
    app.C_CloseSession(handles[3])
    app.C_OpenSession(1, RO)


def test_sixty_four_sessions_in_all(token):
    applications = [Application(token) for _ in range(5)]
    for application in applications:
        application.C_Initialize()
    for application in applications[:4]:
        for _ in range(16):
            application.C_OpenSession(1, RO)
    with raises(CKR_SESSION_COUNT):
        applications[4].C_OpenSession(1, RO)
    applications[0].C_Finalize()
    applications[4].C_OpenSession(1, RO)


def test_close_all_sessions_closes_only_ones_own(app, other):
    mine, yours = app.C_OpenSession(1, RO), other.C_OpenSession(1, RO)
    app.C_CloseAllSessions(1)
    with raises(CKR_SESSION_HANDLE_INVALID):
        app.C_GetSessionInfo(mine)
    assert other.C_GetSessionInfo(yours)
    app.C_CloseAllSessions(1)


def test_states_follow_flags_and_login(app):
    ro, rw = app.C_OpenSession(1, RO), app.C_OpenSession(1, RW)
    assert app.C_GetSessionInfo(ro) == (1, CKS_RO_PUBLIC_SESSION, RO, 0)
    assert app.C_GetSessionInfo(rw) == (1, CKS_RW_PUBLIC_SESSION, RW, 0)
    app.C_Login(ro, CKU_USER, b"0000")
    assert app.C_GetSessionInfo(ro).state == CKS_RO_USER_FUNCTIONS
    assert app.C_GetSessionInfo(rw).state == CKS_RW_USER_FUNCTIONS
    app.C_Logout(rw)
    assert app.C_GetSessionInfo(ro).state == CKS_RO_PUBLIC_SESSION


def test_login_state_belongs_to_the_application(app, session, other):
    theirs = other.C_OpenSession(1, RW)
    assert other.C_GetSessionInfo(theirs).state == CKS_RW_PUBLIC_SESSION
    with raises(CKR_USER_NOT_LOGGED_IN):
        other.C_Logout(theirs)
    other.C_Login(theirs, CKU_USER, b"0000")
    app.C_Logout(session)
    assert other.C_GetSessionInfo(theirs).state == CKS_RW_USER_FUNCTIONS


def test_closing_the_last_session_logs_out(app, session):
    second = app.C_OpenSession(1, RO)
    app.C_CloseSession(session)
    assert app.C_GetSessionInfo(second).state == CKS_RO_USER_FUNCTIONS
    app.C_CloseSession(second)
    third = app.C_OpenSession(1, RO)
    assert app.C_GetSessionInfo(third).state == CKS_RO_PUBLIC_SESSION


def test_session_objects_die_with_their_session(app, session):
    import p11crypto

    public, private = guide_pair()
    private.remove((CKA_TOKEN, True))
    second = app.C_OpenSession(1, RW)
    generate(app, second, public, private)
    assert len(find(app, session)) == 2
    used = p11crypto.slots_used()
    app.C_CloseSession(second)
    assert find(app, session) == []
    assert p11crypto.slots_used() == used - 1


def test_session_objects_are_seen_by_all_sessions_of_one_application_only(app, session, other):
    handle = app.C_CreateObject(session, guide_certificate(certificate(ec_key()))[:-1])
    second = app.C_OpenSession(1, RO)
    assert find(app, second) == [handle]
    theirs = log_in(other)
    assert find(other, theirs) == []
    with raises(CKR_OBJECT_HANDLE_INVALID):
        other.C_DestroyObject(theirs, handle)


def test_handles_of_objects_belong_to_the_application(app, session, other):
    _, private = generate(app, session)
    theirs = log_in(other)
    with raises(CKR_KEY_HANDLE_INVALID):
        other.C_SignInit(theirs, CKM_ECDSA, private)
    (found,) = find(other, theirs, (CKA_CLASS, CKO_PRIVATE_KEY))
    assert found != private
    other.C_SignInit(theirs, CKM_ECDSA, found)


def test_what_one_application_destroys_is_gone_for_all(app, session, other):
    _, private = generate(app, session)
    theirs = log_in(other)
    (found,) = find(other, theirs, (CKA_CLASS, CKO_PRIVATE_KEY))
    other.C_FindObjectsInit(theirs, [(CKA_CLASS, CKO_PRIVATE_KEY)])
    app.C_DestroyObject(session, private)
    assert other.C_FindObjects(theirs, 1) == []
    with raises(CKR_OBJECT_HANDLE_INVALID):
        other.C_GetAttributeValue(theirs, found, [CKA_CLASS])


def test_the_master_key_is_held_until_the_last_login_ends(app, session, other, token):
    import p11crypto

    theirs = log_in(other)
    assert p11crypto.slots_used() == 1
    app.C_Finalize()
    assert p11crypto.slots_used() == 1
    generate(other, theirs)
    other.C_Finalize()
    assert p11crypto.slots_used() == 0 and token.keyring.master == 0


def test_random_and_digest_and_find_work_without_login(app):
    session = app.C_OpenSession(1, RO)
    app.C_GenerateRandom(session, 4)
    app.C_DigestInit(session, CKM_SHA256)
    app.C_DigestFinal(session)
    assert find(app, session) == []


def test_a_read_only_session_makes_session_objects_only(app):
    session = app.C_OpenSession(1, RO)
    app.C_Login(session, CKU_USER, b"0000")
    value = certificate(ec_key())
    with raises(CKR_SESSION_READ_ONLY):
        app.C_CreateObject(session, guide_certificate(value))
    with raises(CKR_SESSION_READ_ONLY):
        generate(app, session)
    handle = app.C_CreateObject(session, guide_certificate(value)[:-1])
    app.C_SetAttributeValue(session, handle, [(CKA_LABEL, b"other")])
    app.C_DestroyObject(session, handle)


def test_a_read_only_session_cannot_change_or_destroy_token_objects(app, session):
    public, private = generate(app, session)
    reader = app.C_OpenSession(1, RO)
    with raises(CKR_SESSION_READ_ONLY):
        app.C_DestroyObject(reader, private)
    with raises(CKR_SESSION_READ_ONLY):
        app.C_SetAttributeValue(reader, public, [(CKA_LABEL, b"x")])
    with raises(CKR_SESSION_READ_ONLY):
        app.C_SetPIN(reader, b"0000", b"1234")
    app.C_SignInit(reader, CKM_ECDSA, private)
    app.C_Sign(reader, DIGEST)


def test_a_public_session_cannot_write_to_the_token(app, session):
    public, _ = generate(app, session)
    app.C_Logout(session)
    assert len(find(app, session)) == 1
    with raises(CKR_USER_NOT_LOGGED_IN):
        app.C_CreateObject(session, guide_certificate(certificate(ec_key())))
    with raises(CKR_USER_NOT_LOGGED_IN):
        app.C_CreateObject(session, guide_private(ec_key()))
    with raises(CKR_USER_NOT_LOGGED_IN):
        generate(app, session)
    with raises(CKR_USER_NOT_LOGGED_IN):
        app.C_DestroyObject(session, public)
    with raises(CKR_USER_NOT_LOGGED_IN):
        app.C_SetAttributeValue(session, public, [(CKA_LABEL, b"x")])


def test_a_login_elsewhere_does_not_let_a_public_session_write(app, other, session):
    theirs = other.C_OpenSession(1, RW)
    with raises(CKR_USER_NOT_LOGGED_IN):
        other.C_CreateObject(theirs, guide_certificate(certificate(ec_key())))
    assert find(other, theirs) == []


def test_logout_hides_private_objects_and_kills_their_handles(app, session):
    public, private = generate(app, session)
    app.C_Logout(session)
    assert find(app, session) == [public]
    with raises(CKR_OBJECT_HANDLE_INVALID):
        app.C_GetAttributeValue(session, private, [CKA_CLASS])
    app.C_Login(session, CKU_USER, b"0000")
    with raises(CKR_OBJECT_HANDLE_INVALID):
        app.C_GetAttributeValue(session, private, [CKA_CLASS])
    (again,) = find(app, session, (CKA_CLASS, CKO_PRIVATE_KEY))
    assert again not in (private, public)
    assert app.C_GetAttributeValue(session, public, [CKA_CLASS]) == [CKO_PUBLIC_KEY]


def test_logout_ends_operations_and_private_session_objects(app, session):
    import p11crypto

    public, private = guide_pair()
    private.remove((CKA_TOKEN, True))
    one, other = generate(app, session, public, private)
    app.C_SignInit(session, CKM_ECDSA, other)
    app.C_FindObjectsInit(session, [])
    app.C_Logout(session)
    assert p11crypto.slots_used() == 0
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Sign(session, DIGEST)
    assert app.C_FindObjects(session, 9) == [one]
    app.C_FindObjectsFinal(session)
