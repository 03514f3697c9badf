# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Searching and reading attributes (facts 1.10; the guide's FindObject, GetAttributeValue)."""

import pytest
from token_kit import *

from pkcs11 import attributes

KEY = ec_key()
CERT = certificate(KEY)


@pytest.fixture
def objects(app, session):
    """One object of each kind: {name: handle}."""
    public, private = generate(app, session)
    return {
        "public": public,
        "private": private,
        "certificate": app.C_CreateObject(session, guide_certificate(CERT)),
        "data": app.C_CreateObject(
            session,
            [(CKA_CLASS, CKO_DATA), (CKA_TOKEN, True), (CKA_LABEL, b"d"), (CKA_VALUE, b"xyz")],
        ),
        "session": app.C_CreateObject(
            session, [(CKA_CLASS, CKO_DATA), (CKA_LABEL, b"s"), (CKA_VALUE, b"xyz")]
        ),
    }


def test_find_all(app, session, objects):
    everything = sorted(objects.values())
    assert sorted(find(app, session)) == everything
    app.C_FindObjectsInit(session, None)
    assert sorted(app.C_FindObjects(session, 99)) == everything
    assert app.C_FindObjects(session, 99) == []
    app.C_FindObjectsFinal(session)
    app.C_FindObjectsInit(session)
    app.C_FindObjectsFinal(session)


@pytest.mark.parametrize(
    "template, names",
    [
        ([(CKA_LABEL, PRIVATE_LABEL)], "private"),
        ([(CKA_LABEL, PRIVATE_LABEL), (CKA_CLASS, CKO_PRIVATE_KEY)], "private"),
        ([(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_LABEL, PRIVATE_LABEL)], "private"),
        ([(CKA_LABEL, PRIVATE_LABEL), (CKA_CLASS, CKO_CERTIFICATE)], ""),
        ([(CKA_LABEL, b"Device P")], ""),
        ([(CKA_LABEL, b"")], ""),
        ([(CKA_LABEL, PRIVATE_LABEL + b"\0")], ""),
        ([(CKA_LABEL, b"This label doesn't exist")], ""),
        ([(CKA_LABEL, bytes(255))], ""),
        ([(CKA_CLASS, CKO_DATA)], "data session"),
        ([(CKA_CLASS, CKO_SECRET_KEY)], ""),
        ([(CKA_CLASS, 9)], ""),
        ([(CKA_CLASS, 0xCE534351)], ""),
        ([(CKA_TOKEN, True), (CKA_CLASS, CKO_DATA)], "data"),
        ([(CKA_TOKEN, False)], "session"),
        ([(CKA_PRIVATE, True)], "private"),
        ([(CKA_SIGN, True)], "private"),
        ([(CKA_SIGN, False)], ""),
        ([(CKA_VERIFY, True)], "public"),
        ([(CKA_KEY_TYPE, CKK_EC)], "public private"),
        ([(CKA_KEY_TYPE, CKK_RSA)], ""),
        ([(CKA_KEY_TYPE, 0xFF)], ""),
        ([(CKA_EC_PARAMS, OID_P256)], "public private"),
        ([(CKA_VALUE, b"xyz")], "data session"),
        ([(CKA_VALUE, CERT)], "certificate"),
        ([(CKA_SUBJECT, b"TestSubject")], "certificate"),
        ([(CKA_SERIAL_NUMBER, b"\x02\x04\x01\x23\x45\x67")], "certificate"),
        ([(CKA_CERTIFICATE_TYPE, CKC_X_509)], "certificate"),
        ([(CKA_CERTIFICATE_TYPE, 1)], ""),
        ([(CKA_LOCAL, True)], "public private"),
        ([(CKA_LOCAL, True), (CKA_LOCAL, False)], ""),
        ([(CKA_CLASS, CKO_DATA), (CKA_CLASS, CKO_CERTIFICATE)], ""),
        ([(CKA_KEY_TYPE, CKK_EC), (CKA_KEY_TYPE, CKK_RSA)], ""),
        ([(CKA_LABEL, b"d"), (CKA_LABEL, b"s")], ""),
        ([(CKA_LABEL, b"d"), (CKA_LABEL, b"d")], "data"),
        ([(0x7777, b"")], ""),
        ([(0xCE534351, b"x"), (CKA_LABEL, b"d")], ""),
    ],
)
def test_find_by_any_attribute(app, session, objects, template, names):
    assert sorted(find(app, session, *template)) == sorted(objects[n] for n in names.split())


def test_find_by_id_finds_the_pair(app, session, objects):
    key_id = get(app, session, objects["private"], CKA_ID)
    found = find(app, session, (CKA_ID, key_id))
    assert sorted(found) == sorted((objects["public"], objects["private"]))


