# SPDX-License-Identifier: MIT
"""The 68 functions of PKCS#11 v2.40 as methods of Application.

One table names them in the order of the standard's function list; None stands for a function that
is not offered. Promises: every name exists, and whatever happens inside, the caller sees P11Error
(or KeyboardInterrupt): store, entropy and memory failures are turned into CKR_ codes here.
"""

from pal.store import StoreError

from . import calls_crypto, calls_general, calls_object
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
)
from .errors import P11Error

NAMES = (
    "Initialize Finalize GetInfo GetFunctionList GetSlotList GetSlotInfo GetTokenInfo"
    " GetMechanismList GetMechanismInfo InitToken InitPIN SetPIN OpenSession CloseSession"
    " CloseAllSessions GetSessionInfo GetOperationState SetOperationState Login Logout"
    " CreateObject CopyObject DestroyObject GetObjectSize GetAttributeValue SetAttributeValue"
    " FindObjectsInit FindObjects FindObjectsFinal EncryptInit Encrypt EncryptUpdate"
    " EncryptFinal DecryptInit Decrypt DecryptUpdate DecryptFinal DigestInit Digest"
    " DigestUpdate DigestKey DigestFinal SignInit Sign SignUpdate SignFinal SignRecoverInit"
    " SignRecover VerifyInit Verify VerifyUpdate VerifyFinal VerifyRecoverInit VerifyRecover"
    " DigestEncryptUpdate DecryptDigestUpdate SignEncryptUpdate DecryptVerifyUpdate"
    " GenerateKey GenerateKeyPair WrapKey UnwrapKey DeriveKey SeedRandom GenerateRandom"
    " GetFunctionStatus CancelFunction WaitForSlotEvent"
).split()

NOT_PARALLEL = ("GetFunctionStatus", "CancelFunction")  # left over from Cryptoki 1.0


def unexpected(error):
    """Called with an exception that no code of this package foresees; tests replace it."""


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


_STORE = {
    StoreError.FULL: CKR_DEVICE_MEMORY,
    StoreError.TOO_BIG: CKR_DEVICE_MEMORY,
    StoreError.UNRECOGNISED: CKR_TOKEN_NOT_RECOGNIZED,
    StoreError.FOREIGN: CKR_TOKEN_NOT_RECOGNIZED,
    StoreError.NEWER: CKR_TOKEN_NOT_RECOGNIZED,
}


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
    names = []
    for short in NAMES:
        name = "C_" + short
        names.append(name)
        method = None
        for module in (calls_general, calls_object, calls_crypto):
            if hasattr(module, name):
                method = _offered(getattr(module, name))
        if short == "GetFunctionList":
            method = _get_function_list
        if method is None:
            refused = CKR_FUNCTION_NOT_SUPPORTED
            method = _refused(CKR_FUNCTION_NOT_PARALLEL if short in NOT_PARALLEL else refused)
        setattr(Application, name, method)
    return tuple(names)


FUNCTIONS = _attach()
