# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Attributes that turn one way, and those that tell a key's history (§4.4, §4.9, §4.10)."""

import pytest
from token_kit import *

VALUE = bytes(range(16))
SECRET = [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE, VALUE)]
OPEN = [(CKA_SENSITIVE, False), (CKA_EXTRACTABLE, True)]
HISTORY = (CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE)
WAYS = ("set", "copy")

# attribute, the value that never comes back, the one that stays
ONE_WAY = [
    (CKA_SENSITIVE, False, True),
    (CKA_EXTRACTABLE, True, False),
    (CKA_WRAP_WITH_TRUSTED, False, True),
    (CKA_COPYABLE, True, False),
]
FREE = [CKA_SIGN, CKA_VERIFY, CKA_ENCRYPT, CKA_DECRYPT, CKA_DERIVE, CKA_WRAP, CKA_UNWRAP]
FREE += [CKA_DESTROYABLE]


def ids(value):
    return name_of("CKA_", value) if type(value) is int and value > 1 else str(value)


def change(app, session, way, handle, *entries):
    """Change an object or a copy of it; return the handle of what was changed."""
    if way == "copy":
        return app.C_CopyObject(session, handle, list(entries))
    app.C_SetAttributeValue(session, handle, list(entries))
    return handle


@pytest.mark.parametrize("token_object", [True, False])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind, before, after", ONE_WAY, ids=ids)
def test_it_turns_once_and_never_back(app, session, kind, before, after, way, token_object):
    template = [(CKA_TOKEN, token_object), *SECRET, *OPEN]
    template = [entry for entry in template if entry[0] != kind] + [(kind, before)]
    handle = app.C_CreateObject(session, template)
    handle = change(app, session, way, handle, (kind, before))
    assert get(app, session, handle, kind) is before
    handle = change(app, session, way, handle, (kind, after))
    assert get(app, session, handle, kind) is after
    copyable = not (kind == CKA_COPYABLE and way == "copy")
    with raises(CKR_ATTRIBUTE_READ_ONLY if copyable else CKR_ACTION_PROHIBITED):
        change(app, session, way, handle, (kind, before))
    assert get(app, session, handle, kind) is after
    if copyable:
        change(app, session, way, handle, (kind, after))


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", FREE, ids=ids)
def test_it_turns_both_ways(app, session, kind, way):
    handle = app.C_CreateObject(session, SECRET)
    for value in (True, False, True):
        handle = change(app, session, way, handle, (kind, value))
        assert get(app, session, handle, kind) is value


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", HISTORY, ids=ids)
def test_the_history_cannot_be_written(app, session, kind, way):
    handle = app.C_CreateObject(session, SECRET)
    for value in (True, False):
        with raises(CKR_ATTRIBUTE_READ_ONLY):
            change(app, session, way, handle, (kind, value))
        with raises(CKR_ATTRIBUTE_READ_ONLY):
            app.C_CreateObject(session, [*SECRET, (kind, value)])
        with raises(CKR_ATTRIBUTE_READ_ONLY):
            app.C_GenerateKey(session, CKM_AES_KEY_GEN, [(CKA_VALUE_LEN, 16), (kind, value)])


@pytest.mark.parametrize(
    "flags, wanted",
    [
        ([], [True, True, True]),
        (OPEN[:1], [True, False, True]),
        (OPEN[1:], [True, True, False]),
        (OPEN, [True, False, False]),
    ],
)
def test_a_generated_key_knows_how_it_was_born_for_ever(app, session, flags, wanted):
    template = [(CKA_VALUE_LEN, 16), (CKA_TOKEN, True), *flags]
    handle = app.C_GenerateKey(session, CKM_AES_KEY_GEN, template)
    assert get(app, session, handle, *HISTORY) == wanted
    closing = [(CKA_SENSITIVE, True), (CKA_EXTRACTABLE, False)]
    copy = app.C_CopyObject(session, handle, closing)
    app.C_SetAttributeValue(session, handle, closing)
    for each in (handle, copy):
        assert get(app, session, each, CKA_SENSITIVE, CKA_EXTRACTABLE) == [True, False]
        assert get(app, session, each, *HISTORY) == wanted


