# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""C_DeriveKey with CKM_ECDH1_DERIVE."""

import p11crypto
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from secret_kit import *
from token_kit import *

READABLE = [(CKA_SENSITIVE, False), (CKA_EXTRACTABLE, True)]


@pytest.fixture
def derivable(app, session):
    public, private = guide_pair()
    return generate(app, session, public, private + [(CKA_DERIVE, True)])


@needs("ecdh")
def test_ecdh_gives_what_the_peer_gets(app, session, derivable):
    public, private = derivable
    mine = get(app, session, public, CKA_EC_POINT)[2:]
    peer = ec_key()
    theirs = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), mine)
    wanted = peer.exchange(ec.ECDH(), theirs)
    for encoded in (point(peer), wrapped(peer)):
        for size in (None, 32, 16):
            more = [] if size is None else [(CKA_VALUE_LEN, size)]
            mechanism = (CKM_ECDH1_DERIVE, (CKD_NULL, None, encoded))
            handle = app.C_DeriveKey(session, mechanism, private, READABLE + more)
            assert get(app, session, handle, CKA_VALUE) == wanted[-(size or 32) :]
            wanted_flags = [False, False, False]
            kinds = (CKA_LOCAL, CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE)
            assert get(app, session, handle, *kinds) == wanted_flags
            assert get(app, session, handle, CKA_KEY_TYPE) == CKK_GENERIC_SECRET
    handle = app.C_DeriveKey(
        session, mechanism, private, [(CKA_KEY_TYPE, CKK_AES), (CKA_VALUE_LEN, 16)]
    )
    with raises(CKR_ATTRIBUTE_SENSITIVE):
        get(app, session, handle, CKA_VALUE)


@needs("ecdh")
def test_ecdh_that_cannot_be(app, session, derivable):
    public, private = derivable
    _, plain = generate(app, session)
    data = app.C_CreateObject(session, [(CKA_CLASS, CKO_DATA)])
    peer = point(ec_key())
    good = (CKM_ECDH1_DERIVE, (CKD_NULL, b"", peer))
    used = p11crypto.slots_used()
    for parameter in (
        None,
        b"",
        (CKD_NULL, None),
        (2, None, peer),
        (CKD_NULL, b"shared", peer),
        (CKD_NULL, None, None),
        (CKD_NULL, None, b""),
        (CKD_NULL, None, peer[:-1]),
        (CKD_NULL, None, peer[:-1] + bytes((peer[-1] ^ 1,))),
        (CKD_NULL, None, b"\x04\x40" + peer[:64]),
        (CKD_NULL, None, bytes(65)),
        ("x", None, peer),
    ):
        with raises(CKR_MECHANISM_PARAM_INVALID):
            app.C_DeriveKey(session, (CKM_ECDH1_DERIVE, parameter), private, [])
    for key, template, code in (
        (plain, [], CKR_KEY_FUNCTION_NOT_PERMITTED),
        (public, [], CKR_KEY_TYPE_INCONSISTENT),
        (0, [], CKR_KEY_HANDLE_INVALID),
        (data, [], CKR_KEY_HANDLE_INVALID),
        (private, [(CKA_VALUE_LEN, 33)], CKR_TEMPLATE_INCONSISTENT),
        (private, [(CKA_KEY_TYPE, CKK_EC)], CKR_TEMPLATE_INCONSISTENT),
        (private, [(CKA_KEY_TYPE, CKK_AES), (CKA_VALUE_LEN, 17)], CKR_ATTRIBUTE_VALUE_INVALID),
        (private, None, CKR_ARGUMENTS_BAD),
    ):
        with raises(code):
            app.C_DeriveKey(session, good, key, template)
    assert p11crypto.slots_used() == used
