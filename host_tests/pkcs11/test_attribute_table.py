# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""Every row of the attribute table against the standard's tables, written down here once more.

Each attribute is offered to every kind of object at creation, generation, copying and changing;
what the standard's footnotes allow must work, the rest must fail with the code of §4.1.
"""

import pytest
import rsa_kit
from token_kit import *

from pkcs11 import attributes

KEY = ec_key()
CERT = certificate(KEY)

# D data, C certificate, U/V public and private EC key, S secret key (u, v: RSA); after the bar where
# a value may be given: c C_CreateObject, g generation, y C_CopyObject, m C_SetAttributeValue
STANDARD = """
CKA_CLASS DCUVSuv cg
CKA_TOKEN DCUVSuv cgy
CKA_PRIVATE DCUVSuv cgy
CKA_MODIFIABLE DCUVSuv cgy
CKA_LABEL DCUVSuv cgym
CKA_COPYABLE DCUVSuv cgym
CKA_DESTROYABLE DCUVSuv cgym
CKA_APPLICATION D cgym
CKA_OBJECT_ID D cgym
CKA_VALUE DCVS c
CKA_CERTIFICATE_TYPE C c
CKA_TRUSTED CUSu cgym
CKA_CERTIFICATE_CATEGORY C cy
CKA_START_DATE CUVSuv cgym
CKA_END_DATE CUVSuv cgym
CKA_SUBJECT CUVuv cgym
CKA_ID CUVSuv cgym
CKA_ISSUER C c
CKA_SERIAL_NUMBER C c
CKA_URL C c
CKA_KEY_TYPE UVSuv cg
CKA_DERIVE UVSuv cgym
CKA_LOCAL UVSuv -
CKA_KEY_GEN_MECHANISM UVSuv -
CKA_ENCRYPT USu cgym
CKA_VERIFY USu cgym
CKA_VERIFY_RECOVER Uu cgym
CKA_WRAP USu cgym
CKA_SENSITIVE VSv cgym
CKA_DECRYPT VSv cgym
CKA_SIGN VSv cgym
CKA_SIGN_RECOVER Vv cgym
CKA_UNWRAP VSv cgym
CKA_EXTRACTABLE VSv cgym
CKA_ALWAYS_SENSITIVE VSv -
CKA_NEVER_EXTRACTABLE VSv -
CKA_WRAP_WITH_TRUSTED VSv cgym
CKA_ALWAYS_AUTHENTICATE Vv cgy
CKA_PUBLIC_KEY_INFO CUVuv -
CKA_EC_PARAMS UV cg
CKA_EC_POINT UV c
CKA_VALUE_LEN S g
CKA_MODULUS uv c
CKA_MODULUS_BITS u -
CKA_PUBLIC_EXPONENT uv c
CKA_PRIVATE_EXPONENT v c
CKA_PRIME_1 v c
CKA_PRIME_2 v c
CKA_EXPONENT_1 v c
CKA_EXPONENT_2 v c
CKA_COEFFICIENT v c
"""
ROWS = {name: (kinds, ways) for name, kinds, ways in map(str.split, STANDARD.strip().split("\n"))}
KINDS = "DCUVSuv"
RSA_PUBLIC = dict(rsa_kit.guide_rsa_public(rsa_kit.KEY))
RSA_PRIVATE = {
    kind: bytes(value) if type(value) is bytearray else value
    for kind, value in rsa_kit.guide_rsa_private(rsa_kit.KEY)
}
SHAPE = dict(zip("DCUVSuv", range(7)))
# without which C_CreateObject has too little to go by; the subject is in the certificate
NEEDED = {
    "D": "",
    "C": "CKA_CERTIFICATE_TYPE CKA_VALUE",
    "U": "CKA_KEY_TYPE CKA_EC_PARAMS CKA_EC_POINT",
    "V": "CKA_KEY_TYPE CKA_EC_PARAMS CKA_VALUE",
    "S": "CKA_KEY_TYPE CKA_VALUE",
    "u": "CKA_KEY_TYPE CKA_MODULUS CKA_PUBLIC_EXPONENT",
    "v": " ".join(
        attributes.BY_TYPE[kind][attributes.NAME]
        for kind in (CKA_KEY_TYPE, CKA_MODULUS, CKA_PUBLIC_EXPONENT, *rsa_kit.SECRETS)
    ),
}
CREATED = {
    "D": {CKA_CLASS: CKO_DATA, CKA_VALUE: b"data"},
    "C": {CKA_CLASS: CKO_CERTIFICATE, CKA_CERTIFICATE_TYPE: CKC_X_509, CKA_VALUE: CERT},
    "U": {CKA_CLASS: CKO_PUBLIC_KEY, CKA_KEY_TYPE: CKK_EC}
    | {CKA_EC_PARAMS: OID_P256, CKA_EC_POINT: wrapped(KEY)},
    "V": {CKA_CLASS: CKO_PRIVATE_KEY, CKA_KEY_TYPE: CKK_EC}
    | {CKA_EC_PARAMS: OID_P256, CKA_VALUE: scalar(KEY)},
    "S": {CKA_CLASS: CKO_SECRET_KEY, CKA_KEY_TYPE: CKK_AES, CKA_VALUE: bytes(16)},
    "u": {kind: value for kind, value in RSA_PUBLIC.items() if kind not in (CKA_TOKEN, CKA_LABEL)},
    "v": {
        kind: value for kind, value in RSA_PRIVATE.items() if kind not in (CKA_TOKEN, CKA_LABEL)
    },
}
GENERATED = {"U": {CKA_EC_PARAMS: OID_P256}, "V": {}, "S": {CKA_VALUE_LEN: 16}}


def good_value(name, kind):
    """Return a value that an object of this kind may have."""
    number = number_of(name)
    if number in CREATED[kind]:
        return CREATED[kind][number]
    special = {
        "CKA_KEY_TYPE": CKK_EC,
        "CKA_TOKEN": False,
        "CKA_TRUSTED": False,
        "CKA_EXTRACTABLE": False,
        "CKA_COPYABLE": False,
        "CKA_START_DATE": b"20240101",
        "CKA_END_DATE": b"20251231",
        "CKA_EC_POINT": wrapped(KEY),
        "CKA_VALUE_LEN": 16,
        "CKA_CERTIFICATE_CATEGORY": 1,
        "CKA_KEY_GEN_MECHANISM": CKM_AES_KEY_GEN,
    }
    if name in special:
        return special[name]
    return True if row_of(name)[attributes.KIND] == attributes.BOOL else b"value"


def number_of(name):
    return globals()[name]


def row_of(name):
    return attributes.BY_TYPE[number_of(name)]


def create(app, session, kind, more=None):
    return app.C_CreateObject(session, list((CREATED[kind] | (more or {})).items()))


def make(app, session, kind, more):
    """Generate a key of a kind with more in its template; return its handle."""
    template = list((GENERATED[kind] | more).items())
    if kind == "S":
        return app.C_GenerateKey(session, CKM_AES_KEY_GEN, template)
    halves = [list(GENERATED["U"].items()), []]
    halves[kind == "V"] = template
    return app.C_GenerateKeyPair(session, CKM_EC_KEY_PAIR_GEN, *halves)[kind == "V"]


def expects(name, kind, way):
    """Return the code that giving this attribute must have."""
    kinds, ways = ROWS[name]
    if kind not in kinds:
        return CKR_ATTRIBUTE_TYPE_INVALID
    return CKR_OK if way in ways else CKR_ATTRIBUTE_READ_ONLY


def gives(code, call, *args):
    """Assert that a call ends with a code; return its result."""
    if code == CKR_OK:
        return call(*args)
    with raises(code):
        call(*args)


def test_the_table_has_exactly_these_rows():
    assert {row[attributes.NAME] for row in attributes.TABLE} == set(ROWS)
    for name, (kinds, _) in ROWS.items():
        assert row_of(name)[attributes.SHAPES] == sum(1 << SHAPE[kind] for kind in kinds), name


@pytest.mark.parametrize("name", ROWS)
def test_where_a_value_may_be_given(app, session, name):
    number = number_of(name)
    for kind in KINDS:
        value = good_value(name, kind)
        change = {number: value}
        gives(expects(name, kind, "c"), create, app, session, kind, change)
        if kind in GENERATED:
            gives(expects(name, kind, "g"), make, app, session, kind, change)
        handle = create(app, session, kind)
        pairs = list(change.items())
        copy = gives(expects(name, kind, "y"), app.C_CopyObject, session, handle, pairs)
        if copy:
            assert get(app, session, copy, number) == value
        changed = expects(name, kind, "m")
        gives(changed, app.C_SetAttributeValue, session, handle, pairs)
        if changed == CKR_OK:
            assert get(app, session, handle, number) == value
        app.C_Finalize()
        app.C_Initialize()
        session = log_in(app)


@pytest.mark.parametrize("name", ROWS)
def test_values_of_another_type(app, session, name):
    kind = number_of(name), row_of(name)[attributes.KIND]
    number = kind[1] == attributes.ULONG or name in ("CKA_CLASS", "CKA_KEY_TYPE")
    if kind[1] == attributes.BOOL:
        wrong = (None, 1, 0, b"\x01", b"")
    elif number:
        wrong = (None, True, -1, 1 << 32, b"\0\0\0\0")
    elif kind[1] == attributes.DATE:
        wrong = (None, 20240101, b"2024010", b"2024-1-1", b"        ")
    else:
        wrong = (None, True, 5, "text", bytes(65536))
    for shape in KINDS:
        for way, call in (("c", create), ("g", make)):
            if expects(name, shape, way) != CKR_OK or (way == "g" and shape not in GENERATED):
                continue
            for value in wrong:
                with raises(CKR_ATTRIBUTE_VALUE_INVALID):
                    call(app, session, shape, {kind[0]: value})


@pytest.mark.parametrize("kind", KINDS)
def test_what_an_import_needs(app, session, kind):
    for number in CREATED[kind]:
        if number == CKA_CLASS:
            continue
        template = [entry for entry in CREATED[kind].items() if entry[0] != number]
        name = attributes.BY_TYPE[number][attributes.NAME]
        code = CKR_TEMPLATE_INCOMPLETE if name in NEEDED[kind].split() else CKR_OK
        gives(code, app.C_CreateObject, session, template)


@pytest.mark.parametrize("kind", KINDS)
def test_the_defaults(app, session, kind):
    handle = create(app, session, kind)
    secret = kind in "VSv"
    wanted = {
        CKA_TOKEN: False,
        CKA_PRIVATE: secret,
        CKA_MODIFIABLE: True,
        CKA_COPYABLE: True,
        CKA_DESTROYABLE: True,
        CKA_LABEL: b"",
    }
    if secret:
        wanted |= dict.fromkeys((CKA_SENSITIVE, CKA_SIGN), True)
        wanted |= dict.fromkeys((CKA_EXTRACTABLE, CKA_UNWRAP, CKA_WRAP_WITH_TRUSTED), False)
    if kind not in "DC":
        wanted |= {CKA_DERIVE: False, CKA_LOCAL: False}
        wanted |= {CKA_KEY_GEN_MECHANISM: CK_UNAVAILABLE_INFORMATION}
        wanted |= dict.fromkeys((CKA_START_DATE, CKA_END_DATE), b"")
    assert app.C_GetAttributeValue(session, handle, list(wanted)) == list(wanted.values())


def test_only_the_officer_says_that_something_is_trusted(app):
    app.C_InitToken(1, b"12345678", b"")
    session = log_in(app, b"12345678", CKU_SO)
    handle = create(app, session, "C", {CKA_TRUSTED: True})
    assert get(app, session, handle, CKA_TRUSTED) is True
    app.C_InitPIN(session, b"4321")
    app.C_Logout(session)
    app.C_Login(session, CKU_USER, b"4321")
    with raises(CKR_ATTRIBUTE_READ_ONLY):
        create(app, session, "C", {CKA_TRUSTED: True})
    with raises(CKR_ATTRIBUTE_READ_ONLY):
        app.C_CopyObject(session, handle, [(CKA_TRUSTED, True)])
    with raises(CKR_ATTRIBUTE_READ_ONLY):
        app.C_SetAttributeValue(session, create(app, session, "C"), [(CKA_TRUSTED, True)])
    app.C_SetAttributeValue(session, handle, [(CKA_TRUSTED, False)])
