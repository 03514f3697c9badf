# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""RSA signatures of the token: raw, PKCS #1 v1.5, with SHA-256 in one and in many parts."""

import hashlib

import p11crypto
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding
from published import wycheproof
from rsa_kit import *
from token_kit import *

INFO = b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20"
MECHANISMS = (CKM_RSA_PKCS, CKM_RSA_X_509, CKM_SHA256_RSA_PKCS)


def test_all_three_mechanisms_offer_2048_bits_sign_and_verify(app):
    for mechanism in MECHANISMS:
        assert mechanism in app.C_GetMechanismList(1)
        assert app.C_GetMechanismInfo(1, mechanism) == (2048, 2048, CKF_SIGN | CKF_VERIFY)


def test_sha256_rsa_pkcs_is_the_signature_of_cryptography_in_one_and_in_many_parts(
    app, session, private, public
):
    message = bytes(range(256)) * 3
    wanted = KEY.sign(message, padding.PKCS1v15(), hashes.SHA256())
    assert signed(app, session, private, CKM_SHA256_RSA_PKCS, message) == wanted
    app.C_SignInit(session, CKM_SHA256_RSA_PKCS, private)
    for at in range(0, len(message), 100):
        app.C_SignUpdate(session, message[at : at + 100])
    with pytest.raises(P11Error) as error:
        app.C_SignFinal(session, 255)
    assert error.value.ckr == CKR_BUFFER_TOO_SMALL and error.value.length == 256
    assert app.C_SignFinal(session, 256) == wanted
    verify(app, session, public, CKM_SHA256_RSA_PKCS, message, wanted)
    app.C_VerifyInit(session, CKM_SHA256_RSA_PKCS, public)
    app.C_VerifyUpdate(session, message[:5])
    app.C_VerifyUpdate(session, message[5:])
    app.C_VerifyFinal(session, wanted)
    app.C_VerifyInit(session, CKM_SHA256_RSA_PKCS, public)
    app.C_VerifyUpdate(session, message[:-1])
    with raises(CKR_SIGNATURE_INVALID):
        app.C_VerifyFinal(session, wanted)


def test_rsa_pkcs_signs_what_it_is_given_in_a_block_of_type_1(app, session, private, public):
    for length in (0, 1, 51, 244, 245):
        data = bytes(range(7, 7 + 249))[:length]
        signature = signed(app, session, private, CKM_RSA_PKCS, data)
        assert signature == power(b"\1" + b"\xff" * (253 - length) + b"\0" + data)
        verify(app, session, public, CKM_RSA_PKCS, data, signature)
    info = INFO + hashlib.sha256(b"text").digest()
    signature = signed(app, session, private, CKM_RSA_PKCS, info)
    KEY.public_key().verify(signature, b"text", padding.PKCS1v15(), hashes.SHA256())
    for length in (246, 253, 256, 1000):
        with raises(CKR_DATA_LEN_RANGE):
            signed(app, session, private, CKM_RSA_PKCS, bytes(length))
        with raises(CKR_DATA_LEN_RANGE):
            verify(app, session, public, CKM_RSA_PKCS, bytes(length), signature)


def test_the_length_question_keeps_the_operation(app, session, private):
    for mechanism in MECHANISMS:
        app.C_SignInit(session, mechanism, private)
        for room in (0, 255):
            with pytest.raises(P11Error) as error:
                app.C_Sign(session, b"data", room)
            assert error.value.ckr == CKR_BUFFER_TOO_SMALL and error.value.length == 256
        assert len(app.C_Sign(session, b"data", 256)) == 256


def test_raw_rsa_takes_numbers_below_the_modulus(app, session, private, public):
    n = int.from_bytes(modulus(KEY), "big")
    for number in (b"", b"\0", b"\1", b"\2" * 200, raw(n - 1)):
        signature = signed(app, session, private, CKM_RSA_X_509, number)
        assert signature == power(number)
        verify(app, session, public, CKM_RSA_X_509, number, signature)
        verify(app, session, public, CKM_RSA_X_509, number.rjust(256, b"\0"), signature)
    for number in (raw(n), b"\xff" * 256):
        with raises(CKR_DATA_INVALID):
            signed(app, session, private, CKM_RSA_X_509, number)
    with raises(CKR_DATA_LEN_RANGE):
        signed(app, session, private, CKM_RSA_X_509, bytes(257))


