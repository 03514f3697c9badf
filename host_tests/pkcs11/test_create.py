# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""C_CreateObject and C_DestroyObject (facts 1.9, 3.6 as chosen in DESIGN §3)."""

import hashlib

import p11crypto
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from token_kit import *

from pkcs11.der import OID_P384

KEY = ec_key()
CERT = certificate(KEY)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


def changed(template, kind, value):
    return [(k, value if k == kind else v) for k, v in template]


def without(template, kind):
    return [entry for entry in template if entry[0] != kind]


def data_object(value=b"value", **more):
    return [
        (CKA_CLASS, CKO_DATA),
        (CKA_TOKEN, True),
        (CKA_LABEL, b"data"),
        (CKA_APPLICATION, b"app"),
        (CKA_OBJECT_ID, b"\x06\x01\x2a"),
        (CKA_VALUE, value),
    ]


def test_the_templates_of_the_guide(app, session):
    private = app.C_CreateObject(session, guide_private(KEY))
    public = app.C_CreateObject(session, guide_public(KEY))
    cert = app.C_CreateObject(session, guide_certificate(CERT))
    assert get(app, session, cert, CKA_VALUE) == CERT
    assert get(app, session, cert, CKA_SUBJECT) == b"TestSubject"
    assert get(app, session, public, CKA_EC_POINT) == wrapped(KEY)
    app.C_SignInit(session, CKM_ECDSA, private)
    assert verifies(KEY.public_key(), DIGEST, app.C_Sign(session, DIGEST))
    app.C_VerifyInit(session, CKM_ECDSA, public)
    app.C_Verify(session, DIGEST, sign(KEY, DIGEST))


def test_an_imported_private_key_is_sensitive_whatever_the_template_forgot(app, session):
    private = app.C_CreateObject(session, guide_private(KEY))
    wanted = {
        CKA_PRIVATE: True,
        CKA_SENSITIVE: True,
        CKA_EXTRACTABLE: False,
        CKA_ALWAYS_SENSITIVE: False,
        CKA_NEVER_EXTRACTABLE: False,
        CKA_LOCAL: False,
        CKA_KEY_GEN_MECHANISM: CK_UNAVAILABLE_INFORMATION,
        CKA_EC_POINT: wrapped(KEY),
    }
    assert app.C_GetAttributeValue(session, private, list(wanted)) == list(wanted.values())
    with raises(CKR_ATTRIBUTE_SENSITIVE):
        get(app, session, private, CKA_VALUE)


def test_key_and_certificate_without_id_get_the_same_one(app, session):
    wanted = hashlib.sha256(point(KEY)).digest()[:20]
    for template in (guide_private(KEY), guide_public(KEY), guide_certificate(CERT)):
        handle = app.C_CreateObject(session, template)
        assert get(app, session, handle, CKA_ID) == wanted
        handle = app.C_CreateObject(session, template + [(CKA_ID, b"\x07")])
        assert get(app, session, handle, CKA_ID) == b"\x07"
        handle = app.C_CreateObject(session, template + [(CKA_ID, b"")])
        assert get(app, session, handle, CKA_ID) == b""


def test_a_certificate_names_its_parts_although_they_are_stored_once(app, session, store):
    from cryptography import x509

    cert = x509.load_der_x509_certificate(CERT)
    subject = cert.subject.public_bytes()
    handle = app.C_CreateObject(session, without(guide_certificate(CERT), CKA_SUBJECT))
    assert get(app, session, handle, CKA_SUBJECT) == subject
    assert get(app, session, handle, CKA_ISSUER) == cert.issuer.public_bytes()
    assert get(app, session, handle, CKA_SERIAL_NUMBER) == b"\x02\x04\x01\x23\x45\x67"
    spki = get(app, session, handle, CKA_PUBLIC_KEY_INFO)
    assert spki[-65:] == point(KEY)
    template = changed(guide_certificate(CERT), CKA_SUBJECT, subject)
    again = app.C_CreateObject(session, template)
    assert get(app, session, again, CKA_SUBJECT) == subject
    assert app.C_GetObjectSize(session, again) == app.C_GetObjectSize(session, handle)


