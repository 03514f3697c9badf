# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""C_CreateObject: the templates of the guide, labels, what is wiped (facts 1.9, 3.6)."""

import hashlib

import p11crypto
import pytest
from token_kit import *

KEY = ec_key()
CERT = certificate(KEY)


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
