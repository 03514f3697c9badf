# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""RSA keys as objects of the token: import, what can be read, what is refused."""

import hashlib

import p11crypto
import pytest
from cryptography.hazmat.primitives import serialization
from rsa_kit import *
from token_kit import *

from pkcs11.application import Application


def test_the_public_half_is_readable_and_the_private_numbers_never_are(
    app, session, private, public
):
    spki = KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    for handle in (private, public):
        assert get(
            app, session, handle, CKA_MODULUS, CKA_PUBLIC_EXPONENT, CKA_PUBLIC_KEY_INFO
        ) == [modulus(KEY), b"\1\0\1", spki]
    assert get(app, session, public, CKA_MODULUS_BITS) == 2048
    assert get(app, session, private, CKA_KEY_TYPE, CKA_SENSITIVE, CKA_EXTRACTABLE) == [
        CKK_RSA,
        True,
        False,
    ]
    for kind in SECRETS:
        with pytest.raises(P11Error) as error:
            app.C_GetAttributeValue(session, private, [(kind, 257), (CKA_CLASS, 4)])
        assert error.value.ckr == CKR_ATTRIBUTE_SENSITIVE
        assert error.value.values == [None, CKO_PRIVATE_KEY]
        with raises(CKR_ATTRIBUTE_TYPE_INVALID):
            get(app, session, public, kind)
    with raises(CKR_ATTRIBUTE_TYPE_INVALID):
        get(app, session, private, CKA_VALUE)


def test_a_copy_gives_no_private_number_and_signs(app, session, private, public):
    for token in (True, False):
        copy = app.C_CopyObject(session, private, [(CKA_TOKEN, token), (CKA_LABEL, b"copy")])
        for kind in SECRETS:
            with raises(CKR_ATTRIBUTE_SENSITIVE):
                get(app, session, copy, kind)
        signature = signed(app, session, copy, CKM_SHA256_RSA_PKCS, b"text")
        verify(app, session, public, CKM_SHA256_RSA_PKCS, b"text", signature)


def test_key_pair_and_certificate_get_the_same_id(app, session, private, public):
    cert = app.C_CreateObject(session, guide_certificate(certificate(KEY)))
    numbers = KEY.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.PKCS1
    )
    wanted = hashlib.sha256(numbers).digest()[:20]
    assert [get(app, session, one, CKA_ID) for one in (private, public, cert)] == [wanted] * 3


def test_rsa_keys_are_found_by_what_they_are(app, session, private, public):
    assert find(app, session, (CKA_KEY_TYPE, CKK_RSA)) == [private, public]
    assert find(app, session, (CKA_MODULUS, modulus(KEY))) == [private, public]
    assert find(app, session, (CKA_MODULUS_BITS, 2048)) == [public]
    assert find(app, session, (CKA_MODULUS_BITS, 1024)) == []
    assert find(app, session, (CKA_PRIME_1, raw(KEY.private_numbers().p))) == []
    with raises(CKR_ATTRIBUTE_VALUE_INVALID):
        app.C_FindObjectsInit(session, [(CKA_MODULUS_BITS, b"\0\x08")])


def test_leading_zeros_of_numbers_are_dropped(app, session):
    template = [
        (k, b"\0" + v if k in (CKA_MODULUS, CKA_PUBLIC_EXPONENT, *SECRETS) else v)
        for k, v in guide_rsa_private(KEY)
    ]
    handle = app.C_CreateObject(session, template)
    assert get(app, session, handle, CKA_MODULUS, CKA_PUBLIC_EXPONENT) == [
        modulus(KEY),
        b"\1\0\1",
    ]
    assert signed(app, session, handle, CKM_RSA_X_509, b"\5") == power(b"\5")


def test_the_secret_numbers_are_wiped_whether_the_import_succeeds_or_not(app, session):
    good = guide_rsa_private(KEY)
    app.C_CreateObject(session, good)
    bad = changed(guide_rsa_private(KEY), CKA_MODULUS, modulus(OTHER))
    with raises(CKR_TEMPLATE_INCONSISTENT):
        app.C_CreateObject(session, bad)
    nonsense = guide_rsa_private(KEY) + [(CKA_EC_PARAMS, b"")]
    with raises(CKR_ATTRIBUTE_TYPE_INVALID):
        app.C_CreateObject(session, nonsense)
    for template in (good, bad, nonsense):
        assert not any(any(value) for kind, value in template if kind in SECRETS)
    assert p11crypto.slots_used() == 1  # the master key


