# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""C_GenerateKeyPair (facts 1.8, 3.4, 3.6 as chosen in DESIGN §3)."""

import hashlib

import p11crypto
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from token_kit import *

from pkcs11.application import Application
from pkcs11.der import OID_P384


def test_the_templates_of_the_guide(app, session):
    public, private = generate(app, session)
    for handle, object_class in ((public, CKO_PUBLIC_KEY), (private, CKO_PRIVATE_KEY)):
        assert get(app, session, handle, CKA_CLASS, CKA_KEY_TYPE) == [object_class, CKK_EC]
        assert get(app, session, handle, CKA_EC_PARAMS) == OID_P256
        value = get(app, session, handle, CKA_EC_POINT)
        assert len(value) == 67 and value[:3] == b"\x04\x41\x04"
    assert get(app, session, public, CKA_EC_POINT) == get(app, session, private, CKA_EC_POINT)
    with raises(CKR_ATTRIBUTE_SENSITIVE):
        get(app, session, private, CKA_VALUE)


def test_the_pair_works_and_survives_power_off(app, session, make_token):
    public, private = generate(app, session)
    point_before = get(app, session, public, CKA_EC_POINT)
    app.C_Finalize()
    p11crypto.test_reset()
    app = Application(make_token())
    app.C_Initialize()
    session = log_in(app)
    (private,) = find(app, session, (CKA_LABEL, PRIVATE_LABEL))
    (public,) = find(app, session, (CKA_LABEL, PUBLIC_LABEL))
    assert get(app, session, public, CKA_EC_POINT) == point_before
    app.C_SignInit(session, CKM_ECDSA, private)
    signature = app.C_Sign(session, DIGEST)
    assert verifies(point_before[2:], DIGEST, signature)
    app.C_VerifyInit(session, CKM_ECDSA, public)
    app.C_Verify(session, DIGEST, signature)


def test_public_half_follows_the_private_half_into_the_token_unless_told(app, session):
    public, private = generate(app, session)
    assert get(app, session, public, CKA_TOKEN) is True
    template, other = guide_pair()
    public, private = generate(app, session, template + [(CKA_TOKEN, False)], other)
    assert get(app, session, public, CKA_TOKEN) is False
    assert get(app, session, private, CKA_TOKEN) is True
    other.remove((CKA_TOKEN, True))
    public, private = generate(app, session, template, other)
    assert get(app, session, public, CKA_TOKEN) is False
    assert get(app, session, private, CKA_TOKEN) is False
    public, private = generate(app, session, template + [(CKA_TOKEN, True)], other)
    assert get(app, session, public, CKA_TOKEN) is True


def test_what_the_template_forgot_is_safe(app, session):
    _, private = generate(app, session, [(CKA_EC_PARAMS, OID_P256)], [])
    wanted = {
        CKA_PRIVATE: True,
        CKA_SENSITIVE: True,
        CKA_EXTRACTABLE: False,
        CKA_ALWAYS_SENSITIVE: True,
        CKA_NEVER_EXTRACTABLE: True,
        CKA_LOCAL: True,
        CKA_SIGN: True,
        CKA_DERIVE: False,
        CKA_TOKEN: False,
        CKA_MODIFIABLE: True,
        CKA_KEY_GEN_MECHANISM: CKM_EC_KEY_PAIR_GEN,
        CKA_LABEL: b"",
        CKA_ALWAYS_AUTHENTICATE: False,
    }
    assert app.C_GetAttributeValue(session, private, list(wanted)) == list(wanted.values())


def test_a_pair_shares_an_id_made_from_the_public_key(app, session):
    public, private = generate(app, session)
    value = get(app, session, public, CKA_EC_POINT)[2:]
    made = hashlib.sha256(value).digest()[:20]
    assert get(app, session, public, CKA_ID) == get(app, session, private, CKA_ID) == made


@pytest.mark.parametrize("where", ["public", "private", "both", "different"])
def test_a_pair_shares_the_id_it_was_given(app, session, where):
    public, private = guide_pair()
    if where in ("public", "both", "different"):
        public.append((CKA_ID, b"\x01\x02"))
    if where in ("private", "both"):
        private.append((CKA_ID, b"\x01\x02"))
    if where == "different":
        private.append((CKA_ID, b"\x03"))
    public, private = generate(app, session, public, private)
    assert get(app, session, public, CKA_ID) == b"\x01\x02"
    assert get(app, session, private, CKA_ID) == (b"\x03" if where == "different" else b"\x01\x02")


