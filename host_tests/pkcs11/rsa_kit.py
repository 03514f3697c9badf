# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""RSA keys for the tests of the token layer, and the guide's templates of them."""

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa

from pkcs11.const import *
from pkcs11.runner import vectors_rsa

KEY = rsa.RSAPrivateNumbers(
    *(
        int.from_bytes(number, "big")
        for number in (
            vectors_rsa.PRIME_1,
            vectors_rsa.PRIME_2,
            vectors_rsa.PRIVATE_EXPONENT,
            vectors_rsa.EXPONENT_1,
            vectors_rsa.EXPONENT_2,
            vectors_rsa.COEFFICIENT,
        )
    ),
    rsa.RSAPublicNumbers(65537, int.from_bytes(vectors_rsa.MODULUS, "big")),
).private_key()
OTHER = rsa.generate_private_key(65537, 2048)
SECRETS = (
    CKA_PRIVATE_EXPONENT,
    CKA_PRIME_1,
    CKA_PRIME_2,
    CKA_EXPONENT_1,
    CKA_EXPONENT_2,
    CKA_COEFFICIENT,
)


def raw(number):
    return number.to_bytes((number.bit_length() + 7) // 8, "big")


def modulus(key):
    return raw(key.public_key().public_numbers().n)


def exponent(key):
    return raw(key.public_key().public_numbers().e)


def guide_rsa_private(key, label=b"Device Priv TLS Key"):
    own = key.private_numbers()
    secrets = (own.d, own.p, own.q, own.dmp1, own.dmq1, own.iqmp)
    return [
        (CKA_CLASS, CKO_PRIVATE_KEY),
        (CKA_KEY_TYPE, CKK_RSA),
        (CKA_LABEL, label),
        (CKA_TOKEN, True),
        (CKA_SIGN, True),
        (CKA_MODULUS, modulus(key)),
        (CKA_PUBLIC_EXPONENT, exponent(key)),
    ] + [(kind, bytearray(raw(value))) for kind, value in zip(SECRETS, secrets)]


def guide_rsa_public(key, label=b"Device Pub TLS Key"):
    return [
        (CKA_CLASS, CKO_PUBLIC_KEY),
        (CKA_KEY_TYPE, CKK_RSA),
        (CKA_TOKEN, True),
        (CKA_MODULUS, modulus(key)),
        (CKA_VERIFY, True),
        (CKA_PUBLIC_EXPONENT, exponent(key)),
        (CKA_LABEL, label),
    ]


@pytest.fixture
def private(app, session):
    return app.C_CreateObject(session, guide_rsa_private(KEY))


@pytest.fixture
def public(app, session):
    return app.C_CreateObject(session, guide_rsa_public(KEY))


def signed(app, session, key, mechanism, data):
    app.C_SignInit(session, mechanism, key)
    return app.C_Sign(session, data)


def verify(app, session, key, mechanism, data, signature):
    app.C_VerifyInit(session, mechanism, key)
    app.C_Verify(session, data, signature)


def changed(template, kind, value):
    return [(k, value if k == kind else v) for k, v in template]


def power(number):
    """The number to the private exponent of KEY, as 256 bytes."""
    own = KEY.private_numbers()
    return pow(int.from_bytes(number, "big"), own.d, own.p * own.q).to_bytes(256, "big")
