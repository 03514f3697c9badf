# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""AES: CKM_AES_ECB and CKM_AES_CBC_PAD in one and in many parts."""

import p11crypto
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from secret_kit import *
from token_kit import *


@pytest.fixture
def aes(app, session):
    return app.C_CreateObject(session, secret())


def pad(data):
    count = 16 - len(data) % 16
    return data + bytes((count,)) * count


def reference(mode, data):
    encryptor = Cipher(algorithms.AES(VALUE), mode).encryptor()
    return encryptor.update(data) + encryptor.finalize()


@needs("Aes")
@pytest.mark.parametrize("length", [0, 1, 15, 16, 17, 32, 100])
def test_cbc_pad_in_one_and_in_many_parts(app, session, aes, length):
    plain = TEXT[:length]
    mechanism = (CKM_AES_CBC_PAD, IV)
    wanted = reference(modes.CBC(IV), pad(plain))
    app.C_EncryptInit(session, mechanism, aes)
    with pytest.raises(P11Error) as error:
        app.C_Encrypt(session, plain, 0)
    assert error.value.ckr == CKR_BUFFER_TOO_SMALL and error.value.length == len(wanted)
    assert app.C_Encrypt(session, plain) == wanted
    app.C_DecryptInit(session, mechanism, aes)
    if length:
        with pytest.raises(P11Error) as error:
            app.C_Decrypt(session, wanted, length - 1)
        assert error.value.length == length
    assert app.C_Decrypt(session, wanted, length) == plain
    for step in (1, 7, 16, 33):
        app.C_EncryptInit(session, mechanism, aes)
        out = b"".join(
            app.C_EncryptUpdate(session, plain[at : at + step]) for at in range(0, length, step)
        )
        with raises(CKR_BUFFER_TOO_SMALL):
            app.C_EncryptFinal(session, 15)
        assert out + app.C_EncryptFinal(session, 16) == wanted
        app.C_DecryptInit(session, mechanism, aes)
        out = b""
        for at in range(0, len(wanted), step):
            out += app.C_DecryptUpdate(session, wanted[at : at + step])
        assert out + app.C_DecryptFinal(session) == plain


@needs("Aes")
def test_ecb(app, session, aes):
    app.C_EncryptInit(session, CKM_AES_ECB, aes)
    wanted = reference(modes.ECB(), TEXT[:48])
    assert app.C_Encrypt(session, TEXT[:48]) == wanted
    app.C_DecryptInit(session, (CKM_AES_ECB, None), aes)
    with raises(CKR_BUFFER_TOO_SMALL):
        app.C_DecryptUpdate(session, wanted, 47)
    assert app.C_DecryptUpdate(session, wanted, 48) + app.C_DecryptFinal(session) == TEXT[:48]
    app.C_EncryptInit(session, CKM_AES_ECB, aes)
    with raises(CKR_DATA_LEN_RANGE):
        app.C_Encrypt(session, TEXT[:17])
    app.C_DecryptInit(session, CKM_AES_ECB, aes)
    with raises(CKR_ENCRYPTED_DATA_LEN_RANGE):
        app.C_Decrypt(session, wanted[:17])
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Decrypt(session, wanted)


@needs("Aes")
def test_encrypted_data_that_is_none(app, session, aes):
    for data, code in (
        (b"", CKR_ENCRYPTED_DATA_LEN_RANGE),
        (bytes(15), CKR_ENCRYPTED_DATA_LEN_RANGE),
        (reference(modes.CBC(IV), bytes(16)), CKR_ENCRYPTED_DATA_INVALID),
        (reference(modes.CBC(IV), bytes(15) + b"\x02"), CKR_ENCRYPTED_DATA_INVALID),
        (reference(modes.CBC(IV), bytes(15) + b"\x11"), CKR_ENCRYPTED_DATA_INVALID),
    ):
        app.C_DecryptInit(session, (CKM_AES_CBC_PAD, IV), aes)
        with raises(code):
            app.C_Decrypt(session, data)
        app.C_DecryptInit(session, (CKM_AES_CBC_PAD, IV), aes)
        app.C_DecryptUpdate(session, data)
        with raises(code):
            app.C_DecryptFinal(session)


@needs("Aes")
def test_ciphers_with_wrong_keys_mechanisms_and_arguments(app, session, aes):
    public, private = generate(app, session)
    other = app.C_CreateObject(session, secret(CKK_GENERIC_SECRET))
    cert = app.C_CreateObject(session, guide_certificate(certificate(ec_key())))
    closed = app.C_CreateObject(session, secret(CKK_AES, VALUE, (CKA_ENCRYPT, False)))
    for mechanism, key, code in (
        (None, aes, CKR_ARGUMENTS_BAD),
        (CKM_AES_ECB, 0, CKR_KEY_HANDLE_INVALID),
        (CKM_AES_ECB, cert, CKR_KEY_HANDLE_INVALID),
        (CKM_AES_ECB, private, CKR_KEY_TYPE_INCONSISTENT),
        (CKM_AES_ECB, public, CKR_KEY_TYPE_INCONSISTENT),
        (CKM_AES_ECB, other, CKR_KEY_TYPE_INCONSISTENT),
        (CKM_AES_ECB, closed, CKR_KEY_FUNCTION_NOT_PERMITTED),
        (CKM_SHA256_HMAC, aes, CKR_MECHANISM_INVALID),
        (0x7777, aes, CKR_MECHANISM_INVALID),
        ((CKM_AES_ECB, IV), aes, CKR_MECHANISM_PARAM_INVALID),
        (CKM_AES_CBC_PAD, aes, CKR_MECHANISM_PARAM_INVALID),
        ((CKM_AES_CBC_PAD, IV[:15]), aes, CKR_MECHANISM_PARAM_INVALID),
        ((CKM_AES_CBC_PAD, 5), aes, CKR_MECHANISM_PARAM_INVALID),
    ):
        with raises(code):
            app.C_EncryptInit(session, mechanism, key)
    used = p11crypto.slots_used()
    app.C_EncryptInit(session, CKM_AES_ECB, aes)
    with raises(CKR_OPERATION_ACTIVE):
        app.C_DecryptInit(session, CKM_AES_ECB, aes)
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Decrypt(session, IV)
    app.C_EncryptUpdate(session, IV)
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_Encrypt(session, IV)
    app.C_EncryptInit(session, CKM_AES_ECB, aes)
    with raises(CKR_ARGUMENTS_BAD):
        app.C_EncryptUpdate(session, None)
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_EncryptFinal(session)
    assert p11crypto.slots_used() == used