def test_data_objects(app, session):
    handle = app.C_CreateObject(session, data_object())
    assert get(app, session, handle, CKA_VALUE, CKA_APPLICATION, CKA_OBJECT_ID) == [
        b"value",
        b"app",
        b"\x06\x01\x2a",
    ]
    empty = app.C_CreateObject(session, [(CKA_CLASS, CKO_DATA), (CKA_TOKEN, True)])
    assert get(app, session, empty, CKA_VALUE, CKA_LABEL) == [b"", b""]


@pytest.mark.parametrize("size", [0, 1, 254, 255])
def test_labels_of_any_length_up_to_255_bytes(app, session, size):
    label = bytes(at & 0xFF for at in range(size))
    for template in (
        guide_private(KEY, label),
        guide_public(KEY, label),
        guide_certificate(CERT, label),
    ):
        handle = app.C_CreateObject(session, template)
        assert get(app, session, handle, CKA_LABEL) == label
    assert len(find(app, session, (CKA_LABEL, label))) == 3


@pytest.mark.parametrize("size", [256, 4096])
def test_longer_labels_are_refused(app, session, size):
    for template in (
        guide_private(KEY, bytes(size)),
        guide_public(KEY, bytes(size)),
        guide_certificate(CERT, bytes(size)),
    ):
        with raises(CKR_ATTRIBUTE_VALUE_INVALID):
            app.C_CreateObject(session, template)
    assert find(app, session) == []


@pytest.mark.parametrize("label", [b"Device Cert", b"Root Cert", b"JITP Cert", b"Claim Cert"])
def test_labels_of_the_guide_are_ordinary(app, session, label):
    handle = app.C_CreateObject(session, guide_certificate(CERT, label))
    assert find(app, session, (CKA_LABEL, label)) == [handle]


@pytest.mark.parametrize(
    "value",
    [
        b"",
        scalar(KEY)[1:],
        b"\0" + scalar(KEY),
        scalar(KEY)[:31],
        scalar(KEY) + b"\0",
        bytes(48),
        bytes(32),
        ORDER.to_bytes(32, "big"),
        b"\xff" * 32,
        b"\x04\x20" + scalar(KEY),
    ],
    ids="empty 31 33 cut long 48 zero order ones wrapped".split(),
)
def test_private_keys_of_the_wrong_size_or_range(app, session, value):
    used = p11crypto.slots_used()
    with raises(CKR_ATTRIBUTE_VALUE_INVALID):
        app.C_CreateObject(session, changed(guide_private(KEY), CKA_VALUE, value))
    assert find(app, session) == [] and p11crypto.slots_used() == used


@pytest.mark.parametrize("value", [1, ORDER - 1])
def test_private_keys_at_the_ends_of_the_range(app, session, value):
    key = ec.derive_private_key(value, ec.SECP256R1())
    handle = app.C_CreateObject(session, guide_private(key))
    assert get(app, session, handle, CKA_EC_POINT) == wrapped(key)


@pytest.mark.parametrize(
    "value",
    [
        b"",
        point(KEY),  # not wrapped
        b"\x04\x41\x02" + point(KEY)[1:],
        b"\x04\x41" + point(KEY)[:-1] + bytes((point(KEY)[-1] ^ 1,)),  # off the curve
        b"\x04\x41\x04" + bytes(64),
        b"\x04\x01\x00",  # infinity
        b"\x04\x21\x02" + point(KEY)[1:33],  # compressed
        wrapped(KEY)[:-1],
        wrapped(KEY) + b"\0",
        b"\x04\x81\x41" + point(KEY),  # length not minimal
        b"\x03\x42\0" + point(KEY),
        b"\x04\x41\x04" + b"\xff" * 64,
    ],
)
def test_public_keys_that_are_no_points(app, session, value):
    with raises(CKR_ATTRIBUTE_VALUE_INVALID):
        app.C_CreateObject(session, changed(guide_public(KEY), CKA_EC_POINT, value))
    assert find(app, session) == []


