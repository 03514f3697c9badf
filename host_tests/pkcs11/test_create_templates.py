# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""C_CreateObject: templates that are incomplete, contradictory or none (§4.1.1)."""

import p11crypto
import pytest
from token_kit import *

KEY = ec_key()
CERT = certificate(KEY)


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


@pytest.mark.parametrize("template", [None, 5, b"x", {}, "x", [1], [()], [(None, 1)], [(-1, 1)]])
def test_templates_that_are_none(app, session, template):
    with raises(CKR_ARGUMENTS_BAD):
        app.C_CreateObject(session, template)
