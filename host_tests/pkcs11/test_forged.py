# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Records that somebody changed in flash, before a login (nothing is checked yet) and after one.

test_at_rest changes every byte; here the change is made so that the record still makes sense.
"""

import pytest
from token_kit import *

from pkcs11.der import OID_P384

KEY = ec_key()
AES = [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE, bytes(16))]


def forge(store, label, old, new):
    """Replace bytes in the record of a label; return its id."""
    ((number, record),) = [
        (number, record) for number, record in store.records.items() if record[2] == label
    ]
    assert len(old) == len(new) and record[3].count(old) == 1
    record[3] = record[3].replace(old, new)
    return number


@pytest.mark.parametrize(
    "old, new",
    [
        (OID_P256, OID_P256[:-1] + b"\x08"),  # a curve that nobody has
        (b"\x0e\x43\0" + wrapped(KEY), b"\x09\x43\0" + wrapped(KEY)),  # no point at all
    ],
    ids=["curve", "point"],
)
def test_a_public_key_that_is_none_before_any_login(app, session, store, restart, old, new):
    app.C_CreateObject(session, guide_public(KEY))
    forge(store, PUBLIC_LABEL, old, new)
    app = restart()
    session = app.C_OpenSession(1, RO)
    (handle,) = find(app, session)
    with raises(CKR_DEVICE_ERROR):
        app.C_VerifyInit(session, CKM_ECDSA, handle)
    with raises(CKR_DEVICE_ERROR):
        get(app, session, handle, CKA_PUBLIC_KEY_INFO)
    assert find(app, session, (CKA_PUBLIC_KEY_INFO, b"x")) == []


def test_a_point_off_the_curve_verifies_nothing(app, session, store, restart):
    app.C_CreateObject(session, guide_public(KEY))
    off = point(KEY)[:-1] + bytes((point(KEY)[-1] ^ 1,))
    forge(store, PUBLIC_LABEL, point(KEY), off)
    app = restart()
    session = app.C_OpenSession(1, RO)
    (handle,) = find(app, session)
    app.C_VerifyInit(session, CKM_ECDSA, handle)
    with raises(CKR_DEVICE_ERROR):
        app.C_Verify(session, DIGEST, sign(KEY, DIGEST))


def test_what_was_loaded_before_the_login_is_checked_by_the_first_search_after_it(
    app, session, store, restart
):
    app.C_CreateObject(session, guide_public(KEY))
    app.C_CreateObject(session, guide_certificate(certificate(KEY)))
    forge(store, CERT_LABEL, b"TestSubject", b"BestSubject")
    app = restart()
    session = app.C_OpenSession(1, RW)
    assert len(find(app, session)) == 2
    assert len(find(app, session, (CKA_SUBJECT, b"BestSubject"))) == 1
    app.C_Login(session, CKU_USER, b"0000")
    assert find(app, session, (CKA_SUBJECT, b"BestSubject")) == []
    (broken,) = find(app, session, (CKA_CLASS, CKO_CERTIFICATE))
    with raises(CKR_DEVICE_ERROR):
        get(app, session, broken, CKA_SUBJECT)


def test_a_certificate_that_is_none_any_more_is_found_by_nothing_in_it(
    app, session, store, restart
):
    value = certificate(KEY)
    app.C_CreateObject(session, guide_certificate(value))
    forge(store, CERT_LABEL, value[:4], b"\x31" + value[1:4])
    app = restart()
    session = app.C_OpenSession(1, RO)
    assert len(find(app, session)) == 1
    assert find(app, session, (CKA_SERIAL_NUMBER, b"\x02\x04\x01\x23\x45\x67")) == []
    assert find(app, session, (CKA_VALUE, value)) == []
    (handle,) = find(app, session)
    for kind in (CKA_SERIAL_NUMBER, CKA_PUBLIC_KEY_INFO):
        with raises(CKR_DEVICE_ERROR):
            get(app, session, handle, kind)


def test_a_private_note_changed_after_it_was_loaded(app, session, store):
    template = [(CKA_CLASS, CKO_DATA), (CKA_TOKEN, True), (CKA_PRIVATE, True)]
    handle = app.C_CreateObject(session, [*template, (CKA_LABEL, b"n"), (CKA_VALUE, b"note")])
    assert get(app, session, handle, CKA_VALUE) == b"note"
    record = next(record for record in store.records.values() if record[2] == b"n")
    record[3] = record[3][:-1] + bytes((record[3][-1] ^ 1,))
    with raises(CKR_DEVICE_ERROR):
        get(app, session, handle, CKA_VALUE)
    assert find(app, session, (CKA_VALUE, b"note")) == []


@pytest.mark.parametrize("template", [AES, guide_private(KEY)], ids=["aes", "ec"])
def test_a_key_that_cannot_be_read_does_nothing(app, session, store, restart, template):
    app.C_CreateObject(session, [*template, (CKA_DERIVE, True), (CKA_TOKEN, True)])
    (number,) = [number for number in store.records if number >= 0x100]
    store.damaged.add(number)
    app = restart()
    session = log_in(app)
    (handle,) = find(app, session)
    ecdh = (CKM_ECDH1_DERIVE, (CKD_NULL, None, point(KEY)))
    for call in (
        lambda: app.C_EncryptInit(session, CKM_AES_ECB, handle),
        lambda: app.C_DecryptInit(session, CKM_AES_ECB, handle),
        lambda: app.C_SignInit(session, CKM_AES_CMAC, handle),
        lambda: app.C_VerifyInit(session, CKM_AES_CMAC, handle),
        lambda: app.C_DeriveKey(session, ecdh, handle, []),
        lambda: app.C_GetAttributeValue(session, handle, [CKA_CLASS]),
    ):
        with raises(CKR_DEVICE_ERROR):
            call()
    app.C_DestroyObject(session, handle)


def test_the_parameters_of_another_curve_do_not_fit_the_point(app, session, store):
    template = [entry for entry in guide_public(KEY) if entry[0] != CKA_EC_PARAMS]
    with raises(CKR_ATTRIBUTE_VALUE_INVALID):
        app.C_CreateObject(session, [*template, (CKA_EC_PARAMS, OID_P384)])