def test_a_private_key_may_bring_its_point_if_it_is_the_right_one(app, session):
    app.C_CreateObject(session, guide_private(KEY) + [(CKA_EC_POINT, wrapped(KEY))])
    used = p11crypto.slots_used()
    for value in (wrapped(ec_key()), b""):
        with raises(CKR_TEMPLATE_INCONSISTENT):
            app.C_CreateObject(session, guide_private(KEY) + [(CKA_EC_POINT, value)])
    assert p11crypto.slots_used() == used


@pytest.mark.parametrize("cut", [0, 1, 2, 3, 10, 138, -1])
def test_truncated_certificates(app, session, cut):
    with raises(CKR_ATTRIBUTE_VALUE_INVALID):
        app.C_CreateObject(session, guide_certificate(CERT[:cut]))
    assert find(app, session) == []


@pytest.mark.parametrize(
    "value",
    [CERT + b"\0", bytes(600), b"-----BEGIN CERTIFICATE-----\n", point(KEY), b"\x30\x80" + CERT],
)
def test_certificates_that_are_none(app, session, value):
    with raises(CKR_ATTRIBUTE_VALUE_INVALID):
        app.C_CreateObject(session, guide_certificate(value))


def test_objects_that_do_not_fit(app, session):
    big = certificate(KEY, size=5000)
    with raises(CKR_DEVICE_MEMORY):
        app.C_CreateObject(session, guide_certificate(big))
    assert find(app, session) == []
    with raises(CKR_DEVICE_MEMORY):
        while True:
            app.C_CreateObject(session, data_object(bytes(3000)))
    count = len(find(app, session))
    assert count > 5
    for handle in find(app, session):
        app.C_DestroyObject(session, handle)
    app.C_CreateObject(session, data_object(bytes(3000)))


@pytest.mark.parametrize(
    "template, kind",
    [
        (guide_private(KEY), CKA_CLASS),
        (guide_private(KEY), CKA_KEY_TYPE),
        (guide_private(KEY), CKA_EC_PARAMS),
        (guide_private(KEY), CKA_VALUE),
        (guide_public(KEY), CKA_KEY_TYPE),
        (guide_public(KEY), CKA_EC_PARAMS),
        (guide_public(KEY), CKA_EC_POINT),
        (guide_certificate(CERT), CKA_CERTIFICATE_TYPE),
        (guide_certificate(CERT), CKA_VALUE),
    ],
)
def test_templates_without_what_is_needed(app, session, template, kind):
    with raises(CKR_TEMPLATE_INCOMPLETE):
        app.C_CreateObject(session, without(template, kind))


def test_an_empty_template_is_incomplete(app, session):
    with raises(CKR_TEMPLATE_INCOMPLETE):
        app.C_CreateObject(session, [])


