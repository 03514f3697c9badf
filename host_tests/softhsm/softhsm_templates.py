# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""The objects that a script finds, and the templates that its words stand for."""

import rsa_kit
from token_kit import *

KEY = ec_key()
OTHER = ec_key()
CERTIFICATE = certificate(KEY)
SUBJECT = b"0\x110\x0f1\r0\x0b\x06\x03U\x04\x03\x0c\x04test"
AES = bytes(range(16))


def _private(*more):
    return [
        (CKA_CLASS, CKO_PRIVATE_KEY),
        (CKA_KEY_TYPE, CKK_EC),
        (CKA_EC_PARAMS, OID_P256),
        (CKA_VALUE, scalar(KEY)),
        (CKA_SIGN, True),
        (CKA_DECRYPT, False),
        (CKA_UNWRAP, False),
        (CKA_SENSITIVE, True),
        (CKA_EXTRACTABLE, False),
        (CKA_LABEL, b"private"),
        (CKA_ID, b"\x01"),
        *more,
    ]


def _public(*more):
    return [
        (CKA_CLASS, CKO_PUBLIC_KEY),
        (CKA_KEY_TYPE, CKK_EC),
        (CKA_EC_PARAMS, OID_P256),
        (CKA_EC_POINT, wrapped(KEY)),
        (CKA_VERIFY, True),
        (CKA_ENCRYPT, False),
        (CKA_WRAP, False),
        (CKA_PRIVATE, False),
        (CKA_LABEL, b"public"),
        (CKA_ID, b"\x01"),
        *more,
    ]


def _secret(key_type, value, *more):
    return [
        (CKA_CLASS, CKO_SECRET_KEY),
        (CKA_KEY_TYPE, key_type),
        (CKA_VALUE, value),
        (CKA_SIGN, True),
        (CKA_VERIFY, True),
        (CKA_ENCRYPT, True),
        (CKA_DECRYPT, True),
        (CKA_SENSITIVE, True),
        (CKA_EXTRACTABLE, False),
        (CKA_LABEL, b"secret"),
        *more,
    ]


def _certificate(*more):
    return [
        (CKA_CLASS, CKO_CERTIFICATE),
        (CKA_CERTIFICATE_TYPE, CKC_X_509),
        (CKA_SUBJECT, SUBJECT),
        (CKA_VALUE, CERTIFICATE),
        (CKA_PRIVATE, False),
        (CKA_LABEL, b"certificate"),
        *more,
    ]


def _data(*more):
    return [
        (CKA_CLASS, CKO_DATA),
        (CKA_PRIVATE, False),
        (CKA_LABEL, b"data"),
        (CKA_APPLICATION, b"test"),
        (CKA_VALUE, b"some data"),
        *more,
    ]


def _without(template, *kinds):
    return [entry for entry in template if entry[0] not in kinds]


def _with(template, kind, value):
    return [(kind, value) if entry[0] == kind else entry for entry in template]


def _rsa(template, *more):
    return [
        (kind, bytes(value) if type(value) is bytearray else value)
        for kind, value in _without(template, CKA_TOKEN)
    ] + list(more)


