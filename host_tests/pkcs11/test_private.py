# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Private objects exist for the logged-in user and for nobody else (PKCS#11 v2.40 §4.4, C_Login)."""

import p11crypto
import pytest
from token_kit import *

from pkcs11.application import Application

KEY = ec_key()
ID = b"\x2a"
HANDLES = range(1, 120)  # every handle the token can have given out in one of these tests
AES = [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE, bytes(range(16)))]
DATA = [(CKA_CLASS, CKO_DATA), (CKA_PRIVATE, True), (CKA_VALUE, b"private data")]


def private_objects(token):
    """Templates of a private object of each class; token: whether they outlive the session."""
    yield guide_private(KEY)[:3] + guide_private(KEY)[4:] + [(CKA_TOKEN, token), (CKA_ID, ID)]
    yield DATA + [(CKA_TOKEN, token), (CKA_LABEL, b"data")]
    if hasattr(p11crypto, "secret_import"):
        yield AES + [(CKA_TOKEN, token), (CKA_LABEL, b"aes"), (CKA_ID, ID)]


QUERIES = [
    [],
    [(CKA_PRIVATE, True)],
    [(CKA_CLASS, CKO_PRIVATE_KEY)],
    [(CKA_CLASS, CKO_SECRET_KEY)],
    [(CKA_CLASS, CKO_DATA)],
    [(CKA_LABEL, PRIVATE_LABEL)],
    [(CKA_LABEL, b"data")],
    [(CKA_ID, ID)],
    [(CKA_TOKEN, True)],
    [(CKA_TOKEN, False)],
    [(CKA_KEY_TYPE, CKK_EC)],
]


@pytest.fixture(params=[True, False], ids=["token objects", "session objects"])
def hidden(request, app, session):
    """Handles of private objects; beside them one public key that everybody may see."""
    handles = [app.C_CreateObject(session, one) for one in private_objects(request.param)]
    app.C_CreateObject(session, guide_public(KEY))
    assert len(find(app, session)) == len(handles) + 1
    assert len(find(app, session, (CKA_PRIVATE, True))) == len(handles)
    return handles


def sees_only_the_public_key(app, session):
    """Whatever is asked, the answer is the public key or nothing."""
    for query in QUERIES:
        for handle in find(app, session, *query):
            assert get(app, session, handle, CKA_CLASS) == CKO_PUBLIC_KEY, query
    assert len(find(app, session)) == 1


def uses(app, session, handle):
    """Every call that takes the handle of an object, with the code of a handle that is none."""
    object_invalid, key_invalid = CKR_OBJECT_HANDLE_INVALID, CKR_KEY_HANDLE_INVALID
    yield object_invalid, lambda: app.C_GetAttributeValue(session, handle, [CKA_CLASS])
    yield object_invalid, lambda: app.C_GetAttributeValue(session, handle, [CKA_VALUE])
    yield object_invalid, lambda: app.C_GetObjectSize(session, handle)
    yield object_invalid, lambda: app.C_SetAttributeValue(session, handle, [(CKA_LABEL, b"x")])
    yield object_invalid, lambda: app.C_CopyObject(session, handle, [(CKA_TOKEN, False)])
    yield object_invalid, lambda: app.C_DestroyObject(session, handle)
    yield key_invalid, lambda: app.C_SignInit(session, CKM_ECDSA, handle)
    yield key_invalid, lambda: app.C_SignInit(session, CKM_SHA256_HMAC, handle)
    yield key_invalid, lambda: app.C_VerifyInit(session, CKM_AES_CMAC, handle)
    yield key_invalid, lambda: app.C_EncryptInit(session, CKM_AES_ECB, handle)
    yield key_invalid, lambda: app.C_DecryptInit(session, CKM_AES_ECB, handle)
    derive = (CKM_ECDH1_DERIVE, (1, None, point(KEY)))
    yield key_invalid, lambda: app.C_DeriveKey(session, derive, handle, AES[:2])


def cannot_be_used(app, session, handle):
    for ckr, use in uses(app, session, handle):
        with raises_one_of(ckr, CKR_MECHANISM_INVALID):
            use()


def test_a_search_without_login_finds_public_objects_only(app, session, hidden):
    app.C_Logout(session)
    sees_only_the_public_key(app, session)


