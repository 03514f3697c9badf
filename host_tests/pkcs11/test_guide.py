# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""The flows of the qualification guide's Full_PKCS11_ groups, over CPython."""

import pytest
from cryptography import x509
from token_kit import *

EXTRA = (b"Root Cert", b"JITP Cert", b"Code Verify Key")


@pytest.fixture
def start(app):
    """The guide's helper: initialise, first slot, open, log in; an existing login is fine."""

    def open_and_log_in():
        try:
            app.C_Initialize()
        except P11Error as error:
            assert error.ckr == CKR_CRYPTOKI_ALREADY_INITIALIZED
        session = app.C_OpenSession(app.C_GetSlotList(True, 1)[0], RW)
        try:
            app.C_Login(session, CKU_USER, b"0000")
        except P11Error as error:
            assert error.ckr == CKR_USER_ALREADY_LOGGED_IN
        return session

    return open_and_log_in


def find_one(app, session, label, object_class):
    """The guide's find helper: handle or 0."""
    app.C_FindObjectsInit(session, [(CKA_LABEL, label), (CKA_CLASS, object_class)])
    found = app.C_FindObjects(session, 1)
    app.C_FindObjectsFinal(session)
    return found[0] if found else 0


def destroy_all(app, session, *labels):
    """The guide's destroy helper: duplicates vanish one by one."""
    for label in labels:
        for object_class in (CKO_PRIVATE_KEY, CKO_PUBLIC_KEY, CKO_CERTIFICATE):
            while True:
                handle = find_one(app, session, label, object_class)
                if not handle:
                    break
                app.C_DestroyObject(session, handle)


def test_start_finish(app):
    app.C_Finalize()
    with raises(CKR_CRYPTOKI_NOT_INITIALIZED):
        app.C_Finalize()
    app.C_Initialize()
    with raises(CKR_CRYPTOKI_ALREADY_INITIALIZED):
        app.C_Initialize()
    session = app.C_OpenSession(1, RW)
    assert session != 0
    app.C_CloseSession(session)
    app.C_Finalize()
    with raises(CKR_CRYPTOKI_NOT_INITIALIZED):
        app.C_OpenSession(1, RW)


def test_ec_create_object_and_destroy_object(app, start):
    session = start()
    key = ec_key()
    cert = certificate(key)
    for _ in range(3):
        destroy_all(app, session, PRIVATE_LABEL, PUBLIC_LABEL, CERT_LABEL, *EXTRA)
        app.C_CreateObject(session, guide_private(key))
        app.C_CreateObject(session, guide_public(key))
        app.C_CreateObject(session, guide_certificate(cert))
        for label in EXTRA[:2]:
            app.C_CreateObject(session, guide_certificate(cert, label))
        app.C_CreateObject(session, guide_public(key, EXTRA[2]))
    assert len(find(app, session)) == 6
    destroy_all(app, session, PRIVATE_LABEL, PUBLIC_LABEL, CERT_LABEL, *EXTRA)
    for label in (PRIVATE_LABEL, PUBLIC_LABEL, CERT_LABEL) + EXTRA:
        assert find(app, session, (CKA_LABEL, label)) == []
    assert find(app, session) == []


def test_ec_generate_key_pair(app, start):
    session = start()
    public, private = generate(app, session)
    cert = certificate(ec_key())
    app.C_CreateObject(session, guide_certificate(cert))
    for handle, wanted in ((private, CKO_PRIVATE_KEY), (public, CKO_PUBLIC_KEY)):
        assert app.C_GetAttributeValue(session, handle, [(CKA_CLASS, 4)]) == [wanted]
        assert app.C_GetAttributeValue(session, handle, [(CKA_KEY_TYPE, 4)]) == [CKK_EC]
    assert app.C_GetAttributeValue(session, private, [(CKA_EC_PARAMS, 10)]) == [OID_P256]
    with pytest.raises(P11Error) as error:
        app.C_GetAttributeValue(session, private, [(CKA_VALUE, 32)])
    assert error.value.ckr == CKR_ATTRIBUTE_SENSITIVE and error.value.values == [None]
    value = app.C_GetAttributeValue(session, public, [(CKA_EC_POINT, 67)])[0]
    app.C_SignInit(session, CKM_ECDSA, private)
    signature = app.C_Sign(session, DIGEST, 64)
    assert verifies(value[2:], DIGEST, signature)
    app.C_VerifyInit(session, CKM_ECDSA, public)
    app.C_Verify(session, DIGEST, signature)
    app.C_CloseSession(session)
    session = start()
    assert find_one(app, session, PRIVATE_LABEL, CKO_PRIVATE_KEY)
    assert find_one(app, session, PUBLIC_LABEL, CKO_PUBLIC_KEY)