def test_a_secret_cannot_be_guessed_by_searching(app, session):
    app.C_CreateObject(session, guide_private(KEY))
    assert find(app, session, (CKA_VALUE, scalar(KEY))) == []


def test_find_gives_the_same_handles_again(app, session, objects):
    assert sorted(find(app, session)) == sorted(find(app, session)) == sorted(objects.values())


@pytest.mark.parametrize(
    "template, code",
    [
        (5, CKR_ARGUMENTS_BAD),
        (b"x", CKR_ARGUMENTS_BAD),
        ([1], CKR_ARGUMENTS_BAD),
        ([(CKA_LABEL,)], CKR_ARGUMENTS_BAD),
        ([(CKA_LABEL, None)], CKR_ATTRIBUTE_VALUE_INVALID),
        ([(CKA_LABEL, bytes(256))], CKR_ATTRIBUTE_VALUE_INVALID),
        ([(CKA_CLASS, b"\x01")], CKR_ATTRIBUTE_VALUE_INVALID),
        ([(CKA_TOKEN, 1)], CKR_ATTRIBUTE_VALUE_INVALID),
    ],
)
def test_search_templates_that_make_no_sense(app, session, template, code):
    with raises(code):
        app.C_FindObjectsInit(session, template)
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_FindObjectsFinal(session)


def test_search_state(app, session, objects):
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_FindObjects(session, 1)
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_FindObjectsFinal(session)
    app.C_FindObjectsInit(session, [])
    with raises(CKR_OPERATION_ACTIVE):
        app.C_FindObjectsInit(session, [])
    seen = []
    for _ in objects:
        seen.extend(app.C_FindObjects(session, 1))
    assert app.C_FindObjects(session, 1) == [] == app.C_FindObjects(session, 1)
    assert sorted(seen) == sorted(objects.values())
    app.C_FindObjectsFinal(session)


@pytest.mark.parametrize("maximum", [0, -1, None, b"", "1", 1.0, True])
def test_a_bad_maximum_ends_the_search(app, session, objects, maximum):
    app.C_FindObjectsInit(session, [])
    with raises(CKR_ARGUMENTS_BAD):
        app.C_FindObjects(session, maximum)
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_FindObjects(session, 1)


def test_objects_destroyed_during_a_search_are_not_found(app, session, objects):
    app.C_FindObjectsInit(session, [(CKA_CLASS, CKO_DATA)])
    app.C_DestroyObject(session, objects["data"])
    app.C_DestroyObject(session, objects["session"])
    assert app.C_FindObjects(session, 9) == []


def test_searches_in_two_sessions_are_independent(app, session, objects):
    second = app.C_OpenSession(1, RO)
    app.C_FindObjectsInit(session, [])
    app.C_FindObjectsInit(second, [(CKA_CLASS, CKO_DATA)])
    app.C_FindObjectsFinal(session)
    assert len(app.C_FindObjects(second, 9)) == 2


# --- attributes --------------------------------------------------------------------------------


def test_every_attribute_of_every_object_can_be_asked_for(app, session, objects):
    for handle in objects.values():
        object_class, key_type = CKO_DATA, None
        object_class = get(app, session, handle, CKA_CLASS)
        if object_class > CKO_CERTIFICATE:
            key_type = get(app, session, handle, CKA_KEY_TYPE)
        shape = attributes.shape_of(object_class, key_type)
        for row in attributes.TABLE:
            exists = row[attributes.SHAPES] >> shape & 1
            try:
                value = get(app, session, handle, row[attributes.TYPE])
            except P11Error as error:
                assert error.values == [None]
                if exists:
                    assert error.ckr == CKR_ATTRIBUTE_SENSITIVE
                    assert row[attributes.TYPE] == CKA_VALUE and shape == attributes.EC_PRIVATE
                else:
                    assert error.ckr == CKR_ATTRIBUTE_TYPE_INVALID
            else:
                assert exists
                kind = row[attributes.KIND]
                if kind == attributes.BOOL:
                    assert value is True or value is False
                elif kind == attributes.ULONG:
                    assert type(value) is int
                elif kind in (attributes.BYTES, attributes.DATE, attributes.VALUE):
                    assert type(value) is bytes


def test_the_others_are_given_when_one_is_refused(app, session, objects):
    asked = [CKA_CLASS, CKA_VALUE, 0x7777, CKA_LABEL, CKA_MODULUS]
    with pytest.raises(P11Error) as error:
        app.C_GetAttributeValue(session, objects["private"], asked)
    assert error.value.ckr == CKR_ATTRIBUTE_SENSITIVE
    assert error.value.values == [CKO_PRIVATE_KEY, None, None, PRIVATE_LABEL, None]
    with pytest.raises(P11Error) as error:
        app.C_GetAttributeValue(session, objects["public"], [CKA_VALUE, CKA_CLASS])
    assert error.value.ckr == CKR_ATTRIBUTE_TYPE_INVALID
    assert error.value.values == [None, CKO_PUBLIC_KEY]