def test_attributes_of_other_clients_are_accepted(app, session):
    public = [
        (CKA_CLASS, CKO_PUBLIC_KEY),
        (CKA_TOKEN, True),
        (CKA_PRIVATE, False),
        (CKA_LABEL, b"pkcs11-tool"),
        (CKA_ID, b"\x01"),
        (CKA_VERIFY, True),
        (CKA_DERIVE, True),
        (CKA_EC_PARAMS, OID_P256),
        (CKA_SUBJECT, b"x"),
        (CKA_START_DATE, b"20240101"),
        (CKA_END_DATE, b""),
    ]
    private = [
        (CKA_CLASS, CKO_PRIVATE_KEY),
        (CKA_TOKEN, True),
        (CKA_PRIVATE, True),
        (CKA_SENSITIVE, True),
        (CKA_EXTRACTABLE, False),
        (CKA_LABEL, b"pkcs11-tool"),
        (CKA_ID, b"\x01"),
        (CKA_SIGN, True),
        (CKA_DERIVE, True),
        (CKA_UNWRAP, False),
        (CKA_DECRYPT, False),
    ]
    public, private = generate(app, session, public, private)
    assert get(app, session, public, CKA_START_DATE, CKA_END_DATE) == [b"20240101", b""]
    assert get(app, session, private, CKA_DERIVE) is True
    assert len(find(app, session, (CKA_LABEL, b"pkcs11-tool"))) == 2


def test_empty_templates_are_incomplete(app, session):
    with raises(CKR_TEMPLATE_INCOMPLETE):
        generate(app, session, [], [])


def test_curve_missing_unknown_malformed(app, session):
    public, private = guide_pair()
    public.remove((CKA_EC_PARAMS, OID_P256))
    for parameters, code in (
        (None, CKR_TEMPLATE_INCOMPLETE),
        (b"\x06\x05\x2b\x81\x04\x00\x0a", CKR_CURVE_NOT_SUPPORTED),  # secp256k1
        (b"\x06\x05\x2b\x81\x04\x00\x23", CKR_CURVE_NOT_SUPPORTED),  # secp521r1
        (b"", CKR_DOMAIN_PARAMS_INVALID),
        (OID_P256[:-1], CKR_DOMAIN_PARAMS_INVALID),
        (OID_P256 + b"\0", CKR_DOMAIN_PARAMS_INVALID),
        (b"\x30\x00", CKR_DOMAIN_PARAMS_INVALID),
        (b"\x13\x05prime", CKR_DOMAIN_PARAMS_INVALID),
    ):
        extra = [] if parameters is None else [(CKA_EC_PARAMS, parameters)]
        with raises(code):
            generate(app, session, public + extra, private)
    assert find(app, session) == []


def test_p384_where_it_is_offered(app, session):
    from pkcs11.mechanisms import CURVES

    public, private = guide_pair()
    public[2] = (CKA_EC_PARAMS, OID_P384)
    if 2 not in CURVES:
        with raises(CKR_CURVE_NOT_SUPPORTED):
            generate(app, session, public, private)
        return
    public, private = generate(app, session, public, private)
    value = get(app, session, public, CKA_EC_POINT)
    assert value[:3] == b"\x04\x61\x04" and len(value) == 99
    app.C_SignInit(session, CKM_ECDSA, private)
    signature = app.C_Sign(session, bytes(48))
    assert len(signature) == 96 and verifies(value[2:], bytes(48), signature, hashes.SHA384())


