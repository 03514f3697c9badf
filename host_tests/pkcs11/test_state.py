# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""State (DESIGN §3): keys that go away under every kind of operation, interleaved sessions, limits."""

import hashlib
import hmac

import p11crypto
import pytest
from secret_kit import TEXT, VALUE, secret
from token_kit import *

from pkcs11.application import Application
from pkcs11.settings import SESSIONS, SESSIONS_PER_APPLICATION

KEY = ec_key()


def cbc(app, session, data):
    """Encrypt data with the key of a running operation, in two parts."""
    return app.C_EncryptUpdate(session, data[:7]) + app.C_EncryptUpdate(session, data[7:])


def ecdsa(app, session):
    signature = app.C_Sign(session, DIGEST)
    return verifies(KEY.public_key(), DIGEST, signature)


# template of the key, *Init, what must come out of the running operation
UNDER_WAY = {
    "sign": (guide_private(KEY), lambda a, s, k: a.C_SignInit(s, CKM_ECDSA, k), ecdsa, True),
    "verify": (
        guide_public(KEY),
        lambda a, s, k: a.C_VerifyInit(s, CKM_ECDSA, k),
        lambda a, s: a.C_Verify(s, DIGEST, sign(KEY, DIGEST)),
        None,
    ),
    "mac": (
        secret(CKK_SHA256_HMAC),
        lambda a, s, k: a.C_SignInit(s, CKM_SHA256_HMAC, k),
        lambda a, s: a.C_Sign(s, TEXT),
        hmac.digest(VALUE, TEXT, "sha256"),
    ),
    "encrypt": (
        secret(CKK_AES),
        lambda a, s, k: a.C_EncryptInit(s, CKM_AES_ECB, k),
        lambda a, s: len(cbc(a, s, bytes(32)) + a.C_EncryptFinal(s)),
        32,
    ),
    "decrypt": (
        secret(CKK_AES),
        lambda a, s, k: a.C_DecryptInit(s, CKM_AES_ECB, k),
        lambda a, s: len(a.C_Decrypt(s, bytes(48))),
        48,
    ),
}


@pytest.fixture(params=UNDER_WAY)
def operation(request):
    return UNDER_WAY[request.param]


@pytest.fixture(params=[True, False], ids=["token object", "session object"])
def template(request, operation):
    return without(operation[0], CKA_TOKEN) + [(CKA_TOKEN, request.param)]


def test_a_key_destroyed_under_an_operation_does_its_work_to_the_end(
    app, session, operation, template
):
    _, start, finish, wanted = operation
    key = app.C_CreateObject(session, template)
    second = app.C_OpenSession(1, RO)
    start(app, session, key)
    start(app, second, key)
    app.C_DestroyObject(session, key)
    third = app.C_OpenSession(1, RO)
    with raises(CKR_KEY_HANDLE_INVALID):
        start(app, third, key)
    assert finish(app, session) == wanted
    assert finish(app, second) == wanted
    assert p11crypto.slots_used() == 1  # the master key


def test_a_key_destroyed_by_another_application_does_its_work_too(
    app, session, token, operation, template
):
    _, start, finish, wanted = operation
    key = app.C_CreateObject(session, template)
    start(app, session, key)
    other = Application(token)
    other.C_Initialize()
    theirs = log_in(other)
    for handle in find(other, theirs):
        other.C_DestroyObject(theirs, handle)
    assert finish(app, session) == wanted
    other.C_Finalize()


@pytest.mark.parametrize("end", ["close", "close all", "logout", "finalize"])
def test_whatever_ends_a_session_gives_the_key_of_its_operation_back(
    app, session, operation, template, end
):
    _, start, finish, _ = operation
    key = app.C_CreateObject(session, template)
    second = app.C_OpenSession(1, RO)
    used = p11crypto.slots_used()
    start(app, second, key)
    if end == "close":
        app.C_CloseSession(second)
        assert p11crypto.slots_used() == used
        return
    if end == "close all":
        app.C_CloseAllSessions(1)
    elif end == "finalize":
        app.C_Finalize()
    else:
        app.C_Logout(session)
        if find(app, second):  # a public key: its operation ends as well
            with raises(CKR_OPERATION_NOT_INITIALIZED):
                finish(app, second)
    assert p11crypto.slots_used() == 0


def test_a_changed_key_does_not_disturb_the_operation(app, session, operation, template):
    _, start, finish, wanted = operation
    key = app.C_CreateObject(session, template)
    start(app, session, key)
    for kind in (CKA_SIGN, CKA_VERIFY, CKA_ENCRYPT, CKA_DECRYPT):
        try:
            app.C_SetAttributeValue(session, key, [(kind, False), (CKA_LABEL, b"renamed")])
        except P11Error as error:
            assert error.ckr == CKR_ATTRIBUTE_TYPE_INVALID
    assert finish(app, session) == wanted
    with raises(CKR_KEY_FUNCTION_NOT_PERMITTED):
        start(app, session, key)


def test_operations_of_all_kinds_interleave_in_sixteen_sessions(app, session):
    keys = [app.C_CreateObject(session, template) for template, *_ in UNDER_WAY.values()]
    sessions = [session] + [app.C_OpenSession(1, RO) for _ in range(SESSIONS_PER_APPLICATION - 1)]
    running = []
    for number, handle in enumerate(sessions):
        key = number % (len(keys) + 1)
        if key == len(keys):
            app.C_DigestInit(handle, CKM_SHA256)
            app.C_DigestUpdate(handle, b"%d" % number)
            running.append((handle, None, number))
        else:
            _, start, finish, wanted = list(UNDER_WAY.values())[key]
            start(app, handle, keys[key])
            running.append((handle, finish, wanted))
        app.C_FindObjectsInit(handle, [])
    for handle in sessions:
        assert len(app.C_FindObjects(handle, 99)) == len(keys)
    for handle, finish, wanted in reversed(running):
        if finish is None:
            assert app.C_DigestFinal(handle) == hashlib.sha256(b"%d" % wanted).digest()
        else:
            assert finish(app, handle) == wanted
        app.C_FindObjectsFinal(handle)
    assert p11crypto.slots_used() == 1


def test_the_limits_hold_whatever_is_opened_and_closed(token):
    applications = [Application(token) for _ in range(6)]
    for application in applications:
        application.C_Initialize()
    opened = [[application.C_OpenSession(1, RO)] for application in applications]
    for round_ in range(40):
        application = applications[round_ % 6]
        mine = opened[round_ % 6]
        while True:
            try:
                mine.append(application.C_OpenSession(1, RW if round_ & 1 else RO))
            except P11Error as error:
                assert error.ckr == CKR_SESSION_COUNT
                break
        total = sum(len(handles) for handles in opened)
        assert len(mine) == SESSIONS_PER_APPLICATION or total == SESSIONS
        assert token.sessions == total <= SESSIONS
        for handle in mine[: 1 + round_ % 7]:
            application.C_CloseSession(handle)
            mine.remove(handle)
    info = applications[0].C_GetTokenInfo(1)
    assert info.ulMaxSessionCount == SESSIONS_PER_APPLICATION
    assert info.ulSessionCount == len(opened[0])
    for application in applications:
        application.C_Finalize()
    assert token.sessions == 0 and token.applications == []
