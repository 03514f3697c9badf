# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Copying, changing and measuring objects, session objects, limits, the attribute table."""

import p11crypto
import pytest
from token_kit import *

from pkcs11 import attributes
from pkcs11 import const as numbers
from pkcs11.settings import SESSION_OBJECTS

KEY = ec_key()
CERT = certificate(KEY)


@pytest.fixture
def cert(app, session):
    return app.C_CreateObject(session, guide_certificate(CERT))


@pytest.fixture
def private(app, session):
    return app.C_CreateObject(session, guide_private(KEY))


def signs(app, session, handle):
    app.C_SignInit(session, CKM_ECDSA, handle)
    return verifies(KEY.public_key(), DIGEST, app.C_Sign(session, DIGEST))


# --- the table ---------------------------------------------------------------------------------


def test_the_attribute_table_has_the_numbers_of_the_standard():
    for row in attributes.TABLE:
        assert getattr(numbers, row[attributes.NAME]) == row[attributes.TYPE]
    assert len(attributes.BY_TYPE) == len(attributes.TABLE)


def test_codes_of_the_table_are_unique_and_fit_their_fields():
    bits = [row[3] for row in attributes.TABLE if row[2] == attributes.BOOL]
    stored = (attributes.ULONG, attributes.BYTES, attributes.DATE)
    tags = [row[3] for row in attributes.TABLE if row[2] in stored]
    assert sorted(bits) == list(range(22))
    assert sorted(tags) == list(range(1, 18))


def test_the_flag_masks_of_the_code_are_those_of_the_table():
    for name in (
        "TOKEN PRIVATE MODIFIABLE COPYABLE DESTROYABLE SENSITIVE EXTRACTABLE ALWAYS_SENSITIVE"
        " NEVER_EXTRACTABLE LOCAL ENCRYPT DECRYPT SIGN VERIFY DERIVE ALWAYS_AUTHENTICATE"
    ).split():
        row = attributes.BY_TYPE[getattr(numbers, "CKA_" + name)]
        assert getattr(attributes, name) == 1 << row[attributes.CODE]


@pytest.mark.parametrize(
    "number, size",
    [(b"", 0), (b"\0", 0), (b"\0\0", 0), (b"\1", 1), (b"\0\x80", 8), (b"\1\0", 9)]
    + [(b"\xff" * 256, 2048), (b"\x7f" + b"\xff" * 255, 2047)],
)
def test_the_bits_of_a_modulus(number, size):
    from pkcs11.reading import bits

    assert bits(number) == size


# --- SetAttributeValue -------------------------------------------------------------------------


def test_attributes_change_in_flash_and_the_object_stays_usable(app, session, private, cert):
    change = [(CKA_LABEL, b"renamed"), (CKA_ID, b"\x01"), (CKA_START_DATE, b"20240101")]
    for handle in (private, cert):
        app.C_SetAttributeValue(session, handle, change)
        assert get(app, session, handle, CKA_LABEL, CKA_ID) == [b"renamed", b"\x01"]
    assert sorted(find(app, session, (CKA_LABEL, b"renamed"))) == sorted((private, cert))
    assert find(app, session, (CKA_LABEL, PRIVATE_LABEL)) == []
    assert signs(app, session, private) and get(app, session, cert, CKA_VALUE) == CERT


def test_an_attribute_can_be_emptied(app, session, cert):
    app.C_SetAttributeValue(session, cert, [(CKA_ID, b""), (CKA_LABEL, b"")])
    assert get(app, session, cert, CKA_ID, CKA_LABEL) == [b"", b""]


def test_session_objects_change_as_well(app, session):
    handle = app.C_CreateObject(session, guide_certificate(CERT)[:-1])
    app.C_SetAttributeValue(session, handle, [(CKA_LABEL, b"x")])
    assert get(app, session, handle, CKA_LABEL, CKA_VALUE) == [b"x", CERT]