RSA_PRIVATE = _rsa(
    rsa_kit.guide_rsa_private(rsa_kit.KEY), (CKA_SENSITIVE, True), (CKA_EXTRACTABLE, False)
)
RSA_PUBLIC = _rsa(rsa_kit.guide_rsa_public(rsa_kit.KEY), (CKA_PRIVATE, False))
STORED = (CKA_TOKEN, True)
# objects that a script finds there when it names them
OBJECTS = {
    "private": _private(),
    "public": _public(),
    "default-private": _without(
        _private(), CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_DECRYPT, CKA_UNWRAP
    ),
    "default-public": _without(_public(), CKA_ENCRYPT, CKA_WRAP),
    "aes": _secret(CKK_AES, AES),
    "hmac": _secret(CKK_GENERIC_SECRET, bytes(32)),
    "certificate": _certificate(),
    "data": _data(),
    "rsa-private": RSA_PRIVATE,
    "rsa-public": RSA_PUBLIC,
    "token-private": _private(STORED),
    "token-public": _public(STORED),
    "token-certificate": _certificate(STORED),
    "token-data": _data(STORED),
    "mute-private": _with(_private(), CKA_SIGN, False),
    "mute-public": _with(_public(), CKA_VERIFY, False),
    "mute-aes": [
        (kind, False if kind in (CKA_SIGN, CKA_VERIFY, CKA_ENCRYPT, CKA_DECRYPT) else value)
        for kind, value in _secret(CKK_AES, AES)
    ],
    "deriving": _private((CKA_DERIVE, True)),
    "readable-aes": _with(
        _with(_secret(CKK_AES, AES), CKA_SENSITIVE, False), CKA_EXTRACTABLE, True
    ),
    "fixed-data": _data((CKA_MODIFIABLE, False)),
    "uncopyable-data": _data((CKA_COPYABLE, False)),
    "permanent-data": _data((CKA_DESTROYABLE, False)),
    "private-data": _with(_data(), CKA_PRIVATE, True),
}
_PAIR_PUBLIC = [(CKA_EC_PARAMS, OID_P256), (CKA_VERIFY, True), (CKA_TOKEN, False)]
_PAIR_PRIVATE = [(CKA_SIGN, True), (CKA_TOKEN, False), (CKA_SENSITIVE, True)]
_DERIVED = [
    (CKA_CLASS, CKO_SECRET_KEY),
    (CKA_KEY_TYPE, CKK_GENERIC_SECRET),
    (CKA_VALUE_LEN, 32),
    (CKA_TOKEN, False),
    (CKA_SENSITIVE, True),
]
TEMPLATES = {"t-" + name: template for name, template in OBJECTS.items()} | {
    "t-empty": [],
    "t-class-only": [(CKA_CLASS, CKO_DATA)],
    "t-no-class": _without(_data(), CKA_CLASS),
    "t-private-no-type": _without(_private(), CKA_KEY_TYPE),
    "t-private-no-params": _without(_private(), CKA_EC_PARAMS),
    "t-private-no-value": _without(_private(), CKA_VALUE),
    "t-private-zero": _with(_private(), CKA_VALUE, bytes(32)),
    "t-private-public": _private((CKA_PRIVATE, False)),
    "t-private-open": _with(_private(), CKA_SENSITIVE, False),
    "t-private-verify": _private((CKA_VERIFY, True)),
    "t-private-local": _private((CKA_LOCAL, True)),
    "t-private-extractable": _with(_private(), CKA_EXTRACTABLE, True),
    "t-private-bad-params": _with(_private(), CKA_EC_PARAMS, b"\x06\x03abc"),
    "t-public-no-point": _without(_public(), CKA_EC_POINT),
    "t-public-no-params": _without(_public(), CKA_EC_PARAMS),
    "t-public-bare-point": _with(_public(), CKA_EC_POINT, point(KEY)),
    "t-public-short-point": _with(_public(), CKA_EC_POINT, wrapped(KEY)[:40]),
    "t-public-off-curve": _with(_public(), CKA_EC_POINT, wrapped(KEY)[:-1] + b"\0"),
    "t-public-sign": _public((CKA_SIGN, True)),
    "t-aes-17": _with(_secret(CKK_AES, AES), CKA_VALUE, bytes(17)),
    "t-aes-empty": _with(_secret(CKK_AES, AES), CKA_VALUE, b""),
    "t-aes-no-value": _without(_secret(CKK_AES, AES), CKA_VALUE),
    "t-aes-length": _secret(CKK_AES, AES, (CKA_VALUE_LEN, 16)),
    "t-aes-public": _secret(CKK_AES, AES, (CKA_PRIVATE, False)),
    "t-aes-trusted": _secret(CKK_AES, AES, (CKA_TRUSTED, True)),
    "t-certificate-no-type": _without(_certificate(), CKA_CERTIFICATE_TYPE),
    "t-certificate-no-value": _without(_certificate(), CKA_VALUE),
    "t-certificate-no-subject": _without(_certificate(), CKA_SUBJECT),
    "t-certificate-junk": _with(_certificate(), CKA_VALUE, b"junk"),
    "t-certificate-trusted": _certificate((CKA_TRUSTED, True)),
    "t-certificate-x509-attr": _with(_certificate(), CKA_CERTIFICATE_TYPE, 1),
    "t-data-unknown": _data((0x7777, b"x")),
    "t-data-twice": _data((CKA_VALUE, b"some data")),
    "t-data-both": _data((CKA_VALUE, b"other")),
    "t-data-key": _data((CKA_SIGN, True)),
    "t-data-modifiable": _data((CKA_MODIFIABLE, False)),
    "t-data-long-bool": _data((CKA_MODIFIABLE, b"\1\1\1\1")),
    "t-data-null-label": _with(_data(), CKA_LABEL, None),
    "t-data-empty-value": _with(_data(), CKA_VALUE, b""),
    "t-bad-class": _with(_data(), CKA_CLASS, 0x77),
    "t-short-class": _with(_data(), CKA_CLASS, b"\0\0"),
    "t-rsa-no-modulus": _without(RSA_PUBLIC, CKA_MODULUS),
    "t-rsa-no-exponent": _without(RSA_PRIVATE, CKA_PRIVATE_EXPONENT),
    "t-rsa-verify": [*RSA_PRIVATE, (CKA_VERIFY, True)],
    "t-unknown-key-type": _with(_private(), CKA_KEY_TYPE, 0x77),
    # of the key generations
    "g-public": _PAIR_PUBLIC,
    "g-private": _PAIR_PRIVATE,
    "g-public-token": _with(_PAIR_PUBLIC, CKA_TOKEN, True),
    "g-private-token": _with(_PAIR_PRIVATE, CKA_TOKEN, True),
    "g-public-no-params": _without(_PAIR_PUBLIC, CKA_EC_PARAMS),
    "g-public-bad-params": _with(_PAIR_PUBLIC, CKA_EC_PARAMS, b"junk"),
    "g-public-unknown-curve": _with(_PAIR_PUBLIC, CKA_EC_PARAMS, bytes.fromhex("06052b8104000f")),
    "g-public-point": [*_PAIR_PUBLIC, (CKA_EC_POINT, wrapped(KEY))],
    "g-public-class": [*_PAIR_PUBLIC, (CKA_CLASS, CKO_PUBLIC_KEY), (CKA_KEY_TYPE, CKK_EC)],
    "g-public-wrong-class": [*_PAIR_PUBLIC, (CKA_CLASS, CKO_PRIVATE_KEY)],
    "g-public-wrong-type": [*_PAIR_PUBLIC, (CKA_KEY_TYPE, CKK_RSA)],
    "g-private-wrong-class": [*_PAIR_PRIVATE, (CKA_CLASS, CKO_SECRET_KEY)],
    "g-private-value": [*_PAIR_PRIVATE, (CKA_VALUE, scalar(KEY))],
    "g-private-open": _with(_PAIR_PRIVATE, CKA_SENSITIVE, False),
    "g-private-public": [*_PAIR_PRIVATE, (CKA_PRIVATE, False)],
    "g-16": [
        (CKA_VALUE_LEN, 16),
        (CKA_TOKEN, False),
        (CKA_SENSITIVE, True),
        (CKA_SIGN, True),
        (CKA_ENCRYPT, True),
    ],
    "g-17": [(CKA_VALUE_LEN, 17), (CKA_TOKEN, False)],
    "g-0": [(CKA_VALUE_LEN, 0), (CKA_TOKEN, False)],
    "g-16-token": [(CKA_VALUE_LEN, 16), (CKA_TOKEN, True)],
    "g-no-length": [(CKA_TOKEN, False)],
    "g-value": [(CKA_VALUE_LEN, 16), (CKA_VALUE, AES)],
    "g-16-class": [(CKA_VALUE_LEN, 16), (CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES)],
    "g-16-wrong-class": [(CKA_VALUE_LEN, 16), (CKA_CLASS, CKO_PUBLIC_KEY)],
    "g-16-wrong-type": [(CKA_VALUE_LEN, 16), (CKA_KEY_TYPE, CKK_EC)],
    "d-32": _DERIVED,
    "d-16": _with(_DERIVED, CKA_VALUE_LEN, 16),
    "d-33": _with(_DERIVED, CKA_VALUE_LEN, 33),
    "d-aes": _with(_with(_DERIVED, CKA_KEY_TYPE, CKK_AES), CKA_VALUE_LEN, 16),
    "d-aes-17": _with(_with(_DERIVED, CKA_KEY_TYPE, CKK_AES), CKA_VALUE_LEN, 17),
    "d-wrong-class": _with(_DERIVED, CKA_CLASS, CKO_DATA),
    "d-wrong-type": _with(_DERIVED, CKA_KEY_TYPE, CKK_EC),
    "d-no-class": _without(_DERIVED, CKA_CLASS),
    "d-no-type": _without(_DERIVED, CKA_KEY_TYPE),
    # searches and changes
    "s-label": [(CKA_LABEL, b"data")],
    "s-other-label": [(CKA_LABEL, b"nobody")],
    "s-keys": [(CKA_CLASS, CKO_PRIVATE_KEY)],
    "s-token": [(CKA_TOKEN, True)],
    "s-unknown": [(0x7777, b"x")],
    "s-value": [(CKA_VALUE, scalar(KEY))],
    "s-aes-value": [(CKA_VALUE, AES)],
    "s-id": [(CKA_ID, b"\x01")],
    "s-two": [(CKA_LABEL, b"data"), (CKA_CLASS, CKO_PRIVATE_KEY)],
    "c-label": [(CKA_LABEL, b"changed")],
    "c-id": [(CKA_ID, b"\x02\x03")],
    "c-class": [(CKA_CLASS, CKO_DATA)],
    "c-token": [(CKA_TOKEN, True)],
    "c-session": [(CKA_TOKEN, False)],
    "c-private": [(CKA_PRIVATE, True)],
    "c-public": [(CKA_PRIVATE, False)],
    "c-value": [(CKA_VALUE, b"new")],
    "c-sensitive": [(CKA_SENSITIVE, True)],
    "c-open": [(CKA_SENSITIVE, False)],
    "c-extractable": [(CKA_EXTRACTABLE, True)],
    "c-locked": [(CKA_EXTRACTABLE, False)],
    "c-local": [(CKA_LOCAL, True)],
    "c-key-type": [(CKA_KEY_TYPE, CKK_EC)],
    "c-params": [(CKA_EC_PARAMS, OID_P256)],
    "c-no-sign": [(CKA_SIGN, False)],
    "c-modifiable": [(CKA_MODIFIABLE, False)],
    "c-uncopyable": [(CKA_COPYABLE, False)],
    "c-unknown": [(0x7777, b"x")],
    "c-label-class": [(CKA_LABEL, b"changed"), (CKA_CLASS, CKO_DATA)],
    "c-date": [(CKA_START_DATE, b"20240101")],
    "c-bad-date": [(CKA_START_DATE, b"2024")],
}