@pytest.mark.parametrize(
    "template, entry, code",
    [
        (guide_private(KEY), (CKA_VERIFY, True), CKR_ATTRIBUTE_TYPE_INVALID),
        (guide_private(KEY), (CKA_MODULUS, b"\x01"), CKR_ATTRIBUTE_TYPE_INVALID),
        (guide_private(KEY), (CKA_SIGN, False), CKR_TEMPLATE_INCONSISTENT),
        (guide_private(KEY), (CKA_PRIVATE, False), CKR_TEMPLATE_INCONSISTENT),
        (guide_private(KEY), (CKA_SENSITIVE, False), CKR_TEMPLATE_INCONSISTENT),
        (guide_private(KEY), (CKA_LABEL, b"another"), CKR_TEMPLATE_INCONSISTENT),
        (guide_private(KEY), (CKA_VALUE, bytes(32)), CKR_TEMPLATE_INCONSISTENT),
        (guide_private(KEY), (CKA_LOCAL, True), CKR_ATTRIBUTE_READ_ONLY),
        (guide_private(KEY), (0x12345, b""), CKR_ATTRIBUTE_TYPE_INVALID),
        (guide_private(KEY), (0x80000001, b""), CKR_ATTRIBUTE_TYPE_INVALID),
        (guide_public(KEY), (CKA_SIGN, True), CKR_ATTRIBUTE_TYPE_INVALID),
        (guide_public(KEY), (CKA_VALUE, b"x"), CKR_ATTRIBUTE_TYPE_INVALID),
        (guide_public(KEY), (CKA_TRUSTED, True), CKR_ATTRIBUTE_READ_ONLY),
        (guide_certificate(CERT), (CKA_KEY_TYPE, CKK_EC), CKR_ATTRIBUTE_TYPE_INVALID),
        (guide_certificate(CERT), (CKA_SENSITIVE, True), CKR_ATTRIBUTE_TYPE_INVALID),
        (guide_certificate(CERT), (CKA_TRUSTED, True), CKR_ATTRIBUTE_READ_ONLY),
        (guide_certificate(CERT), (CKA_CERTIFICATE_TYPE, 1), CKR_TEMPLATE_INCONSISTENT),
        (guide_certificate(CERT), (CKA_TOKEN, None), CKR_ATTRIBUTE_VALUE_INVALID),
        (guide_certificate(CERT), (CKA_CLASS, None), CKR_ATTRIBUTE_VALUE_INVALID),
        (guide_certificate(CERT), (CKA_ID, 5), CKR_ATTRIBUTE_VALUE_INVALID),
    ],
)
def test_templates_with_what_cannot_be(app, session, template, entry, code):
    used = p11crypto.slots_used()
    with raises(code):
        app.C_CreateObject(session, template + [entry])
    assert find(app, session) == [] and p11crypto.slots_used() == used


@pytest.mark.parametrize(
    "template",
    [
        changed(guide_certificate(CERT), CKA_CERTIFICATE_TYPE, 1),
        changed(guide_certificate(CERT), CKA_CLASS, 5),
        changed(guide_certificate(CERT), CKA_CLASS, 0x80000001),
        changed(guide_certificate(CERT), CKA_CLASS, -1),
        changed(guide_certificate(CERT), CKA_CLASS, b"\x01"),
        changed(guide_private(KEY), CKA_KEY_TYPE, 1),
        changed(guide_private(KEY), CKA_EC_PARAMS, b"\x13\x0aprime256v1"),
        changed(guide_private(KEY), CKA_VALUE, None),
        changed(guide_private(KEY), CKA_VALUE, 12345),
        changed(guide_public(KEY), CKA_EC_POINT, None),
    ],
)
def test_values_this_token_does_not_have(app, session, template):
    with raises(CKR_ATTRIBUTE_VALUE_INVALID):
        app.C_CreateObject(session, template)


def test_p384_keys_where_they_are_offered(app, session):
    from pkcs11.mechanisms import CURVES

    key = ec_key(ec.SECP384R1())
    public = changed(guide_public(KEY), CKA_EC_PARAMS, OID_P384)
    public = changed(public, CKA_EC_POINT, b"\x04\x61" + point(key))
    private = changed(guide_private(KEY), CKA_EC_PARAMS, OID_P384)
    private = changed(private, CKA_VALUE, scalar(key, 48))
    if 2 in CURVES:
        app.C_CreateObject(session, public)
        app.C_CreateObject(session, private)
    else:
        for template in (public, private):
            with raises(CKR_CURVE_NOT_SUPPORTED):
                app.C_CreateObject(session, template)
    with raises(CKR_ATTRIBUTE_VALUE_INVALID if 2 in CURVES else CKR_CURVE_NOT_SUPPORTED):
        app.C_CreateObject(session, changed(private, CKA_VALUE, scalar(key, 48)[:32]))


