# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Secret keys: import, generation, derivation, MACs, AES. Skipped where p11crypto has no part."""

import hmac

import p11crypto
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.cmac import CMAC
from token_kit import *

from pkcs11.application import Application


def needs(name):
    return pytest.mark.skipif(not hasattr(p11crypto, name), reason="p11crypto has no " + name)


pytestmark = needs("secret_import")
VALUE = bytes(range(32))
TEXT = b"The quick brown fox jumps over the lazy dog. " * 3
IV = bytes(range(16))


def secret(key_type=CKK_AES, value=VALUE, *more):
    return [
        (CKA_CLASS, CKO_SECRET_KEY),
        (CKA_KEY_TYPE, key_type),
        (CKA_LABEL, b"secret"),
        (CKA_TOKEN, True),
        (CKA_SIGN, True),
        (CKA_VERIFY, True),
        (CKA_VALUE, value),
    ] + list(more)


# --- objects -----------------------------------------------------------------------------------


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


def test_contradictions(app, session):
    with raises(CKR_TEMPLATE_INCONSISTENT):
        app.C_CreateObject(session, secret(CKK_AES, VALUE, (CKA_VALUE_LEN, 16)))
    with raises(CKR_TEMPLATE_INCONSISTENT):
        app.C_CreateObject(session, secret(CKK_AES, VALUE, (CKA_PRIVATE, False)))
    app.C_CreateObject(session, secret(CKK_AES, VALUE, (CKA_VALUE_LEN, 32)))


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


# --- MACs --------------------------------------------------------------------------------------


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


# --- ECDH --------------------------------------------------------------------------------------

READABLE = [(CKA_SENSITIVE, False), (CKA_EXTRACTABLE, True)]


@pytest.fixture
def derivable(app, session):
    public, private = guide_pair()
    return generate(app, session, public, private + [(CKA_DERIVE, True)])


@needs("ecdh")
def test_ecdh_gives_what_the_peer_gets(app, session, derivable):
    public, private = derivable
    mine = get(app, session, public, CKA_EC_POINT)[2:]
    peer = ec_key()
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), mine)
    wanted = peer.exchange(ec.ECDH(), theirs)
    for encoded in (point(peer), wrapped(peer)):
        for size in (None, 32, 16):
            more = [] if size is None else [(CKA_VALUE_LEN, size)]
            mechanism = (CKM_ECDH1_DERIVE, (CKD_NULL, None, encoded))
            handle = app.C_DeriveKey(session, mechanism, private, READABLE + more)
            assert get(app, session, handle, CKA_VALUE) == wanted[-(size or 32) :]
            wanted_flags = [False, False, False]
            kinds = (CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE)
            assert get(app, session, handle, *kinds) == wanted_flags
            assert get(app, session, handle, CKA_KEY_TYPE) == CKK_GENERIC_SECRET
    handle = app.C_DeriveKey(
        session, mechanism, private, [(CKA_KEY_TYPE, CKK_AES), (CKA_VALUE_LEN, 16)]
    )
    with raises(CKR_ATTRIBUTE_SENSITIVE):
        get(app, session, handle, CKA_VALUE)


@needs("ecdh")
def test_ecdh_that_cannot_be(app, session, derivable):
    public, private = derivable
    _, plain = generate(app, session)
    peer = point(ec_key())
    good = (CKM_ECDH1_DERIVE, (CKD_NULL, b"", peer))
    used = p11crypto.slots_used()
    for parameter in (
        None,
        b"",
        (CKD_NULL, None),
        (2, None, peer),
        (CKD_NULL, b"shared", peer),
        (CKD_NULL, None, None),
        (CKD_NULL, None, b""),
        (CKD_NULL, None, peer[:-1]),
        (CKD_NULL, None, peer[:-1] + bytes((peer[-1] ^ 1,))),
        (CKD_NULL, None, b"\x04\x40" + peer[:64]),
        (CKD_NULL, None, bytes(65)),
        ("x", None, peer),
    ):
        with raises(CKR_MECHANISM_PARAM_INVALID):
            app.C_DeriveKey(session, (CKM_ECDH1_DERIVE, parameter), private, [])
    for key, template, code in (
        (plain, [], CKR_KEY_FUNCTION_NOT_PERMITTED),
        (public, [], CKR_KEY_TYPE_INCONSISTENT),
        (0, [], CKR_KEY_HANDLE_INVALID),
        (private, [(CKA_VALUE_LEN, 33)], CKR_TEMPLATE_INCONSISTENT),
        (private, [(CKA_KEY_TYPE, CKK_EC)], CKR_TEMPLATE_INCONSISTENT),
        (private, [(CKA_KEY_TYPE, CKK_AES), (CKA_VALUE_LEN, 17)], CKR_ATTRIBUTE_VALUE_INVALID),
        (private, None, CKR_ARGUMENTS_BAD),
    ):
        with raises(code):
            app.C_DeriveKey(session, good, key, template)
    assert p11crypto.slots_used() == used


# --- AES ---------------------------------------------------------------------------------------


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