def test_ec_find_object(app, start):
    session = start()
    generate(app, session)
    app.C_CreateObject(session, guide_certificate(certificate(ec_key())))
    for label, object_class in (
        (PRIVATE_LABEL, CKO_PRIVATE_KEY),
        (PUBLIC_LABEL, CKO_PUBLIC_KEY),
        (CERT_LABEL, CKO_CERTIFICATE),
    ):
        assert find_one(app, session, label, object_class) != 0
    assert find_one(app, session, b"This label doesn't exist", CKO_PUBLIC_KEY) == 0


def test_ec_get_attribute_value(app, start):
    session = start()
    key = ec_key()
    cert = certificate(key)
    private = app.C_CreateObject(session, guide_private(key))
    public = app.C_CreateObject(session, guide_public(key))
    handle = app.C_CreateObject(session, guide_certificate(cert))
    for object_handle, kind, wanted, length in (
        (private, CKA_CLASS, CKO_PRIVATE_KEY, 4),
        (private, CKA_KEY_TYPE, CKK_EC, 4),
        (private, CKA_EC_PARAMS, OID_P256, 10),
        (public, CKA_CLASS, CKO_PUBLIC_KEY, 4),
        (public, CKA_EC_PARAMS, OID_P256, 10),
        (public, CKA_EC_POINT, wrapped(key), 67),
        (handle, CKA_CLASS, CKO_CERTIFICATE, 4),
        (handle, CKA_VALUE, cert, len(cert)),
    ):
        with pytest.raises(P11Error) as error:
            app.C_GetAttributeValue(session, object_handle, [(kind, 0)])
        assert error.value.length == length
        assert app.C_GetAttributeValue(session, object_handle, [(kind, length)]) == [wanted]


def test_ec_sign_leaves_an_operation_open_and_goes_on(app, start):
    session = start()
    public, private = generate(app, session)
    app.C_SignInit(session, CKM_ECDSA, private)
    signature = app.C_Sign(session, DIGEST, 64)
    app.C_SignInit(session, CKM_ECDSA, private)
    with pytest.raises(P11Error) as error:
        app.C_Sign(session, DIGEST, 0)
    assert error.value.length == 64
    assert find_one(app, session, PUBLIC_LABEL, CKO_PUBLIC_KEY) == public
    assert verifies(get(app, session, public, CKA_EC_POINT)[2:], DIGEST, signature)


def test_ec_verify(app, start):
    session = start()
    key = ec_key()
    private = app.C_CreateObject(session, guide_private(key))
    public = app.C_CreateObject(session, guide_public(key))
    app.C_SignInit(session, CKM_ECDSA, private)
    for signature in (app.C_Sign(session, DIGEST), sign(key, DIGEST)):
        app.C_VerifyInit(session, CKM_ECDSA, public)
        app.C_Verify(session, DIGEST, signature)


def test_the_multi_thread_groups_as_interleaved_sessions(app, start):
    first = start()
    generate(app, first)
    app.C_CreateObject(first, guide_certificate(certificate(ec_key())))
    sessions = [first] + [start() for _ in range(3)]
    for _ in range(10):
        handles = []
        for session in sessions:
            app.C_FindObjectsInit(session, [(CKA_CLASS, CKO_PRIVATE_KEY)])
        for session in sessions:
            handles.append(app.C_FindObjects(session, 1)[0])
        for session, handle in zip(sessions, handles):
            app.C_SignInit(session, CKM_ECDSA, handle)
        for session in reversed(sessions):
            app.C_FindObjectsFinal(session)
        signatures = [app.C_Sign(session, DIGEST) for session in sessions]
        public = find_one(app, first, PUBLIC_LABEL, CKO_PUBLIC_KEY)
        cert = find_one(app, first, CERT_LABEL, CKO_CERTIFICATE)
        for session, signature in zip(sessions, signatures):
            assert get(app, session, handles[0], CKA_EC_PARAMS) == OID_P256
            x509.load_der_x509_certificate(get(app, session, cert, CKA_VALUE))
            app.C_VerifyInit(session, CKM_ECDSA, public)
            app.C_Verify(session, DIGEST, signature)