@pytest.mark.parametrize(
    "entry, code",
    [
        ((CKA_CLASS, CKO_DATA), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_KEY_TYPE, CKK_EC), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_TOKEN, False), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_PRIVATE, True), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_VALUE, bytes(32)), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_EC_PARAMS, OID_P256), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_EC_POINT, b""), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_MODIFIABLE, False), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_LOCAL, True), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_ALWAYS_AUTHENTICATE, True), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_SENSITIVE, False), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_EXTRACTABLE, True), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_VERIFY, True), CKR_ATTRIBUTE_TYPE_INVALID),
        ((0x7777, b""), CKR_ATTRIBUTE_TYPE_INVALID),
        ((CKA_LABEL, None), CKR_ATTRIBUTE_VALUE_INVALID),
        ((CKA_LABEL, bytes(256)), CKR_ATTRIBUTE_VALUE_INVALID),
        ((CKA_SIGN, 1), CKR_ATTRIBUTE_VALUE_INVALID),
    ],
)
def test_what_cannot_be_changed_and_then_nothing_is(app, session, private, entry, code):
    with raises(code):
        app.C_SetAttributeValue(session, private, [(CKA_LABEL, b"x"), entry])
    assert get(app, session, private, CKA_LABEL) == PRIVATE_LABEL


def test_flags_that_turn_one_way(app, session):
    handle = app.C_CreateObject(session, guide_private(KEY) + [(CKA_EXTRACTABLE, True)])
    assert get(app, session, handle, CKA_EXTRACTABLE, CKA_NEVER_EXTRACTABLE) == [True, False]
    app.C_SetAttributeValue(session, handle, [(CKA_EXTRACTABLE, False), (CKA_SENSITIVE, True)])
    with raises(CKR_ATTRIBUTE_READ_ONLY):
        app.C_SetAttributeValue(session, handle, [(CKA_EXTRACTABLE, True)])
    app.C_SetAttributeValue(session, handle, [(CKA_COPYABLE, False)])
    with raises(CKR_ATTRIBUTE_READ_ONLY):
        app.C_SetAttributeValue(session, handle, [(CKA_COPYABLE, True)])
    with raises(CKR_ACTION_PROHIBITED):
        app.C_CopyObject(session, handle, [])
    app.C_SetAttributeValue(session, handle, [(CKA_SIGN, False)])
    with raises(CKR_KEY_FUNCTION_NOT_PERMITTED):
        app.C_SignInit(session, CKM_ECDSA, handle)
    app.C_SetAttributeValue(session, handle, [(CKA_SIGN, True)])
    assert signs(app, session, handle)


def test_an_extractable_private_key_is_still_not_readable(app, session):
    handle = app.C_CreateObject(session, guide_private(KEY) + [(CKA_EXTRACTABLE, True)])
    with raises(CKR_ATTRIBUTE_SENSITIVE):
        get(app, session, handle, CKA_VALUE)


def test_an_object_that_must_not_be_modified(app, session):
    handle = app.C_CreateObject(session, guide_certificate(CERT) + [(CKA_MODIFIABLE, False)])
    with raises(CKR_ACTION_PROHIBITED):
        app.C_SetAttributeValue(session, handle, [(CKA_LABEL, b"x")])
    app.C_DestroyObject(session, handle)


@pytest.mark.parametrize("template", [None, [], 5, b"", [1], [(CKA_LABEL,)]])
def test_changes_that_are_none(app, session, cert, template):
    with raises(CKR_ARGUMENTS_BAD):
        app.C_SetAttributeValue(session, cert, template)


@pytest.mark.parametrize("handle", [0, 999, None, b"", -1])
def test_objects_that_are_not_there(app, session, handle):
    with raises(CKR_OBJECT_HANDLE_INVALID):
        app.C_SetAttributeValue(session, handle, [(CKA_LABEL, b"x")])
    with raises(CKR_OBJECT_HANDLE_INVALID):
        app.C_CopyObject(session, handle, [])
    with raises(CKR_OBJECT_HANDLE_INVALID):
        app.C_GetObjectSize(session, handle)


# --- CopyObject --------------------------------------------------------------------------------


