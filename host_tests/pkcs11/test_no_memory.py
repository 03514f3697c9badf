# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""When memory, slots or the store give out in the middle of a call: a code, and nothing is lost."""

import p11crypto
import pytest
from token_kit import *

from pkcs11.application import Application

KEY = ec_key()
AES = [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE, bytes(16))]
HMAC = [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_GENERIC_SECRET), (CKA_VALUE, bytes(32))]
TOO_LONG = [(CKA_ID, bytes(0x4000))]
ECDH = (CKM_ECDH1_DERIVE, (CKD_NULL, None, point(KEY)))


@pytest.fixture
def slots():
    """Assert at the end that no slot is taken that was free at the start."""
    yield
    assert p11crypto.slots_used() == 0


@pytest.fixture
def keeps(app, session):
    """Assert that a block takes no slot and makes no object."""

    def check():
        return len(find(app, session)), p11crypto.slots_used()

    return check


@pytest.mark.parametrize(
    "part, template, start",
    [
        ("Hmac", HMAC, lambda app, s, k: app.C_SignInit(s, CKM_SHA256_HMAC, k)),
        ("Cmac", AES, lambda app, s, k: app.C_VerifyInit(s, CKM_AES_CMAC, k)),
        ("Aes", AES, lambda app, s, k: app.C_EncryptInit(s, CKM_AES_ECB, k)),
        ("Hash", None, lambda app, s, k: app.C_DigestInit(s, CKM_SHA256)),
        ("Hash", None, lambda app, s, k: app.C_SignInit(s, CKM_ECDSA_SHA256, k)),
    ],
    ids=["hmac", "cmac", "aes", "hash", "hashed ecdsa"],
)
@pytest.mark.parametrize("token_object", [True, False])
def test_an_operation_for_which_there_is_no_memory_holds_no_key(
    app, session, keeps, monkeypatch, part, template, start, token_object
):
    template = (template or guide_private(KEY)[:3] + guide_private(KEY)[4:]) + [
        (CKA_TOKEN, token_object)
    ]
    key = app.C_CreateObject(session, template)
    before = keeps()

    def none(*args):
        raise MemoryError

    monkeypatch.setattr(p11crypto, part, none)
    with raises(CKR_HOST_MEMORY):
        start(app, session, key)
    monkeypatch.undo()
    assert keeps() == before
    with raises(CKR_OPERATION_NOT_INITIALIZED):
        app.C_DigestFinal(session)
    start(app, session, key)


@pytest.mark.parametrize(
    "make",
    [
        lambda app, s, key: app.C_CreateObject(s, AES + TOO_LONG),
        lambda app, s, key: app.C_CreateObject(s, guide_private(KEY) + TOO_LONG),
        lambda app, s, key: app.C_CreateObject(s, guide_public(KEY) + TOO_LONG),
        lambda app, s, key: app.C_GenerateKey(
            s, CKM_AES_KEY_GEN, [(CKA_VALUE_LEN, 16)] + TOO_LONG
        ),
        lambda app, s, key: app.C_DeriveKey(s, ECDH, key, TOO_LONG),
        lambda app, s, key: generate(app, s, guide_pair()[0] + TOO_LONG),
        lambda app, s, key: generate(app, s, None, guide_pair()[1] + TOO_LONG),
    ],
    ids=["aes", "private", "public", "generated", "derived", "public half", "private half"],
)
def test_attributes_that_are_too_long_leave_nothing(app, session, keeps, make):
    key = app.C_CreateObject(session, guide_private(KEY) + [(CKA_DERIVE, True)])
    before = keeps()
    with raises(CKR_DEVICE_MEMORY):
        make(app, session, key)
    assert keeps() == before


def test_a_pair_half_of_which_cannot_be_stored_is_no_pair(app, session, store, keeps):
    before = keeps()
    public, private = guide_pair()
    store.fail_at = store.writes + 1
    with raises(CKR_DEVICE_ERROR):
        generate(app, session, public + [(CKA_TOKEN, False)], private)
    store.fail_at = None
    assert keeps() == before
    generate(app, session, public + [(CKA_TOKEN, False)], private)


def test_a_secret_in_a_template_with_junk_is_wiped_as_well(app, session):
    value = bytearray(scalar(KEY))
    with raises(CKR_ARGUMENTS_BAD):
        app.C_CreateObject(session, [(CKA_CLASS, CKO_PRIVATE_KEY), 5, (CKA_VALUE, value), (), "x"])
    assert not any(value)


def test_two_new_objects_fit_into_gaps_of_one(app, session, store):
    handles = [app.C_CreateObject(session, guide_public(KEY)) for _ in range(4)]
    app.C_DestroyObject(session, handles[0])
    app.C_DestroyObject(session, handles[2])
    generate(app, session)
    assert len(find(app, session)) == 4
    assert sorted(number for number in store.records if number >= 0x100) == list(
        range(0x100, 0x104)
    )


def test_more_objects_than_the_token_remembers(app, session, make_token):
    for number in range(120):
        template = [(CKA_CLASS, CKO_DATA), (CKA_TOKEN, True), (CKA_LABEL, b"%d" % number)]
        app.C_CreateObject(session, template)
    p11crypto.test_reset()
    app = Application(make_token())
    app.C_Initialize()
    session = log_in(app)
    kept = app.C_CreateObject(session, [(CKA_CLASS, CKO_DATA), (CKA_LABEL, b"kept")])
    handles = find(app, session)
    assert len(handles) == 121 and len(app.token._cache) <= 97
    labels = {get(app, session, handle, CKA_LABEL) for handle in handles}
    assert labels == {b"%d" % number for number in range(120)} | {b"kept"}
    assert get(app, session, kept, CKA_LABEL) == b"kept"
