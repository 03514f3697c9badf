# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Secret keys: import, generation, copies."""

import hmac

import p11crypto
import pytest
from secret_kit import *
from token_kit import *

from pkcs11.application import Application


def test_the_secret_keys_of_the_guide(app, session, store):
    for key_type, value in ((CKK_SHA256_HMAC, VALUE), (CKK_AES, VALUE[:16])):
        handle = app.C_CreateObject(session, secret(key_type, value))
        assert value not in store.dump()
        wanted = {
            CKA_VALUE_LEN: len(value),
            CKA_PRIVATE: True,
            CKA_SENSITIVE: True,
            CKA_EXTRACTABLE: False,
            CKA_LOCAL: False,
            CKA_NEVER_EXTRACTABLE: False,
        }
        assert app.C_GetAttributeValue(session, handle, list(wanted)) == list(wanted.values())
        with raises(CKR_ATTRIBUTE_SENSITIVE):
            get(app, session, handle, CKA_VALUE)
    assert find(app, session, (CKA_VALUE, VALUE)) == []


@pytest.mark.parametrize(
    "key_type, size",
    [(CKK_AES, 0), (CKK_AES, 15), (CKK_AES, 33), (CKK_GENERIC_SECRET, 0)]
    + [(CKK_GENERIC_SECRET, 65), (CKK_EC, 32), (0x77, 32)],
)
def test_secret_keys_of_the_wrong_size_or_type(app, session, key_type, size):
    used = p11crypto.slots_used()
    with raises(CKR_ATTRIBUTE_VALUE_INVALID):
        app.C_CreateObject(session, secret(key_type, bytes(size)))
    assert p11crypto.slots_used() == used


def test_a_secret_key_is_never_a_public_object(app, session):
    with raises(CKR_TEMPLATE_INCONSISTENT):
        app.C_CreateObject(session, secret(CKK_AES, VALUE, (CKA_PRIVATE, False)))


@pytest.mark.parametrize("size", [16, 32])
def test_an_import_does_not_name_the_length_of_the_value(app, session, size):
    """Footnote 2 of the tables of AES and generic secret keys."""
    with raises(CKR_ATTRIBUTE_READ_ONLY):
        app.C_CreateObject(session, secret(CKK_AES, VALUE, (CKA_VALUE_LEN, size)))


def test_an_imported_secret_in_a_buffer_is_wiped(app, session):
    value = bytearray(VALUE)
    app.C_CreateObject(session, secret(CKK_AES, value))
    assert not any(value)


def test_secret_keys_survive_power_off_and_copying(app, session, make_token):
    app.C_CreateObject(session, secret(CKK_GENERIC_SECRET))
    p11crypto.test_reset()
    app = Application(make_token())
    app.C_Initialize()
    session = log_in(app)
    (handle,) = find(app, session)
    for copy in (
        app.C_CopyObject(session, handle, []),
        app.C_CopyObject(session, handle, [(CKA_TOKEN, False)]),
    ):
        app.C_SignInit(session, CKM_SHA256_HMAC, copy)
        assert app.C_Sign(session, TEXT) == hmac.digest(VALUE, TEXT, "sha256")


def test_a_secret_that_may_be_read(app, session):
    more = ((CKA_SENSITIVE, False), (CKA_EXTRACTABLE, True))
    for token_object in (True, False):
        template = secret(CKK_GENERIC_SECRET, VALUE, *more)
        template[3] = (CKA_TOKEN, token_object)
        handle = app.C_CreateObject(session, template)
        used = p11crypto.slots_used()
        assert get(app, session, handle, CKA_VALUE) == VALUE
        assert p11crypto.slots_used() == used
        app.C_SetAttributeValue(session, handle, [(CKA_EXTRACTABLE, False)])
        with raises(CKR_ATTRIBUTE_SENSITIVE):
            get(app, session, handle, CKA_VALUE)


@needs("secret_generate")
def test_generated_secret_keys(app, session):
    for mechanism, key_type, size in (
        (CKM_AES_KEY_GEN, CKK_AES, 16),
        (CKM_AES_KEY_GEN, CKK_AES, 32),
        (CKM_GENERIC_SECRET_KEY_GEN, CKK_GENERIC_SECRET, 20),
    ):
        handle = app.C_GenerateKey(session, mechanism, [(CKA_VALUE_LEN, size), (CKA_TOKEN, True)])
        wanted = {
            CKA_KEY_TYPE: key_type,
            CKA_VALUE_LEN: size,
            CKA_LOCAL: True,
            CKA_ALWAYS_SENSITIVE: True,
            CKA_NEVER_EXTRACTABLE: True,
            CKA_KEY_GEN_MECHANISM: mechanism,
        }
        assert app.C_GetAttributeValue(session, handle, list(wanted)) == list(wanted.values())
    handle = app.C_GenerateKey(
        session,
        CKM_GENERIC_SECRET_KEY_GEN,
        [(CKA_VALUE_LEN, 32), (CKA_KEY_TYPE, CKK_SHA256_HMAC), (CKA_CLASS, CKO_SECRET_KEY)],
    )
    assert get(app, session, handle, CKA_KEY_TYPE) == CKK_SHA256_HMAC


@needs("secret_generate")
@pytest.mark.parametrize(
    "mechanism, template, code",
    [
        (CKM_AES_KEY_GEN, [], CKR_TEMPLATE_INCOMPLETE),
        (CKM_AES_KEY_GEN, [(CKA_VALUE_LEN, 17)], CKR_ATTRIBUTE_VALUE_INVALID),
        (CKM_AES_KEY_GEN, [(CKA_KEY_TYPE, CKK_GENERIC_SECRET)], CKR_TEMPLATE_INCONSISTENT),
        (CKM_GENERIC_SECRET_KEY_GEN, [(CKA_KEY_TYPE, CKK_AES)], CKR_TEMPLATE_INCONSISTENT),
        (CKM_GENERIC_SECRET_KEY_GEN, [(CKA_KEY_TYPE, CKK_EC)], CKR_TEMPLATE_INCONSISTENT),
        (CKM_GENERIC_SECRET_KEY_GEN, [(CKA_CLASS, CKO_DATA)], CKR_TEMPLATE_INCONSISTENT),
        (CKM_GENERIC_SECRET_KEY_GEN, [(CKA_VALUE, b"x")], CKR_ATTRIBUTE_READ_ONLY),
        (CKM_GENERIC_SECRET_KEY_GEN, [(CKA_VALUE_LEN, 0)], CKR_ATTRIBUTE_VALUE_INVALID),
        ((CKM_AES_KEY_GEN, b"x"), [(CKA_VALUE_LEN, 16)], CKR_MECHANISM_PARAM_INVALID),
        (CKM_ECDSA, [(CKA_VALUE_LEN, 16)], CKR_MECHANISM_INVALID),
    ],
)
def test_secret_keys_that_cannot_be_generated(app, session, mechanism, template, code):
    used = p11crypto.slots_used()
    with raises(code):
        app.C_GenerateKey(session, mechanism, template)
    assert p11crypto.slots_used() == used


def test_a_failed_store_keeps_no_slot(app, session, store):
    used = p11crypto.slots_used()
    store.fail_at = store.writes + 1
    with raises(CKR_DEVICE_ERROR):
        app.C_CreateObject(session, secret())
    if hasattr(p11crypto, "secret_generate"):
        with raises(CKR_DEVICE_ERROR):
            app.C_GenerateKey(session, CKM_AES_KEY_GEN, [(CKA_VALUE_LEN, 16), (CKA_TOKEN, True)])
    assert p11crypto.slots_used() == used
