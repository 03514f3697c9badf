# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""The qualification run finds bugs.

Each seeded bug is one wrong behaviour put into the layer; the run has to fail, in the named test.
"""

import p11crypto
import pytest
from runner_kit import *
from token_kit import *

from pkcs11 import calls_crypto, mechanisms, operations
from pkcs11 import session as sessions
from pkcs11 import token as tokens
from pkcs11.application import Application


@pytest.fixture
def fresh(token):
    """An Application nobody has initialised."""
    return Application(token)


def replaced(owner, name, wrong):
    """A bug: wrong(original, *args) takes the place of a function or method."""

    def seed(monkeypatch):
        original = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *args: wrong(original, *args))

    return seed


def c_call(name, wrong):
    return replaced(Application, name, wrong)


def constant(owner, name, value):
    return lambda monkeypatch: monkeypatch.setattr(owner, name, value)


def skipped(original, *args):
    """A function that does nothing."""


def on_error_of(name, code, other):
    """A bug: the call gives another code than `code`."""

    def wrong(original, *args):
        try:
            return original(*args)
        except P11Error as error:
            given = other if error.ckr == code else error.ckr
            raise P11Error(given, error.length, error.values) from None

    return c_call(name, wrong)


def _ends_at_small_buffer(original, app, session, *args):
    try:
        return original(app, session, *args)
    except P11Error as error:
        if error.ckr == CKR_BUFFER_TOO_SMALL:
            app.sessions[session].end()
        raise


def _private_value(original, app, session, handle, template):
    if [kind for kind, _ in (e for e in template if isinstance(e, tuple)) if kind == CKA_VALUE]:
        if app.object(handle).object_class == CKO_PRIVATE_KEY:
            raise P11Error(CKR_ATTRIBUTE_SENSITIVE, None, [bytes(32)])
    return original(app, session, handle, template)


def _flipped(original, *args):
    value = bytearray(original(*args))
    value[-1] ^= 1
    return bytes(value)


def _drops_last(original, self, data):
    return original(self, data[:-1])


def _first_search_wins(original, app, session, template=None):
    app.shared_search = getattr(app, "shared_search", None)
    original(app, session, template)
    found = app.sessions[session].found
    for other in app.sessions.values():
        if other.found is not None:
            other.found = found  # one list for all sessions


def _one_operation_for_all(original, self, kind, operation):
    sessions.Session.shared = operation
    original(self, kind, operation)


def _handle_zero(original, *args):
    original(*args)
    return 0


def _public_is_lost(original, app, session, *args):
    public, private = original(app, session, *args)
    app.C_DestroyObject(session, public)
    return public, private


def _label_ignored(original, self, query, app):
    return [n for n in self.ids() if self.get(n).object_class == CKO_PUBLIC_KEY] or original(
        self, query, app
    )


def _destroys_one_more(original, app, session, handle):
    original(app, session, handle)
    app.C_FindObjectsInit(session, [(CKA_LABEL, b"My cert")])
    found = app.C_FindObjects(session, 1)
    app.C_FindObjectsFinal(session)
    if found:
        original(app, session, found[0])


def _same_random(original, app, session, length):
    return bytearray(b"0123456789"[:length])


def _cut(original, app, session, template):
    short = [(k, v[:-1] if k == CKA_VALUE and len(v) > 64 else v) for k, v in template]
    return original(app, session, short)


def _closes_without_objects(self, session):
    session.close()
    del self.sessions[session.handle]
    self.token.sessions -= 1
    if not self.sessions:
        self.logout()


def _not_32(original, length, room):
    return original(length - 1, room)


def _exponent_given(original, app, session, handle, template):
    kinds = [kind for kind, _ in (e for e in template if isinstance(e, tuple))]
    if CKA_PRIVATE_EXPONENT in kinds and app.object(handle).object_class == CKO_PRIVATE_KEY:
        raise P11Error(CKR_ATTRIBUTE_SENSITIVE, None, [bytes(256)])
    return original(app, session, handle, template)


def _padding_of_encryption(original, self, data):
    return b"\0\2" + original(self, data)[2:]


def _another_power(original, modulus, exponent, block):
    return original(modulus, exponent, block)[:-1] + b"\0"


BUGS = {
    "the private exponent is given": (
        c_call("C_GetAttributeValue", _exponent_given),
        "Full_PKCS11_RSA AFQP_GetAttributeValue",
    ),
    "RSA blocks have another type": (
        replaced(operations.RsaPkcs, "block", _padding_of_encryption),
        "Full_PKCS11_RSA AFQP_Sign",
    ),
    "RSA signatures are not padded": (
        lambda monkeypatch: monkeypatch.setattr(operations.RsaPkcs, "block", operations.Rsa.block),
        "Full_PKCS11_RSA AFQP_Sign",
    ),
    "the public exponent is another one": (
        replaced(p11crypto, "rsa_public", _another_power),
        "Full_PKCS11_RSA AFQP_Sign",
    ),
    "RSA verification ignores the data": (
        replaced(operations.RsaPkcs, "check", skipped),
        "Full_PKCS11_RSA AFQP_Sign",
    ),
    "RSA has no 2048 bits": (
        c_call(
            "C_GetMechanismInfo",
            lambda original, app, slot, m: (
                original(app, slot, m)._replace(ulMaxKeySize=1024)
                if m == CKM_RSA_PKCS
                else original(app, slot, m)
            ),
        ),
        "AFQP_Capabilities",
    ),
    "RSA keys are destroyed in name only": (
        c_call(
            "C_DestroyObject",
            lambda original, app, session, handle: (
                app.object(handle).key_type != CKK_RSA and original(app, session, handle)
            ),
        ),
        "Full_PKCS11_RSA AFQP_DestroyObject",
    ),
    "second initialise is accepted": (
        on_error_of("C_Initialize", CKR_CRYPTOKI_ALREADY_INITIALIZED, CKR_GENERAL_ERROR),
        "AFQP_InitializeFinalize",
    ),
    "finalize ignores its argument": (
        c_call("C_Finalize", lambda original, app, reserved=None: original(app)),
        "AFQP_InitializeFinalize",
    ),
    "open before initialise has another code": (
        on_error_of("C_OpenSession", CKR_CRYPTOKI_NOT_INITIALIZED, CKR_SLOT_ID_INVALID),
        "AFQP_OpenSessionCloseSession",
    ),
    "a closed session stays usable": (
        c_call("C_CloseSession", skipped),
        "AFQP_OpenSessionCloseSession",
    ),
    "slot list takes any room": (
        c_call("C_GetSlotList", lambda original, app, present=True, room=None: [1]),
        "AFQP_GetSlotList",
    ),
    "function list lacks one": (
        c_call("C_GetFunctionList", lambda original, app, *out: original(app, *out)[:67]),
        "AFQP_GetFunctionList",
    ),
    "ECDSA says it has 384 bits at least": (
        c_call(
            "C_GetMechanismInfo",
            lambda original, app, slot, m: original(app, slot, m)._replace(ulMinKeySize=384),
        ),
        "AFQP_Capabilities",
    ),
    "SHA-256 is not offered for digests": (
        c_call(
            "C_GetMechanismInfo",
            lambda original, app, slot, m: original(app, slot, m)._replace(flags=CKF_SIGN),
        ),
        "AFQP_Capabilities",
    ),
    "digest is wrong in its last byte": (c_call("C_DigestFinal", _flipped), "AFQP_Digest"),
    "update drops a byte": (replaced(operations.Digest, "update", _drops_last), "AFQP_Digest"),
    "a small buffer ends the digest": (
        c_call("C_DigestFinal", _ends_at_small_buffer),
        "AFQP_Digest_ErrorConditions",
    ),
    "lengths are one short": (replaced(calls_crypto, "fits", _not_32), "AFQP_Digest"),
    "an unknown mechanism has another code": (
        constant(mechanisms, "CKR_MECHANISM_INVALID", CKR_ARGUMENTS_BAD),
        "AFQP_Digest_ErrorConditions",
    ),
    "a finished digest goes on": (
        replaced(sessions.Session, "end", skipped),
        "AFQP_Digest_ErrorConditions",
    ),
    "random numbers repeat": (c_call("C_GenerateRandom", _same_random), "AFQP_GenerateRandom"),
    "create gives handle 0": (c_call("C_CreateObject", _handle_zero), "AFQP_CreateObject"),
    "destroy does nothing": (c_call("C_DestroyObject", skipped), "AFQP_DestroyObject"),
    "destroy takes another object along": (
        c_call("C_DestroyObject", _destroys_one_more),
        "ObjectsAsBefore",
    ),
    "the public half is not kept": (
        c_call("C_GenerateKeyPair", _public_is_lost),
        "AFQP_GenerateKeyPair",
    ),
    "search ignores the label": (
        replaced(tokens.Token, "find", _label_ignored),
        "AFQP_FindObject",
    ),
    "search finds nothing": (
        replaced(tokens.Token, "find", lambda original, self, query, app: []),
        "AFQP_FindObject",
    ),
    "sessions share their search": (
        c_call("C_FindObjectsInit", _first_search_wins),
        "AFQP_FindObjectMultiThread",
    ),
    "the private value is given": (
        c_call("C_GetAttributeValue", _private_value),
        "AFQP_GetAttributeValue",
    ),
    "a sensitive attribute has another code": (
        on_error_of("C_GetAttributeValue", CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID),
        "AFQP_GetAttributeValue",
    ),
    "certificates lose a byte": (
        c_call("C_CreateObject", _cut),
        "AFQP_CreateObjectDestroyObjectCertificates",
    ),
    "signatures are wrong": (c_call("C_Sign", _flipped), "AFQP_Sign"),
    "the length question ends the signature": (
        c_call("C_Sign", _ends_at_small_buffer),
        "AFQP_Sign",
    ),
    "every signature is good": (c_call("C_Verify", skipped), "AFQP_Verify"),
    "no signature is good": (
        replaced(p11crypto, "ecdsa_verify", lambda original, *args: False),
        "AFQP_Verify",
    ),
    "verify does not end the operation": (
        c_call(
            "C_Verify",
            lambda original, app, session, *args: (
                app.sessions[session].running(sessions.VERIFY).check(*args)
            ),
        ),
        "RandomWalks",
    ),
    "a second init replaces the first": (
        replaced(sessions.Session, "idle", lambda original, self: self.end()),
        "RandomWalks",
    ),
    "a short signature has another code": (
        constant(operations, "CKR_SIGNATURE_LEN_RANGE", CKR_SIGNATURE_INVALID),
        "RandomWalks",
    ),
    "a search goes on after its end": (
        c_call("C_FindObjectsFinal", skipped),
        "RandomWalks",
    ),
    "objects outlive their session": (
        constant(Application, "close", _closes_without_objects),
        "RandomWalks",
    ),
    "a destroyed object has another code": (
        on_error_of("C_DestroyObject", CKR_OBJECT_HANDLE_INVALID, CKR_GENERAL_ERROR),
        "RandomWalks",
    ),
    "one-shot digest after parts": (
        c_call(
            "C_Digest",
            lambda original, app, session, data, room=None: (
                setattr(app.session(session).running(sessions.DIGEST), "started", False)
                or original(app, session, data, room)
            ),
        ),
        "RandomWalks",
    ),
}


@pytest.mark.parametrize("bug", BUGS)
def test_a_seeded_bug_is_caught(token, store, fresh, monkeypatch, power_on, bug):
    seed, test = BUGS[bug]
    app, session = provisioned(token)
    seed(monkeypatch)
    rsa = bug.startswith("RSA") or "RSA" in test
    ran = Ran(fresh, paths=1500 if test == "RandomWalks" else 20, rsa=rsa)
    assert test in ran.failed + ran.failed_in_groups, ran.text
    assert "\nFAIL\n" in ran.text
    power_on.clear()  # a bug may look like an exception nobody foresaw
