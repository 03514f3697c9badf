# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""What the fuzzer of calls draws from: the arguments of each function, good templates, what goes together."""

from secret_kit import secret
from token_kit import *

from pkcs11 import attributes

KEY = ec_key()
SIZES = (0, 0, 1, 4, 8, 16, 32, 64, 255, 256, 4096, 65535, 65536)
NUMBERS = (0, 1, 2, 3, 4, 31, 255, 256, 65535, 65536, 1 << 31, (1 << 32) - 1, 1 << 32, 1 << 64, -1)
GOOD = (
    guide_private(KEY),
    guide_public(KEY),
    guide_certificate(certificate(KEY)),
    secret(CKK_AES, bytes(16)),
    secret(CKK_GENERIC_SECRET, bytes(64)),
    data_object(),
    [(CKA_CLASS, CKO_DATA), (CKA_PRIVATE, True), (CKA_VALUE, b"note")],
    *guide_pair(),
    [(CKA_VALUE_LEN, 16)],
    [(CKA_LABEL, b"changed")],
    [(CKA_SENSITIVE, True), (CKA_EXTRACTABLE, False)],
    [],
)
KINDS = [row[attributes.TYPE] for row in attributes.TABLE]
# kinds of arguments; functions that are not listed take a session and anything
ARGUMENTS = {
    "C_Initialize": "any",
    "C_Finalize": "any",
    "C_GetInfo": "",
    "C_GetFunctionList": "any",
    "C_GetSlotList": "any room",
    "C_GetSlotInfo": "slot",
    "C_GetTokenInfo": "slot",
    "C_GetMechanismList": "slot room",
    "C_GetMechanismInfo": "slot number",
    "C_InitToken": "slot any any",
    "C_InitPIN": "handle any",
    "C_SetPIN": "handle pin any",
    "C_OpenSession": "slot number",
    "C_CloseSession": "handle",
    "C_CloseAllSessions": "any",
    "C_GetSessionInfo": "handle",
    "C_Login": "handle number pin",
    "C_Logout": "handle",
    "C_CreateObject": "handle template",
    "C_CopyObject": "handle object template",
    "C_DestroyObject": "handle object",
    "C_GetObjectSize": "handle object",
    "C_GetAttributeValue": "handle object types",
    "C_SetAttributeValue": "handle object template",
    "C_FindObjectsInit": "handle template",
    "C_FindObjects": "handle number",
    "C_FindObjectsFinal": "handle",
    "C_DigestInit": "handle mechanism",
    "C_GenerateKey": "handle mechanism template",
    "C_GenerateKeyPair": "handle mechanism template template",
    "C_DeriveKey": "handle mechanism object template",
    "C_SeedRandom": "handle data",
    "C_GenerateRandom": "handle any",
    "C_WaitForSlotEvent": "number any",
    "C_VerifyFinal": "handle data",
    "C_Verify": "handle data data",
}
for _kind in ("Encrypt", "Decrypt", "Sign", "Verify"):
    ARGUMENTS["C_%sInit" % _kind] = "handle mechanism object"
for _name in (
    "C_Digest",
    "C_Sign",
    "C_Encrypt",
    "C_Decrypt",
    "C_EncryptUpdate",
    "C_DecryptUpdate",
):
    ARGUMENTS[_name] = "handle data room"
for _name in ("C_DigestUpdate", "C_SignUpdate", "C_VerifyUpdate"):
    ARGUMENTS[_name] = "handle data"
for _name in ("C_DigestFinal", "C_SignFinal", "C_EncryptFinal", "C_DecryptFinal"):
    ARGUMENTS[_name] = "handle room"
DEFAULT = "handle any any"
# mechanism, key type and class that a call works with
_EC = (CKM_ECDSA, CKK_EC)
_MACS = (
    (CKM_SHA256_HMAC, CKK_GENERIC_SECRET, CKO_SECRET_KEY),
    (CKM_AES_CMAC, CKK_AES, CKO_SECRET_KEY),
)
_AES = (
    (CKM_AES_ECB, CKK_AES, CKO_SECRET_KEY),
    ((CKM_AES_CBC_PAD, bytes(16)), CKK_AES, CKO_SECRET_KEY),
)
FITTING = {
    "C_SignInit": ((*_EC, CKO_PRIVATE_KEY), (CKM_ECDSA_SHA256, CKK_EC, CKO_PRIVATE_KEY), *_MACS),
    "C_VerifyInit": ((*_EC, CKO_PUBLIC_KEY), *_MACS),
    "C_EncryptInit": _AES,
    "C_DecryptInit": _AES,
    "C_DeriveKey": (((CKM_ECDH1_DERIVE, (CKD_NULL, None, point(KEY))), CKK_EC, CKO_PRIVATE_KEY),),
    "C_GenerateKey": ((CKM_AES_KEY_GEN, 0, 0), (CKM_GENERIC_SECRET_KEY_GEN, 0, 0)),
    "C_GenerateKeyPair": ((CKM_EC_KEY_PAIR_GEN, 0, 0),),
}
# what goes on with a running operation, by its kind in session.py
GO_ON = {
    1: ("C_Digest", "C_DigestUpdate", "C_DigestFinal"),
    2: ("C_Sign", "C_SignUpdate", "C_SignFinal"),
    3: ("C_Verify", "C_VerifyUpdate", "C_VerifyFinal"),
    4: ("C_Encrypt", "C_EncryptUpdate", "C_EncryptFinal"),
    5: ("C_Decrypt", "C_DecryptUpdate", "C_DecryptFinal"),
}
RARELY = ("C_Finalize", "C_CloseAllSessions", "C_Logout", "C_InitToken", "C_SetPIN")