@pytest.mark.parametrize("kind", SECRETS, ids=lambda kind: name_of("CKA_", kind))
def test_numbers_that_do_not_belong_together_are_inconsistent(app, session, kind):
    other = dict(guide_rsa_private(OTHER))
    for value in (other[kind], b"", b"\0", bytes(dict(guide_rsa_private(KEY))[kind]) + b"\0"):
        template = changed(guide_rsa_private(KEY), kind, value)
        with raises(CKR_TEMPLATE_INCONSISTENT):
            app.C_CreateObject(session, template)
    with raises(CKR_TEMPLATE_INCOMPLETE):
        app.C_CreateObject(session, [e for e in guide_rsa_private(KEY) if e[0] != kind])
    assert find(app, session) == [] and p11crypto.slots_used() == 1


@pytest.mark.parametrize("template", [guide_rsa_private, guide_rsa_public])
@pytest.mark.parametrize(
    "kind,value",
    [
        (CKA_MODULUS, b""),
        (CKA_MODULUS, raw(OTHER.private_numbers().p)),  # 1024 bits
        (CKA_MODULUS, modulus(KEY)[:-1]),
        (CKA_MODULUS, modulus(KEY) + b"\1"),
        (CKA_MODULUS, b"\x7f" + modulus(KEY)[1:]),
        (CKA_MODULUS, modulus(KEY)[:-1] + b"\x02"),
        (CKA_MODULUS, b"\xff" * 0xFFFF),
        (CKA_MODULUS, 2048),
        (CKA_PUBLIC_EXPONENT, b""),
        (CKA_PUBLIC_EXPONENT, b"\1"),
        (CKA_PUBLIC_EXPONENT, b"\1\0\0"),
        (CKA_PUBLIC_EXPONENT, b"\1\0\0\0\1"),
        (CKA_PUBLIC_EXPONENT, 65537),
    ],
    ids=range(13),
)
def test_modulus_and_exponent_outside_their_bounds_are_refused(
    app, session, template, kind, value
):
    with raises(CKR_ATTRIBUTE_VALUE_INVALID):
        app.C_CreateObject(session, changed(template(KEY), kind, value))
    with raises(
        CKR_ATTRIBUTE_READ_ONLY if template is guide_rsa_public else CKR_ATTRIBUTE_TYPE_INVALID
    ):
        app.C_CreateObject(session, template(KEY) + [(CKA_MODULUS_BITS, 2048)])
    assert find(app, session) == []


def test_a_private_key_survives_power_off_and_a_changed_record_is_a_device_error(
    app, session, private, store, make_token
):
    app.C_Finalize()
    other = Application(make_token())
    other.C_Initialize()
    again = log_in(other)
    (handle,) = find(other, again, (CKA_CLASS, CKO_PRIVATE_KEY))
    assert signed(other, again, handle, CKM_RSA_X_509, b"\7") == power(b"\7")
    other.C_Finalize()
    number = max(store.records)
    record = list(store.records[number])
    at = next(
        i
        for i, part in enumerate(record)
        if isinstance(part, (bytes, bytearray)) and len(part) > 600
    )
    record[at] = bytes(record[at][:-300]) + b"\0" + bytes(record[at][-299:])
    store.records[number] = tuple(record)
    other = Application(make_token())
    other.C_Initialize()
    again = log_in(other)
    (handle,) = find(other, again, (CKA_CLASS, CKO_PRIVATE_KEY))
    other.C_SignInit(again, CKM_RSA_PKCS, handle)
    with raises(CKR_DEVICE_ERROR):
        other.C_Sign(again, b"data")


def test_session_keys_beyond_the_memory_for_them_are_refused_without_harm(app, session):
    template = changed(guide_rsa_private(KEY), CKA_TOKEN, False)
    made = []
    for _ in range(4):
        made.append(app.C_CreateObject(session, changed(guide_rsa_private(KEY), CKA_TOKEN, False)))
    with raises(CKR_HOST_MEMORY):
        app.C_CreateObject(session, template)
    assert not any(any(value) for kind, value in template if kind in SECRETS)
    assert signed(app, session, made[0], CKM_RSA_X_509, b"\3") == power(b"\3")
    app.C_DestroyObject(session, made[1])
    app.C_CreateObject(session, changed(guide_rsa_private(KEY), CKA_TOKEN, False))
