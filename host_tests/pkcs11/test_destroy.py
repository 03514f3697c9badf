# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""C_DestroyObject."""

import pytest
from token_kit import *

KEY = ec_key()
CERT = certificate(KEY)


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


def test_several_token_objects_go_together_or_not_at_all(app, session, store):
    handles = [app.C_CreateObject(session, guide_certificate(CERT)) for _ in range(3)]
    kept = app.C_CreateObject(session, guide_public(KEY))
    for wrong in (0, kept + 99):
        with raises(CKR_OBJECT_HANDLE_INVALID):
            app.C_DestroyObject(session, *handles, wrong)
    store.fail_at = store.writes + 1
    with raises(CKR_DEVICE_ERROR):
        app.C_DestroyObject(session, *handles)
    store.fail_at = None
    assert len(find(app, session)) == 4
    writes = store.writes
    app.C_DestroyObject(session, *handles)
    assert find(app, session) == [kept] and store.writes == writes + 1
    for handle in handles:
        with raises(CKR_OBJECT_HANDLE_INVALID):
            app.C_GetAttributeValue(session, handle, [CKA_CLASS])