def test_an_imported_key_was_somewhere_else_before(app, session):
    for template in (SECRET, guide_private(ec_key())):
        handle = app.C_CreateObject(session, template)
        assert get(app, session, handle, *HISTORY) == [False, False, False]
        copy = app.C_CopyObject(session, handle, [])
        assert get(app, session, copy, *HISTORY) == [False, False, False]


def test_a_copy_tells_the_way_of_the_first_key(app, session):
    public, private = generate(app, session)
    assert get(app, session, public, CKA_LOCAL) is True
    copy = app.C_CopyObject(session, private, [(CKA_TOKEN, False)])
    assert get(app, session, copy, *HISTORY) == [True, True, True]
    assert get(app, session, copy, CKA_KEY_GEN_MECHANISM) == CKM_EC_KEY_PAIR_GEN


@pytest.mark.parametrize("token_object", [True, False])
def test_an_unmodifiable_object_keeps_everything(app, session, token_object):
    template = [*SECRET, (CKA_TOKEN, token_object), (CKA_MODIFIABLE, False), (CKA_LABEL, b"x")]
    handle = app.C_CreateObject(session, template)
    for entry in ((CKA_LABEL, b"y"), (CKA_SENSITIVE, True), (CKA_ID, b"1"), (CKA_SIGN, False)):
        with raises(CKR_ACTION_PROHIBITED):
            app.C_SetAttributeValue(session, handle, [entry])
    assert get(app, session, handle, CKA_LABEL) == b"x"
    copy = app.C_CopyObject(session, handle, [(CKA_MODIFIABLE, True)])
    app.C_SetAttributeValue(session, copy, [(CKA_LABEL, b"y")])


@pytest.mark.parametrize("token_object", [True, False])
def test_an_object_that_is_not_to_be_destroyed_stays(app, session, token_object):
    template = [*SECRET, (CKA_TOKEN, token_object), (CKA_DESTROYABLE, False)]
    handle = app.C_CreateObject(session, template)
    with raises(CKR_ACTION_PROHIBITED):
        app.C_DestroyObject(session, handle)
    app.C_SetAttributeValue(session, handle, [(CKA_DESTROYABLE, True)])
    app.C_DestroyObject(session, handle)


def test_token_and_private_change_by_copying_only(app, session):
    handle = app.C_CreateObject(session, [(CKA_CLASS, CKO_DATA)])
    for entry in ((CKA_TOKEN, True), (CKA_PRIVATE, True), (CKA_MODIFIABLE, False)):
        with raises(CKR_ATTRIBUTE_READ_ONLY):
            app.C_SetAttributeValue(session, handle, [entry])
    copy = app.C_CopyObject(session, handle, [(CKA_TOKEN, True), (CKA_PRIVATE, True)])
    assert get(app, session, copy, CKA_TOKEN, CKA_PRIVATE) == [True, True]
    with raises(CKR_TEMPLATE_INCONSISTENT):
        app.C_CopyObject(session, copy, [(CKA_PRIVATE, False)])


def test_a_key_keeps_asking_for_the_pin_also_as_a_copy(app, session):
    public, private = guide_pair()
    _, key = generate(app, session, public, private + [(CKA_ALWAYS_AUTHENTICATE, True)])
    with raises(CKR_ATTRIBUTE_READ_ONLY):
        app.C_SetAttributeValue(session, key, [(CKA_ALWAYS_AUTHENTICATE, False)])
    with raises(CKR_ATTRIBUTE_READ_ONLY):
        app.C_CopyObject(session, key, [(CKA_ALWAYS_AUTHENTICATE, False)])
    copy = app.C_CopyObject(session, key, [])
    app.C_SignInit(session, CKM_ECDSA, copy)
    with raises(CKR_USER_NOT_LOGGED_IN):
        app.C_Sign(session, DIGEST)