@pytest.mark.parametrize(
    "half, entry, code",
    [
        ("public", (CKA_VERIFY, False), CKR_TEMPLATE_INCONSISTENT),  # beside VERIFY true
        ("public", (CKA_CLASS, CKO_PRIVATE_KEY), CKR_TEMPLATE_INCONSISTENT),
        ("public", (CKA_KEY_TYPE, CKK_RSA), CKR_TEMPLATE_INCONSISTENT),
        ("public", (CKA_SIGN, True), CKR_ATTRIBUTE_TYPE_INVALID),
        ("public", (CKA_SENSITIVE, True), CKR_ATTRIBUTE_TYPE_INVALID),
        ("public", (CKA_VALUE, b"x"), CKR_ATTRIBUTE_TYPE_INVALID),
        ("public", (0x7777, b"x"), CKR_ATTRIBUTE_TYPE_INVALID),
        ("public", (CKA_MODULUS_BITS, 2048), CKR_ATTRIBUTE_TYPE_INVALID),
        ("public", (CKA_EC_POINT, b"x"), CKR_ATTRIBUTE_READ_ONLY),
        ("public", (CKA_LOCAL, True), CKR_ATTRIBUTE_READ_ONLY),
        ("public", (CKA_TRUSTED, True), CKR_ATTRIBUTE_READ_ONLY),
        ("public", (CKA_KEY_GEN_MECHANISM, 1), CKR_ATTRIBUTE_READ_ONLY),
        ("public", (CKA_LABEL, 5), CKR_ATTRIBUTE_VALUE_INVALID),
        ("public", (CKA_LABEL, None), CKR_ATTRIBUTE_VALUE_INVALID),
        ("public", (CKA_LABEL, "text"), CKR_ATTRIBUTE_VALUE_INVALID),
        ("public", (CKA_TOKEN, 1), CKR_ATTRIBUTE_VALUE_INVALID),
        ("public", (CKA_TOKEN, b"\x01"), CKR_ATTRIBUTE_VALUE_INVALID),
        ("public", (CKA_KEY_TYPE, b"\x03"), CKR_ATTRIBUTE_VALUE_INVALID),
        ("public", (CKA_START_DATE, b"2024"), CKR_ATTRIBUTE_VALUE_INVALID),
        ("public", (CKA_START_DATE, b"2024010x"), CKR_ATTRIBUTE_VALUE_INVALID),
        ("private", (CKA_PRIVATE, False), CKR_TEMPLATE_INCONSISTENT),
        ("private", (CKA_SENSITIVE, False), CKR_TEMPLATE_INCONSISTENT),
        ("private", (CKA_EC_PARAMS, OID_P384), CKR_TEMPLATE_INCONSISTENT),
        ("private", (CKA_CLASS, CKO_SECRET_KEY), CKR_TEMPLATE_INCONSISTENT),
        ("private", (CKA_VERIFY, True), CKR_ATTRIBUTE_TYPE_INVALID),
        ("private", (CKA_VALUE, bytes(32)), CKR_ATTRIBUTE_READ_ONLY),
        ("private", (CKA_NEVER_EXTRACTABLE, True), CKR_ATTRIBUTE_READ_ONLY),
        ("private", (CKA_ALWAYS_SENSITIVE, True), CKR_ATTRIBUTE_READ_ONLY),
        ("private", (CKA_LABEL, bytes(256)), CKR_ATTRIBUTE_VALUE_INVALID),
    ],
)
def test_templates_that_ask_for_what_cannot_be(app, session, half, entry, code):
    public, private = guide_pair()
    if half == "private" and entry[0] == CKA_PRIVATE:
        private.remove((CKA_PRIVATE, True))
    (public if half == "public" else private).append(entry)
    used = p11crypto.slots_used()
    with raises(code):
        generate(app, session, public, private)
    assert find(app, session) == [] and p11crypto.slots_used() == used


def test_the_same_value_twice_is_no_contradiction(app, session):
    public, private = guide_pair()
    generate(app, session, public + public, private + private)


@pytest.mark.parametrize("template", [None, 5, b"x", {}, [1], [(1,)], [(1, 2, 3)], [("x", 1)]])
def test_templates_that_are_none(app, session, template):
    good = guide_pair()
    for public, private in ((template, good[1]), (good[0], template)):
        with raises(CKR_ARGUMENTS_BAD):
            app.C_GenerateKeyPair(session, CKM_EC_KEY_PAIR_GEN, public, private)


def test_mechanisms(app, session):
    public, private = guide_pair()
    for mechanism, code in (
        (None, CKR_ARGUMENTS_BAD),
        (CKM_ECDSA, CKR_MECHANISM_INVALID),
        (CKM_SHA256, CKR_MECHANISM_INVALID),
        (0, CKR_MECHANISM_INVALID),
        ((CKM_EC_KEY_PAIR_GEN, b"x"), CKR_MECHANISM_PARAM_INVALID),
    ):
        with raises(code):
            app.C_GenerateKeyPair(session, mechanism, public, private)
    app.C_GenerateKeyPair(session, (CKM_EC_KEY_PAIR_GEN, None), public, private)


def test_two_pairs_of_one_label_are_two_pairs(app, session):
    generate(app, session)
    generate(app, session)
    assert len(find(app, session, (CKA_LABEL, PRIVATE_LABEL))) == 2
    for handle in find(app, session, (CKA_LABEL, PRIVATE_LABEL)):
        app.C_DestroyObject(session, handle)
    assert find(app, session, (CKA_LABEL, PRIVATE_LABEL)) == []


@pytest.mark.parametrize("failing", ["commit", "full", "slots"])
def test_a_generation_that_fails_leaves_nothing(app, session, store, failing):
    code = CKR_DEVICE_ERROR
    taken = []
    if failing == "commit":
        store.fail_at = store.writes + 1
    elif failing == "full":
        from pal.store import StoreError

        def commit(puts, deletes=()):
            raise StoreError(StoreError.FULL)

        app.token.pal.commit = commit
        code = CKR_DEVICE_MEMORY
    else:
        while p11crypto.slots_used() < 64:
            taken.append(p11crypto.ec_generate(1))
        code = CKR_HOST_MEMORY
    used = p11crypto.slots_used()
    with raises(code):
        generate(app, session)
    store.fail_at = None
    assert p11crypto.slots_used() == used and find(app, session) == []


def test_the_spki_of_both_halves(app, session):
    for handle in generate(app, session):
        der = get(app, session, handle, CKA_PUBLIC_KEY_INFO)
        key = serialization.load_der_public_key(der)
        assert wrapped(key) == get(app, session, handle, CKA_EC_POINT)