def test_a_search_after_power_on_finds_public_objects_only(app, session, hidden, make_token):
    p11crypto.test_reset()
    fresh = Application(make_token())
    fresh.C_Initialize()
    sees_only_the_public_key(fresh, fresh.C_OpenSession(1, RO))


def test_another_application_sees_nothing_while_the_user_is_logged_in(app, session, hidden, token):
    other = Application(token)
    other.C_Initialize()
    theirs = other.C_OpenSession(1, RW)
    sees_only_the_public_key(other, theirs)
    for handle in HANDLES:
        if handle not in other._ids:  # not one of the public key
            cannot_be_used(other, theirs, handle)
    other.C_Finalize()
    assert len(find(app, session, (CKA_PRIVATE, True))) == len(hidden)  # nothing was destroyed


def test_handles_of_private_objects_die_with_the_login(app, session, hidden):
    app.C_Logout(session)
    for handle in hidden:
        cannot_be_used(app, session, handle)
    app.C_Login(session, CKU_USER, b"0000")
    for handle in hidden:
        cannot_be_used(app, session, handle)


def test_the_last_session_takes_the_login_with_it(app, session, hidden):
    app.C_CloseSession(session)
    session = app.C_OpenSession(1, RW)
    sees_only_the_public_key(app, session)
    for handle in hidden:
        cannot_be_used(app, session, handle)


def test_a_search_that_runs_at_logout_gives_no_private_handle(app, session, hidden):
    app.C_FindObjectsInit(session, [])
    app.C_Logout(session)
    try:
        found = app.C_FindObjects(session, 100)
    except P11Error as error:
        assert error.ckr == CKR_OPERATION_NOT_INITIALIZED
        found = []
    assert not set(found) & set(hidden)
    for handle in found:
        assert get(app, session, handle, CKA_CLASS) == CKO_PUBLIC_KEY


def test_the_security_officer_sees_no_private_object(app, make_token):
    app.C_InitToken(1, b"12345678", b"mine")
    officer = log_in(app, b"12345678", CKU_SO)
    app.C_InitPIN(officer, b"4321")
    app.C_Logout(officer)
    user = log_in(app, b"4321")
    handles = [app.C_CreateObject(user, one) for one in private_objects(True)]
    app.C_CreateObject(user, guide_public(KEY))
    app.C_Logout(user)
    app.C_Login(user, CKU_SO, b"12345678")
    sees_only_the_public_key(app, user)
    for handle in handles:
        cannot_be_used(app, user, handle)
    for one in private_objects(True):
        with raises(CKR_USER_NOT_LOGGED_IN):
            app.C_CreateObject(user, one)


@pytest.mark.parametrize("kept", [True, False], ids=["token objects", "session objects"])
def test_nobody_makes_a_private_object_without_login(app, store, kept):
    session = app.C_OpenSession(1, RW)
    for one in private_objects(kept):
        with raises(CKR_USER_NOT_LOGGED_IN):
            app.C_CreateObject(session, one)
    with raises(CKR_USER_NOT_LOGGED_IN):
        generate(app, session)
    assert not store.records and not find(app, session)


def test_a_private_key_that_signs_is_stopped_by_logout(app, session, hidden):
    app.C_SignInit(session, CKM_ECDSA, hidden[0])
    app.C_Logout(session)
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Sign(session, DIGEST)


@pytest.mark.parametrize("number", range(3), ids=["private key", "data", "secret key"])
def test_keys_are_private_whatever_the_template_says(app, session, number):
    templates = list(private_objects(True))
    if number >= len(templates):
        pytest.skip("p11crypto has no secret keys")
    template = [pair for pair in templates[number] if pair[0] != CKA_PRIVATE]
    handle = app.C_CreateObject(session, template)
    assert get(app, session, handle, CKA_PRIVATE) == (number != 1)  # data is private if it says so
    if number != 1:
        with raises(CKR_TEMPLATE_INCONSISTENT):
            app.C_CreateObject(session, template + [(CKA_PRIVATE, False)])


def test_a_handle_that_should_not_be_there_is_refused_as_well(app, session, hidden):
    numbers = [app._ids[handle] for handle in hidden if app._ids[handle] in app.token.ids()]
    app.C_Logout(session)
    for number in numbers:
        cannot_be_used(app, session, app.handle_of(number))
