# SPDX-License-Identifier: MIT
"""The 68 functions of PKCS#11 v2.40 as methods of Application.

One table names them in the order of the standard's function list; those without a function in one
of the calls_ modules are not offered. Promises: every name exists, and whatever happens inside,
the caller sees P11Error (or KeyboardInterrupt): store, entropy and memory failures are turned into
CKR_ codes here.
"""

import p11crypto

from pal.store import StoreError

from . import calls_crypto, calls_general, calls_keys, calls_object
from .application import Application
from .const import (
    CKR_ARGUMENTS_BAD,
    CKR_DEVICE_ERROR,
    CKR_DEVICE_MEMORY,
    CKR_FUNCTION_NOT_PARALLEL,
    CKR_FUNCTION_NOT_SUPPORTED,
    CKR_GENERAL_ERROR,
    CKR_HOST_MEMORY,
    CKR_TOKEN_NOT_RECOGNIZED,
    CKR_TOKEN_WRITE_PROTECTED,
)
from .errors import P11Error

FUNCTIONS = (
    "C_Initialize",
    "C_Finalize",
    "C_GetInfo",
    "C_GetFunctionList",
    "C_GetSlotList",
    "C_GetSlotInfo",
    "C_GetTokenInfo",
    "C_GetMechanismList",
    "C_GetMechanismInfo",
    "C_InitToken",
    "C_InitPIN",
    "C_SetPIN",
    "C_OpenSession",
    "C_CloseSession",
    "C_CloseAllSessions",
    "C_GetSessionInfo",
    "C_GetOperationState",
    "C_SetOperationState",
    "C_Login",
    "C_Logout",
    "C_CreateObject",
    "C_CopyObject",
    "C_DestroyObject",
    "C_GetObjectSize",
    "C_GetAttributeValue",
    "C_SetAttributeValue",
    "C_FindObjectsInit",
    "C_FindObjects",
    "C_FindObjectsFinal",
    "C_EncryptInit",
    "C_Encrypt",
    "C_EncryptUpdate",
    "C_EncryptFinal",
    "C_DecryptInit",
    "C_Decrypt",
    "C_DecryptUpdate",
    "C_DecryptFinal",
    "C_DigestInit",
    "C_Digest",
    "C_DigestUpdate",
    "C_DigestKey",
    "C_DigestFinal",
    "C_SignInit",
    "C_Sign",
    "C_SignUpdate",
    "C_SignFinal",
    "C_SignRecoverInit",
    "C_SignRecover",
    "C_VerifyInit",
    "C_Verify",
    "C_VerifyUpdate",
    "C_VerifyFinal",
    "C_VerifyRecoverInit",
    "C_VerifyRecover",
    "C_DigestEncryptUpdate",
    "C_DecryptDigestUpdate",
    "C_SignEncryptUpdate",
    "C_DecryptVerifyUpdate",
    "C_GenerateKey",
    "C_GenerateKeyPair",
    "C_WrapKey",
    "C_UnwrapKey",
    "C_DeriveKey",
    "C_SeedRandom",
    "C_GenerateRandom",
    "C_GetFunctionStatus",
    "C_CancelFunction",
    "C_WaitForSlotEvent",
)

NOT_PARALLEL = ("C_GetFunctionStatus", "C_CancelFunction")  # left over from Cryptoki 1.0


def unexpected(error):
    """Called with an exception that no code of this package foresees; tests replace it."""


_STORE = {
    StoreError.FULL: CKR_DEVICE_MEMORY,
    StoreError.TOO_BIG: CKR_DEVICE_MEMORY,
    StoreError.WORN: CKR_TOKEN_WRITE_PROTECTED,
    StoreError.UNRECOGNISED: CKR_TOKEN_NOT_RECOGNIZED,
    StoreError.FOREIGN: CKR_TOKEN_NOT_RECOGNIZED,
    StoreError.NEWER: CKR_TOKEN_NOT_RECOGNIZED,
}


def code_of(error):
    """Return the CKR_ code of an exception other than P11Error."""
    if type(error) is StoreError:
        return _STORE[error.code] if error.code in _STORE else CKR_DEVICE_ERROR
    if type(error) is MemoryError:
        return CKR_HOST_MEMORY
    if isinstance(error, OSError):  # the entropy source or the flash
        return CKR_DEVICE_ERROR
    unexpected(error)
    return CKR_ARGUMENTS_BAD if type(error) is TypeError else CKR_GENERAL_ERROR


def _offered(function):
    def method(self, *args):
        try:
            return function(self, *args)
        except P11Error:
            raise
        except Exception as error:
            code = code_of(error)
        raise P11Error(code)

    return method


def _refused(code):
    def method(self, *args):
        raise P11Error(code)

    return method


def _get_function_list(app, *out):
    """Return the 68 names. An explicit None stands for C's NULL pointer."""
    if out and out[0] is None:
        raise P11Error(CKR_ARGUMENTS_BAD)
    return FUNCTIONS


def _attach():
    modules = [calls_general, calls_object, calls_keys, calls_crypto]
    if hasattr(p11crypto, "Aes"):
        from . import calls_cipher

        modules.append(calls_cipher)
    for name in FUNCTIONS:
        method = None
        for module in modules:
            if hasattr(module, name):
                method = _offered(getattr(module, name))
        if name == "C_GetFunctionList":
            method = _get_function_list
        if method is None:
            legacy = name in NOT_PARALLEL
            method = _refused(CKR_FUNCTION_NOT_PARALLEL if legacy else CKR_FUNCTION_NOT_SUPPORTED)
        setattr(Application, name, method)


_attach()