@pytest.mark.parametrize("template", [None, 5, b"x", {}, "x", [1], [()], [(None, 1)], [(-1, 1)]])
def test_templates_that_are_none(app, session, template):
    with raises(CKR_ARGUMENTS_BAD):
        app.C_CreateObject(session, template)


@pytest.mark.parametrize("good", [True, False])
def test_a_secret_given_in_a_buffer_is_wiped(app, session, good):
    secret = bytearray(scalar(KEY) if good else scalar(KEY) + b"\0")
    template = changed(guide_private(KEY), CKA_VALUE, secret)
    if good:
        app.C_CreateObject(session, template)
    else:
        with raises(CKR_ATTRIBUTE_VALUE_INVALID):
            app.C_CreateObject(session, template)
    assert not any(secret)


def test_a_secret_is_wiped_even_if_the_session_is_wrong(app):
    secret = bytearray(scalar(KEY))
    with raises(CKR_SESSION_HANDLE_INVALID):
        app.C_CreateObject(0, changed(guide_private(KEY), CKA_VALUE, memoryview(secret)))
    assert not any(secret)


def test_public_values_are_copied_not_kept_and_not_wiped(app, session):
    value = bytearray(CERT)
    handle = app.C_CreateObject(session, guide_certificate(memoryview(value))[:-1])
    value[0] = 0
    assert get(app, session, handle, CKA_VALUE) == CERT


def test_same_label_twice_makes_two_objects(app, session):
    one = app.C_CreateObject(session, guide_certificate(CERT))
    two = app.C_CreateObject(session, guide_certificate(CERT))
    assert sorted(find(app, session, (CKA_LABEL, CERT_LABEL))) == sorted((one, two))


def test_nothing_changes_when_the_store_fails(app, session, store):
    kept = app.C_CreateObject(session, guide_certificate(CERT))
    used = p11crypto.slots_used()
    store.fail_at = store.writes + 1
    for template in (guide_private(KEY), guide_public(KEY), guide_certificate(CERT)):
        with raises(CKR_DEVICE_ERROR):
            app.C_CreateObject(session, template)
    with raises(CKR_DEVICE_ERROR):
        app.C_DestroyObject(session, kept)
    with raises(CKR_DEVICE_ERROR):
        app.C_SetAttributeValue(session, kept, [(CKA_LABEL, b"x")])
    assert find(app, session) == [kept] and p11crypto.slots_used() == used
    assert get(app, session, kept, CKA_LABEL) == CERT_LABEL


# --- destroying --------------------------------------------------------------------------------


@pytest.mark.parametrize("handle", [0, 99, -1, 1 << 40, None, b"", True])
def test_destroying_what_is_not_there(app, session, handle):
    with raises(CKR_OBJECT_HANDLE_INVALID):
        app.C_DestroyObject(session, handle)


def test_a_destroyed_object_is_gone_for_good(app, session, store):
    handle = app.C_CreateObject(session, guide_private(KEY))
    app.C_DestroyObject(session, handle)
    with raises(CKR_OBJECT_HANDLE_INVALID):
        app.C_DestroyObject(session, handle)
    assert find(app, session) == []
    again = app.C_CreateObject(session, guide_private(KEY))
    assert again != handle
    with raises(CKR_OBJECT_HANDLE_INVALID):
        app.C_GetAttributeValue(session, handle, [CKA_CLASS])


def test_halves_of_a_pair_are_destroyed_one_by_one(app, session):
    public, private = generate(app, session)
    app.C_DestroyObject(session, private)
    assert find(app, session) == [public]


def test_an_object_that_must_not_be_destroyed(app, session):
    handle = app.C_CreateObject(session, guide_certificate(CERT) + [(CKA_DESTROYABLE, False)])
    with raises(CKR_ACTION_PROHIBITED):
        app.C_DestroyObject(session, handle)
    assert find(app, session) == [handle]
