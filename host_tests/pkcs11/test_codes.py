# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Every CKR_ code that the layer can return, each produced by a call that deserves it.

The codes are collected from the source, so a new one without a situation here fails.
"""

import ast

import p11crypto
import pytest
import rsa_kit
from layer_coverage import LAYER
from token_kit import *

from pal.pal import Pal
from pal.store import StoreError
from pkcs11.application import Application
from pkcs11.token import Token

KEY = ec_key()
CERT = certificate(KEY)
AES = [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE, bytes(16))]
DATA = [(CKA_CLASS, CKO_DATA)]
IV = bytes(16)


class World:
    """A token with a pair and an AES key, a user session `rw` and a read-only one `ro`."""

    def __init__(self, app, session, store, monkeypatch):
        self.app, self.rw, self.store, self.monkeypatch = app, session, store, monkeypatch
        self.public, self.private = generate(app, session)
        self.aes = app.C_CreateObject(session, AES)
        self.data = app.C_CreateObject(session, DATA)
        self.ro = app.C_OpenSession(1, RO)

    def logged_out(self):
        """The same without login."""
        self.app.C_Logout(self.rw)
        return self.app

    def officer(self):
        """The same token, initialised, in a read/write session of its officer."""
        self.app.C_CloseAllSessions(1)
        self.app.C_InitToken(1, b"12345678", b"")
        return self.app, log_in(self.app, b"12345678", CKU_SO)

    def later(self):
        self.app.token.settings.clock.now += 31000

    def broken(self, what, error):
        """Make a function of p11crypto fail."""

        def fail(*args):
            raise error

        self.monkeypatch.setattr(p11crypto, what, fail)
        return self.app


def open_with(w, flags, times=1):
    for _ in range(times):
        w.app.C_OpenSession(1, flags)


def locked(w):
    w.logged_out()
    for _ in range(10):
        w.later()
        with raises(CKR_PIN_INCORRECT):
            w.app.C_Login(w.rw, CKU_USER, b"9999")
    w.later()
    w.app.C_Login(w.rw, CKU_USER, b"0000")


def too_soon(w):
    with raises(CKR_PIN_INCORRECT):
        w.logged_out().C_Login(w.rw, CKU_USER, b"9999")
    w.app.C_Login(w.rw, CKU_USER, b"9999")


def decrypt(w, data, parameter=IV):
    w.app.C_DecryptInit(w.rw, (CKM_AES_CBC_PAD, parameter), w.aes)
    w.app.C_Decrypt(w.rw, data)


def sign_with(w, data, *room):
    w.app.C_SignInit(w.rw, CKM_ECDSA, w.private)
    w.app.C_Sign(w.rw, data, *room)


def check(w, signature):
    w.app.C_VerifyInit(w.rw, CKM_ECDSA, w.public)
    w.app.C_Verify(w.rw, DIGEST, signature)


def twice(call, *args):
    call(*args)
    call(*args)


def unwritable(w):
    w.store.fail_at = w.store.writes + 1
    w.app.C_DestroyObject(w.rw, w.private)


def unrecognised(w):
    def find(query, application):
        raise StoreError(StoreError.UNRECOGNISED)

    w.monkeypatch.setattr(w.app.token, "find", find)
    w.app.C_FindObjectsInit(w.rw, [])


def unservable(w):
    w.store.fail_mount = StoreError.IO
    token = w.app.token
    Application(Token(Pal(w.store), token.settings)).C_Initialize()


def unforeseen(w):
    w.monkeypatch.setattr(w.app.token, "find", lambda query, application: 1 // 0)
    w.app.C_FindObjectsInit(w.rw, [])


def officer_and_reader(w):
    app, session = w.officer()
    app.C_Logout(session)
    open_with(w, RO)
    app.C_Login(session, CKU_SO, b"12345678")


def too_large(w):
    key = w.app.C_CreateObject(w.rw, rsa_kit.guide_rsa_private(rsa_kit.KEY))
    w.app.C_SignInit(w.rw, CKM_RSA_X_509, key)
    w.app.C_Sign(w.rw, b"\xff" * 256)


def worn_out(w):
    def commit(puts, deletes=()):
        raise StoreError(StoreError.WORN)

    w.monkeypatch.setattr(w.app.token.pal, "commit", commit)
    w.app.C_DestroyObject(w.rw, w.private)


def no_user_pin(w):
    app, session = w.officer()
    app.C_Logout(session)
    app.C_Login(session, CKU_USER, b"0000")


def created(*entries):
    return lambda w: w.app.C_CreateObject(w.rw, list(entries))


SITUATIONS = {
    CKR_OK: lambda w: w.app.C_GetInfo(),
    CKR_HOST_MEMORY: lambda w: w.app.C_GenerateRandom(w.rw, 1 << 20),
    CKR_SLOT_ID_INVALID: lambda w: w.app.C_GetSlotInfo(2),
    CKR_GENERAL_ERROR: unforeseen,
    CKR_FUNCTION_FAILED: too_soon,
    CKR_ARGUMENTS_BAD: lambda w: w.app.C_SignInit(w.rw, None, w.private),
    CKR_NO_EVENT: lambda w: w.app.C_WaitForSlotEvent(CKF_DONT_BLOCK),
    CKR_ATTRIBUTE_READ_ONLY: created(*AES, (CKA_LOCAL, True)),
    CKR_ATTRIBUTE_SENSITIVE: lambda w: get(w.app, w.rw, w.private, CKA_VALUE),
    CKR_ATTRIBUTE_TYPE_INVALID: lambda w: get(w.app, w.rw, w.private, 0x7777),
    CKR_ATTRIBUTE_VALUE_INVALID: created((CKA_CLASS, 99)),
    CKR_ACTION_PROHIBITED: lambda w: w.app.C_DestroyObject(
        w.rw, w.app.C_CreateObject(w.rw, [*DATA, (CKA_DESTROYABLE, False)])
    ),
    CKR_DATA_INVALID: too_large,
    CKR_DATA_LEN_RANGE: lambda w: sign_with(w, b""),
    CKR_DEVICE_ERROR: unwritable,
    CKR_DEVICE_MEMORY: lambda w: [created(*DATA)(w) for _ in range(40)],
    CKR_ENCRYPTED_DATA_INVALID: lambda w: decrypt(w, bytes(16)),
    CKR_ENCRYPTED_DATA_LEN_RANGE: lambda w: decrypt(w, bytes(15)),
    CKR_FUNCTION_NOT_PARALLEL: lambda w: w.app.C_GetFunctionStatus(w.rw),
    CKR_FUNCTION_NOT_SUPPORTED: lambda w: w.app.C_GetOperationState(w.rw),
    CKR_KEY_HANDLE_INVALID: lambda w: w.app.C_SignInit(w.rw, CKM_ECDSA, 0),
    CKR_KEY_TYPE_INCONSISTENT: lambda w: w.app.C_SignInit(w.rw, CKM_ECDSA, w.public),
    CKR_KEY_FUNCTION_NOT_PERMITTED: lambda w: w.app.C_DeriveKey(
        w.rw, (CKM_ECDH1_DERIVE, (CKD_NULL, None, point(KEY))), w.private, []
    ),
    CKR_MECHANISM_INVALID: lambda w: w.app.C_DigestInit(w.rw, 0x7777),
    CKR_MECHANISM_PARAM_INVALID: lambda w: decrypt(w, b"", b"short"),
    CKR_OBJECT_HANDLE_INVALID: lambda w: w.app.C_DestroyObject(w.rw, 0),
    CKR_OPERATION_ACTIVE: lambda w: twice(w.app.C_DigestInit, w.rw, CKM_SHA256),
    CKR_OPERATION_NOT_INITIALIZED: lambda w: w.app.C_DigestFinal(w.rw),
    CKR_PIN_INCORRECT: lambda w: w.logged_out().C_Login(w.rw, CKU_USER, b"9999"),
    CKR_PIN_LEN_RANGE: lambda w: w.app.C_SetPIN(w.rw, b"0000", b"1"),
    CKR_PIN_LOCKED: locked,
    CKR_SESSION_COUNT: lambda w: open_with(w, RO, 17),
    CKR_SESSION_HANDLE_INVALID: lambda w: w.app.C_GetSessionInfo(0),
    CKR_SESSION_PARALLEL_NOT_SUPPORTED: lambda w: open_with(w, 0),
    CKR_SESSION_READ_ONLY: lambda w: w.app.C_DestroyObject(w.ro, w.private),
    CKR_SESSION_EXISTS: lambda w: w.app.C_InitToken(1, b"12345678", b""),
    CKR_SESSION_READ_ONLY_EXISTS: officer_and_reader,
    CKR_SESSION_READ_WRITE_SO_EXISTS: lambda w: w.officer()[0].C_OpenSession(1, RO),
    CKR_SIGNATURE_INVALID: lambda w: check(w, bytes(64)),
    CKR_SIGNATURE_LEN_RANGE: lambda w: check(w, bytes(63)),
    CKR_TEMPLATE_INCOMPLETE: created((CKA_CLASS, CKO_CERTIFICATE)),
    CKR_TEMPLATE_INCONSISTENT: created(*AES, (CKA_PRIVATE, False)),
    CKR_TOKEN_NOT_RECOGNIZED: unrecognised,
    CKR_TOKEN_WRITE_PROTECTED: worn_out,
    CKR_USER_ALREADY_LOGGED_IN: lambda w: w.app.C_Login(w.rw, CKU_USER, b"0000"),
    CKR_USER_NOT_LOGGED_IN: lambda w: twice(w.app.C_Logout, w.rw),
    CKR_USER_PIN_NOT_INITIALIZED: no_user_pin,
    CKR_USER_TYPE_INVALID: lambda w: w.app.C_Login(w.rw, 7, b"0000"),
    CKR_USER_ANOTHER_ALREADY_LOGGED_IN: lambda w: w.app.C_Login(w.rw, CKU_SO, b"12345678"),
    CKR_DOMAIN_PARAMS_INVALID: lambda w: generate(w.app, w.rw, [(CKA_EC_PARAMS, b"junk")], []),
    CKR_CURVE_NOT_SUPPORTED: lambda w: generate(
        w.app, w.rw, [(CKA_EC_PARAMS, bytes.fromhex("06052b8104000a"))], []
    ),
    CKR_BUFFER_TOO_SMALL: lambda w: sign_with(w, DIGEST, 63),
    CKR_CRYPTOKI_NOT_INITIALIZED: lambda w: Application(w.app.token).C_GetInfo(),
    CKR_CRYPTOKI_ALREADY_INITIALIZED: lambda w: w.app.C_Initialize(),
}
# a second cause, where the first says little about the second
MORE = [
    (CKR_HOST_MEMORY, lambda w: w.broken("Hash", MemoryError()).C_DigestInit(w.rw, CKM_SHA256)),
    (CKR_DEVICE_ERROR, lambda w: w.broken("random", OSError(5)).C_GenerateRandom(w.rw, 8)),
    (CKR_FUNCTION_FAILED, unservable),
    (CKR_DEVICE_MEMORY, created(*DATA, (CKA_TOKEN, True), (CKA_VALUE, bytes(4000)))),
    (CKR_DEVICE_MEMORY, created(*AES, (CKA_ID, bytes(0x4000)))),
]


def used_in(path):
    """Return the CKR_ names that a module uses, imports aside."""
    tree = ast.parse(path.read_text())
    return {
        node.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Name) and node.id.startswith("CKR_")
    }


def ids(value):
    return name_of("CKR_", value) if type(value) is int else ""


@pytest.mark.parametrize("code, situation", [*SITUATIONS.items(), *MORE], ids=ids)
def test_each_code_has_its_situation(app, session, store, monkeypatch, power_on, code, situation):
    world = World(app, session, store, monkeypatch)
    if code == CKR_OK:
        situation(world)
    else:
        with raises(code):
            situation(world)
    if code == CKR_GENERAL_ERROR:
        assert [type(error) for error in power_on] == [ZeroDivisionError]
        power_on.clear()


def test_there_is_a_situation_for_every_code_of_the_source():
    modules = [path for path in LAYER.glob("*.py") if path.name != "const.py"]
    names = set().union(*(used_in(path) for path in modules))
    assert names | {"CKR_OK"} == {name_of("CKR_", code) for code in SITUATIONS}