@pytest.mark.parametrize("source", [True, False])
@pytest.mark.parametrize("target", [True, False])
def test_keys_and_certificates_can_be_copied(app, session, source, target):
    for template in (guide_private(KEY), guide_public(KEY), guide_certificate(CERT)):
        template = [entry for entry in template if entry[0] != CKA_TOKEN]
        handle = app.C_CreateObject(session, template + [(CKA_TOKEN, source)])
        used = p11crypto.slots_used()
        change = [(CKA_TOKEN, target), (CKA_LABEL, b"copy")]
        copy = app.C_CopyObject(session, handle, change)
        assert copy != handle
        assert get(app, session, copy, CKA_TOKEN, CKA_LABEL) == [target, b"copy"]
        app.C_DestroyObject(session, handle)
        object_class = get(app, session, copy, CKA_CLASS)
        if object_class == CKO_PRIVATE_KEY:
            assert signs(app, session, copy)
            with raises(CKR_ATTRIBUTE_SENSITIVE):
                get(app, session, copy, CKA_VALUE)
            assert p11crypto.slots_used() == used - (not source) + (not target)
        elif object_class == CKO_CERTIFICATE:
            assert get(app, session, copy, CKA_VALUE) == CERT
        else:
            app.C_VerifyInit(session, CKM_ECDSA, copy)
            app.C_Verify(session, DIGEST, sign(KEY, DIGEST))


@pytest.mark.parametrize(
    "entry, code",
    [
        ((CKA_PRIVATE, False), CKR_TEMPLATE_INCONSISTENT),
        ((CKA_SENSITIVE, False), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_EXTRACTABLE, True), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_CLASS, CKO_PRIVATE_KEY), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_VALUE, bytes(32)), CKR_ATTRIBUTE_READ_ONLY),
        ((CKA_VERIFY, True), CKR_ATTRIBUTE_TYPE_INVALID),
    ],
)
def test_a_copy_is_not_weaker(app, session, private, entry, code):
    used = p11crypto.slots_used()
    with raises(code):
        app.C_CopyObject(session, private, [entry])
    assert p11crypto.slots_used() == used and find(app, session) == [private]


def test_a_copy_can_become_private_but_not_public_again(app, session, cert):
    copy = app.C_CopyObject(session, cert, [(CKA_PRIVATE, True)])
    with raises(CKR_TEMPLATE_INCONSISTENT):
        app.C_CopyObject(session, copy, [(CKA_PRIVATE, False)])
    app.C_Logout(session)
    assert find(app, session) == [cert]


def test_copying_needs_the_rights_of_creating(app, session, cert):
    reader = app.C_OpenSession(1, RO)
    with raises(CKR_SESSION_READ_ONLY):
        app.C_CopyObject(reader, cert, [])
    app.C_CopyObject(reader, cert, [(CKA_TOKEN, False)])
    app.C_Logout(session)
    with raises(CKR_USER_NOT_LOGGED_IN):
        app.C_CopyObject(session, cert, [])


# --- size and limits ---------------------------------------------------------------------------


def test_sizes(app, session, cert, private):
    assert len(CERT) < app.C_GetObjectSize(session, cert) < len(CERT) + 100
    assert 100 < app.C_GetObjectSize(session, private) < 300
    copy = app.C_CopyObject(session, cert, [(CKA_TOKEN, False)])
    assert app.C_GetObjectSize(session, copy) == app.C_GetObjectSize(session, cert) - 16


def test_session_objects_are_limited(app, session):
    template = [(CKA_CLASS, CKO_DATA)]
    handles = [app.C_CreateObject(session, template) for _ in range(SESSION_OBJECTS)]
    with raises(CKR_DEVICE_MEMORY):
        app.C_CreateObject(session, template)
    used = p11crypto.slots_used()
    public, private = guide_pair()
    with raises(CKR_DEVICE_MEMORY):
        generate(app, session, public + [(CKA_TOKEN, False)], private)
    assert p11crypto.slots_used() == used and len(find(app, session)) == SESSION_OBJECTS
    app.C_DestroyObject(session, handles[0])
    app.C_CreateObject(session, template)


