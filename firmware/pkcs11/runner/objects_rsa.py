# SPDX-License-Identifier: MIT
"""RSA pairs of a run, made with the guide's templates: a kind of pair (see pairs.py).

RSA keys are imported or on the device before; this token does not generate them.
"""

from ..const import (
    CKA_CLASS,
    CKA_COEFFICIENT,
    CKA_EXPONENT_1,
    CKA_EXPONENT_2,
    CKA_KEY_TYPE,
    CKA_LABEL,
    CKA_MODULUS,
    CKA_PRIME_1,
    CKA_PRIME_2,
    CKA_PRIVATE_EXPONENT,
    CKA_PUBLIC_EXPONENT,
    CKA_SIGN,
    CKA_TOKEN,
    CKA_VERIFY,
    CKK_RSA,
    CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
)
from . import objects, vectors_rsa
from .switches import GENERATE


def methods(bench):
    """Return the ways to bring a pair onto the device."""
    return [method for method in bench.switches.methods() if method != GENERATE]


def imported(bench, session):
    """Return (private, public) of the pair of vectors_rsa.py."""
    private = [
        (CKA_CLASS, CKO_PRIVATE_KEY),
        (CKA_KEY_TYPE, CKK_RSA),
        (CKA_LABEL, bench.labels["private"]),
        (CKA_TOKEN, True),
        (CKA_SIGN, True),
        (CKA_MODULUS, vectors_rsa.MODULUS),
        (CKA_PRIVATE_EXPONENT, bytearray(vectors_rsa.PRIVATE_EXPONENT)),
        (CKA_PUBLIC_EXPONENT, vectors_rsa.EXPONENT),
        (CKA_PRIME_1, bytearray(vectors_rsa.PRIME_1)),
        (CKA_PRIME_2, bytearray(vectors_rsa.PRIME_2)),
        (CKA_EXPONENT_1, bytearray(vectors_rsa.EXPONENT_1)),
        (CKA_EXPONENT_2, bytearray(vectors_rsa.EXPONENT_2)),
        (CKA_COEFFICIENT, bytearray(vectors_rsa.COEFFICIENT)),
    ]
    public = [
        (CKA_CLASS, CKO_PUBLIC_KEY),
        (CKA_KEY_TYPE, CKK_RSA),
        (CKA_TOKEN, True),
        (CKA_MODULUS, vectors_rsa.MODULUS),
        (CKA_VERIFY, True),
        (CKA_PUBLIC_EXPONENT, vectors_rsa.EXPONENT),
        (CKA_LABEL, bench.labels["public"]),
    ]
    return objects.create(bench, session, private), objects.create(bench, session, public)


def certificate(bench, session, role):
    """Store the certificate of vectors_rsa.py."""
    return objects.certificate(bench, session, role, vectors_rsa.CERTIFICATE)