def test_signatures_that_are_wrong(app, session, private, public):
    good = signed(app, session, private, CKM_RSA_PKCS, b"data")
    for signature in (
        good[:-1] + bytes((good[-1] ^ 1,)),
        bytes(256),
        b"\0" * 255 + b"\1",
        modulus(KEY),
        b"\xff" * 256,
        power(b"beta"),
    ):
        for mechanism in MECHANISMS:
            with raises(CKR_SIGNATURE_INVALID):
                verify(app, session, public, mechanism, b"data", signature)
    for length in (0, 255, 257, 512):
        for mechanism in MECHANISMS:
            with raises(CKR_SIGNATURE_LEN_RANGE):
                verify(app, session, public, mechanism, bytes(300), bytes(length))
    with raises(CKR_SIGNATURE_INVALID):
        verify(app, session, public, CKM_RSA_PKCS, b"dat", good)


def test_a_block_with_anything_out_of_place_is_refused(app, session, public):
    """The forgeries that work on verifiers which parse the block."""
    digest = hashlib.sha256(b"text").digest()
    info = INFO + digest
    without_null = bytes((0x30, 0x2F, 0x30, 0x0B)) + INFO[4:15] + b"\x04\x20" + digest
    blocks = [
        b"\1" + b"\xff" * 8 + b"\0" + info + bytes(194),  # short padding, rubbish behind
        b"\1" + b"\xff" * 201 + b"\0" + info + b"\0",
        b"\2" + b"\xff" * 202 + b"\0" + info,  # the type of encryption
        b"\0" + b"\xff" * 202 + b"\0" + info,
        b"\1" + b"\xff" * 100 + b"\xfe" + b"\xff" * 101 + b"\0" + info,
        b"\1" + b"\0" * 203 + info,
        b"\1" + b"\xff" * 204 + b"\0" + without_null,
        b"\1" + b"\xff" * 221 + b"\0" + digest,
    ]
    for block in blocks:
        assert len(block) <= 255
        with raises(CKR_SIGNATURE_INVALID):
            verify(app, session, public, CKM_SHA256_RSA_PKCS, b"text", power(block))
        with raises(CKR_SIGNATURE_INVALID):
            verify(app, session, public, CKM_RSA_PKCS, info, power(block))
    verify(
        app,
        session,
        public,
        CKM_SHA256_RSA_PKCS,
        b"text",
        power(b"\1" + b"\xff" * 202 + b"\0" + info),
    )


def test_keys_and_mechanisms_of_the_other_kind_do_not_fit(app, session, private, public):
    ec_public, ec_private = generate(app, session)
    for mechanism in MECHANISMS:
        with raises(CKR_KEY_TYPE_INCONSISTENT):
            app.C_SignInit(session, mechanism, ec_private)
        with raises(CKR_KEY_TYPE_INCONSISTENT):
            app.C_VerifyInit(session, mechanism, ec_public)
        with raises(CKR_KEY_TYPE_INCONSISTENT):
            app.C_SignInit(session, mechanism, public)
        with raises(CKR_KEY_TYPE_INCONSISTENT):
            app.C_VerifyInit(session, mechanism, private)
        with raises(CKR_MECHANISM_PARAM_INVALID):
            app.C_SignInit(session, (mechanism, b"x"), private)
    with raises(CKR_KEY_TYPE_INCONSISTENT):
        app.C_SignInit(session, CKM_ECDSA, private)
    with raises(CKR_KEY_TYPE_INCONSISTENT):
        app.C_EncryptInit(session, CKM_RSA_PKCS, public)
    for mechanism in (CKM_RSA_PKCS, CKM_RSA_X_509):  # these have no parts
        app.C_SignInit(session, mechanism, private)
        with raises(CKR_OPERATION_NOT_INITIALIZED):
            app.C_SignUpdate(session, b"data")


def test_a_destroyed_key_finishes_the_signature_that_was_begun(app, session):
    for token in (True, False):
        key = app.C_CreateObject(session, changed(guide_rsa_private(KEY), CKA_TOKEN, token))
        app.C_SignInit(session, CKM_RSA_X_509, key)
        app.C_DestroyObject(session, key)
        assert app.C_Sign(session, b"\3") == power(b"\3")
    assert p11crypto.slots_used() == 1


