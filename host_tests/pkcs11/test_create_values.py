# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""C_CreateObject: values of keys, points and certificates, good and bad."""

import p11crypto
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from token_kit import *

from pkcs11.der import OID_P384

KEY = ec_key()
CERT = certificate(KEY)
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


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