def test_many_objects(app, session, make_token):
    for number in range(120):
        app.C_CreateObject(
            session, [(CKA_CLASS, CKO_DATA), (CKA_TOKEN, True), (CKA_LABEL, b"%d" % number)]
        )
    handles = find(app, session)
    assert len(set(handles)) == 120
    for number in (0, 60, 119):
        (handle,) = find(app, session, (CKA_LABEL, b"%d" % number))
        assert handle in handles and get(app, session, handle, CKA_LABEL) == b"%d" % number
    for handle in handles:
        app.C_DestroyObject(session, handle)
    assert find(app, session) == []


# --- values that are sealed or need C functions this build may lack ------------------------------


def test_private_data_is_sealed(app, session, store):
    template = [
        (CKA_CLASS, CKO_DATA),
        (CKA_TOKEN, True),
        (CKA_PRIVATE, True),
        (CKA_LABEL, b"secret note"),
        (CKA_VALUE, b"the combination is 1-2-3" * 20),
    ]
    if not hasattr(p11crypto, "seal_bytes"):
        with raises(CKR_TEMPLATE_INCONSISTENT):
            app.C_CreateObject(session, template)
        return
    handle = app.C_CreateObject(session, template)
    assert b"combination" not in store.dump()
    assert get(app, session, handle, CKA_VALUE) == b"the combination is 1-2-3" * 20
    app.C_SetAttributeValue(session, handle, [(CKA_LABEL, b"note")])
    assert get(app, session, handle, CKA_VALUE) == b"the combination is 1-2-3" * 20
    app.C_Logout(session)
    assert find(app, session) == []


SECRET = [
    (CKA_CLASS, CKO_SECRET_KEY),
    (CKA_KEY_TYPE, CKK_GENERIC_SECRET),
    (CKA_TOKEN, True),
    (CKA_LABEL, b"secret"),
    (CKA_VALUE, bytes(range(32))),
]


def test_secret_keys(app, session, store):
    if not hasattr(p11crypto, "secret_import"):
        with raises(CKR_ATTRIBUTE_VALUE_INVALID):
            app.C_CreateObject(session, SECRET)
        return
    handle = app.C_CreateObject(session, SECRET)
    assert bytes(range(32)) not in store.dump()
    assert get(app, session, handle, CKA_VALUE_LEN, CKA_SENSITIVE) == [32, True]
    with raises(CKR_ATTRIBUTE_SENSITIVE):
        get(app, session, handle, CKA_VALUE)
    open_key = app.C_CreateObject(
        session, SECRET + [(CKA_SENSITIVE, False), (CKA_EXTRACTABLE, True)]
    )
    assert get(app, session, open_key, CKA_VALUE) == bytes(range(32))
    app.C_SetAttributeValue(session, open_key, [(CKA_SENSITIVE, True)])
    with raises(CKR_ATTRIBUTE_SENSITIVE):
        get(app, session, open_key, CKA_VALUE)
    with raises(CKR_TEMPLATE_INCONSISTENT):
        app.C_CreateObject(session, SECRET + [(CKA_PRIVATE, False)])


def test_calls_whose_mechanism_is_not_offered(app, session, private):
    offered = app.C_GetMechanismList(1)
    if CKM_AES_KEY_GEN not in offered:
        with raises(CKR_MECHANISM_INVALID):
            app.C_GenerateKey(session, CKM_AES_KEY_GEN, [(CKA_VALUE_LEN, 16)])
    if CKM_ECDH1_DERIVE not in offered:
        with raises(CKR_MECHANISM_INVALID):
            app.C_DeriveKey(session, (CKM_ECDH1_DERIVE, (CKD_NULL, None, b"")), private, [])
    for mechanism in (None, b""):
        with raises(CKR_ARGUMENTS_BAD):
            app.C_GenerateKey(session, mechanism, [])
        with raises(CKR_ARGUMENTS_BAD):
            app.C_DeriveKey(session, mechanism, private, [])
    with raises(CKR_ARGUMENTS_BAD):
        app.C_GenerateKey(session, CKM_AES_KEY_GEN, None)
    with raises(CKR_KEY_HANDLE_INVALID):
        app.C_DeriveKey(session, CKM_ECDH1_DERIVE, 0, [])