def test_room_for_values(app, session, objects):
    handle = objects["certificate"]
    asked = [(CKA_VALUE, len(CERT)), (CKA_CLASS, 8), (CKA_TOKEN, 1), (CKA_LABEL, 11)]
    assert app.C_GetAttributeValue(session, handle, asked) == [
        CERT,
        CKO_CERTIFICATE,
        True,
        CERT_LABEL,
    ]
    for kind, needed in ((CKA_VALUE, len(CERT)), (CKA_CLASS, 4), (CKA_TOKEN, 1), (CKA_LABEL, 11)):
        for room in (0, needed - 1):
            with pytest.raises(P11Error) as error:
                app.C_GetAttributeValue(session, handle, [CKA_TOKEN, (kind, room), CKA_ID])
            assert error.value.ckr == CKR_BUFFER_TOO_SMALL and error.value.length == needed
            assert error.value.values[0] is True and error.value.values[1] is None
            assert len(error.value.values[2]) == 20


@pytest.mark.parametrize(
    "template", [None, [], 5, b"x", "x", [None], [(CKA_CLASS,)], [(CKA_CLASS, b"")], [("a", 1)]]
)
def test_attribute_lists_that_are_none(app, session, objects, template):
    with raises(CKR_ARGUMENTS_BAD):
        app.C_GetAttributeValue(session, objects["data"], template)


@pytest.mark.parametrize("handle", [0, 99999, -1, None, b"", "1", 1.0])
def test_attributes_of_nothing(app, session, handle):
    with raises(CKR_OBJECT_HANDLE_INVALID):
        app.C_GetAttributeValue(session, handle, [CKA_CLASS])


def test_arguments_are_looked_at_before_the_object(app, session):
    with raises(CKR_ARGUMENTS_BAD):
        app.C_GetAttributeValue(session, 0, None)


def test_unknown_numbers_are_no_attributes(app, session, objects):
    for number in (0x7777, -1, 1 << 40, 0x40000211, 0x80000000):
        with raises(CKR_ATTRIBUTE_TYPE_INVALID):
            get(app, session, objects["data"], number)


NAMED = (CKA_VALUE, CKA_SERIAL_NUMBER, CKA_ISSUER, CKA_SUBJECT, CKA_PUBLIC_KEY_INFO)


def test_what_only_flash_holds_is_found_with_few_reads_of_flash(
    app, session, make_token, monkeypatch
):
    """Objects just made, loaded after a reset, and changed: the same answers."""
    others = [certificate(ec_key(), "host %d" % number) for number in range(12)]
    for number, value in enumerate(others):
        app.C_CreateObject(session, without_subject(guide_certificate(value, b"%d" % number)))
    for number in range(12):
        template = [(CKA_CLASS, CKO_DATA), (CKA_TOKEN, True), (CKA_VALUE, b"value %06d" % number)]
        app.C_CreateObject(session, template)
    named = app.C_CreateObject(session, guide_certificate(CERT))  # with a subject of its own

    def look(app, session, handle):
        find(app, session)  # loads what is new, and after a login checks it
        reads = []
        pal = app.token.pal
        read = pal.read
        monkeypatch.setattr(pal, "read", lambda number: reads.append(number) or read(number))
        for kind in NAMED:
            wanted = get(app, session, handle, kind)
            del reads[:]
            found = find(app, session, (kind, wanted))
            assert handle in found
            assert len(found) <= len(reads) <= len(found) + 6, name_of("CKA_", kind)
            del reads[:]
            assert find(app, session, (kind, wanted[:-1] + b"\xa5")) == []
            assert len(reads) <= 6, name_of("CKA_", kind)
        found = find(app, session, (CKA_VALUE, b"value 000007"))
        assert [get(app, session, one, CKA_VALUE) for one in found] == [b"value 000007"]
        assert find(app, session, (CKA_SUBJECT, b"TestSubject")) == [named]

    assert get(app, session, named, CKA_SUBJECT) == b"TestSubject"
    first = find(app, session, (CKA_LABEL, b"3"))[0]
    look(app, session, first)
    app.C_SetAttributeValue(session, first, [(CKA_ID, b"another")])
    look(app, session, first)
    app.C_Finalize()
    app = type(app)(make_token())
    app.C_Initialize()
    for session in (app.C_OpenSession(1, RW), log_in(app)):  # before and after the login
        named = find(app, session, (CKA_LABEL, CERT_LABEL))[0]
        look(app, session, find(app, session, (CKA_LABEL, b"3"))[0])


def without_subject(template):
    return [entry for entry in template if entry[0] != CKA_SUBJECT]