def test_every_session_may_have_an_rsa_signature_pending(app, session, private):
    sessions = [session] + [app.C_OpenSession(1, RO) for _ in range(15)]
    for one in sessions:
        app.C_SignInit(one, CKM_RSA_X_509, private)
    for number, one in enumerate(reversed(sessions)):
        assert app.C_Sign(one, bytes((number,))) == power(bytes((number,)))


# --- published vectors ---------------------------------------------------------------------------

INFOS = {
    "SHA-224": b"\x30\x2d\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x04\x05\x00\x04\x1c",
    "SHA-256": INFO,
    "SHA-384": b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30",
    "SHA-512": b"\x30\x51\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x03\x05\x00\x04\x40",
}


def _cases(file):
    for group in wycheproof("Signature", file):
        for case in group["tests"]:
            yield group, case


def _numbers(group):
    key = group.get("publicKey") or group
    n, e = key.get("modulus") or key["n"], key.get("publicExponent") or key["e"]
    return bytes.fromhex(n), bytes.fromhex(e)


@pytest.mark.parametrize("name", INFOS)
def test_verification_gives_the_verdicts_of_wycheproof(app, session, name):
    file = "rsa_signature_2048_%s_test.json" % name.lower().replace("-", "")
    keys, verdicts = {}, []
    for group, case in _cases(file):
        n, e = _numbers(group)
        if n not in keys:
            template = changed(guide_rsa_public(KEY), CKA_MODULUS, n)
            template = changed(changed(template, CKA_PUBLIC_EXPONENT, e), CKA_TOKEN, False)
            keys[n] = app.C_CreateObject(session, template)
        message, signature = bytes.fromhex(case["msg"]), bytes.fromhex(case["sig"])
        digest = hashlib.new(name.replace("-", "").lower(), message).digest()
        calls = [(CKM_RSA_PKCS, INFOS[name] + digest)]
        calls += [(CKM_SHA256_RSA_PKCS, message)] if name == "SHA-256" else []
        for mechanism, data in calls:
            app.C_VerifyInit(session, mechanism, keys[n])
            try:
                app.C_Verify(session, data, signature)
                good = True
            except P11Error as error:
                assert error.ckr in (CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE)
                good = False
            # "acceptable" is a DigestInfo without NULL: not what RFC 8017 §9.2 encodes
            assert good == (case["result"] == "valid"), case["tcId"]
        verdicts.append(case["result"])
    assert len(verdicts) > 200 and verdicts.count("invalid") > 150


def test_generation_gives_the_signatures_of_wycheproof(app, session):
    keys = {}
    for group, case in _cases("rsa_pkcs1_2048_sig_gen_test.json"):
        if group["sha"] not in INFOS or case["result"] != "valid":
            continue
        pkcs8 = group["privateKeyPkcs8"]
        if pkcs8 not in keys:
            key = serialization.load_der_private_key(bytes.fromhex(pkcs8), None)
            template = changed(guide_rsa_private(key), CKA_TOKEN, False)
            keys[pkcs8] = app.C_CreateObject(session, template)
        digest = hashlib.new(group["sha"].replace("-", "").lower(), bytes.fromhex(case["msg"]))
        data = INFOS[group["sha"]] + digest.digest()
        signature = signed(app, session, keys[pkcs8], CKM_RSA_PKCS, data)
        assert signature == bytes.fromhex(case["sig"])
    assert len(keys) == 4


def test_primes_of_unequal_size_are_refused(app, session):
    unequal = [
        group
        for group, case in _cases("rsa_pkcs1_2048_sig_gen_test.json")
        if case["result"] == "acceptable" and group["sha"] != "SHA-1"
    ]
    assert len(unequal) == 3
    for group in unequal:
        key = serialization.load_der_private_key(bytes.fromhex(group["privateKeyPkcs8"]), None)
        with raises(CKR_TEMPLATE_INCONSISTENT):
            app.C_CreateObject(session, guide_rsa_private(key))


def test_cryptography_refuses_what_the_token_refuses(app, session, private):
    signature = signed(app, session, private, CKM_SHA256_RSA_PKCS, b"text")
    with pytest.raises(InvalidSignature):
        KEY.public_key().verify(signature, b"test", padding.PKCS1v15(), hashes.SHA256())
