# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""CKM_SHA256_HMAC and CKM_AES_CMAC."""

import hmac

import p11crypto
import pytest
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.cmac import CMAC
from secret_kit import *
from token_kit import *


def cmac(value, text):
    state = CMAC(algorithms.AES(value))
    state.update(text)
    return state.finalize()


@needs("Hmac")
@pytest.mark.parametrize("number", [CKM_SHA256_HMAC, CKM_AES_CMAC])
def test_macs_in_one_and_in_many_parts(app, session, number):
    if number not in app.C_GetMechanismList(1):
        pytest.skip("not offered")
    key_type = CKK_AES if number == CKM_AES_CMAC else CKK_SHA256_HMAC
    handle = app.C_CreateObject(session, secret(key_type))
    wanted = cmac(VALUE, TEXT) if key_type == CKK_AES else hmac.digest(VALUE, TEXT, "sha256")
    used = p11crypto.slots_used()
    app.C_SignInit(session, number, handle)
    with pytest.raises(P11Error) as error:
        app.C_Sign(session, TEXT, 0)
    assert error.value.length == len(wanted)
    assert app.C_Sign(session, TEXT) == wanted
    app.C_SignInit(session, number, handle)
    app.C_SignUpdate(session, TEXT[:5])
    app.C_SignUpdate(session, TEXT[5:])
    assert app.C_SignFinal(session) == wanted
    for signature, code in (
        (wanted, None),
        (wanted[:-1], CKR_SIGNATURE_LEN_RANGE),
        (wanted[:-1] + bytes((wanted[-1] ^ 1,)), CKR_SIGNATURE_INVALID),
    ):
        app.C_VerifyInit(session, number, handle)
        if code is None:
            app.C_Verify(session, TEXT, signature)
        else:
            with raises(code):
                app.C_Verify(session, TEXT, signature)
    app.C_VerifyInit(session, number, handle)
    app.C_VerifyUpdate(session, TEXT)
    app.C_VerifyFinal(session, wanted)
    assert p11crypto.slots_used() == used


@needs("Hmac")
def test_macs_with_keys_of_another_type(app, session):
    handle = app.C_CreateObject(session, secret(CKK_AES))
    with raises(CKR_KEY_TYPE_INCONSISTENT):
        app.C_SignInit(session, CKM_SHA256_HMAC, handle)
    with raises(CKR_KEY_TYPE_INCONSISTENT):
        app.C_SignInit(session, CKM_ECDSA, handle)
    handle = app.C_CreateObject(session, secret(CKK_GENERIC_SECRET)[:4] + [(CKA_VALUE, VALUE)])
    app.C_SetAttributeValue(session, handle, [(CKA_SIGN, False)])
    with raises(CKR_KEY_FUNCTION_NOT_PERMITTED):
        app.C_SignInit(session, CKM_SHA256_HMAC, handle)
