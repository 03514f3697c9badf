# SPDX-License-Identifier: MIT
"""The objects of a run, made with the guide's templates, attribute for attribute and in its order.

Promises handles other than 0, or report.Failure. As a kind of pair (see pairs.py): EC.
"""

from ..const import (
    CKA_CERTIFICATE_TYPE,
    CKA_CLASS,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_KEY_TYPE,
    CKA_LABEL,
    CKA_PRIVATE,
    CKA_SIGN,
    CKA_SUBJECT,
    CKA_TOKEN,
    CKA_VALUE,
    CKA_VERIFY,
    CKC_X_509,
    CKK_EC,
    CKM_EC_KEY_PAIR_GEN,
    CKO_CERTIFICATE,
    CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
    CKR_OK,
)
from ..der import OID_P256
from . import vectors

# classes that may stand under the label of a role
CLASSES = {
    "private": (CKO_PRIVATE_KEY,),
    "public": (CKO_PUBLIC_KEY,),
    "certificate": (CKO_CERTIFICATE,),
    "code": (CKO_PUBLIC_KEY,),
    "jitp": (CKO_CERTIFICATE,),
    "root": (CKO_CERTIFICATE,),
}

WRAPPED = b"\x04\x41" + vectors.POINT  # as CKA_EC_POINT


def create(bench, session, template):
    """Create an object and return its handle."""
    handle = bench.expect(CKR_OK, bench.app.C_CreateObject, session, template)
    bench.true(handle != 0, "handle 0")
    return handle


def private(bench, session):
    """Import the private key of vectors.py."""
    template = [
        (CKA_CLASS, CKO_PRIVATE_KEY),
        (CKA_KEY_TYPE, CKK_EC),
        (CKA_LABEL, bench.labels["private"]),
        (CKA_TOKEN, True),
        (CKA_SIGN, True),
        (CKA_EC_PARAMS, OID_P256),
        (CKA_VALUE, bytearray(vectors.PRIVATE)),
    ]
    return create(bench, session, template)


def public(bench, session, role="public"):
    """Import the public key of vectors.py."""
    template = [
        (CKA_CLASS, CKO_PUBLIC_KEY),
        (CKA_KEY_TYPE, CKK_EC),
        (CKA_TOKEN, True),
        (CKA_VERIFY, True),
        (CKA_EC_PARAMS, OID_P256),
        (CKA_EC_POINT, WRAPPED),
        (CKA_LABEL, bench.labels[role]),
    ]
    return create(bench, session, template)


def certificate(bench, session, role, value=vectors.CERTIFICATE):
    """Store a certificate, by default that of vectors.py."""
    template = [
        (CKA_CLASS, CKO_CERTIFICATE),
        (CKA_SUBJECT, b"TestSubject"),
        (CKA_CERTIFICATE_TYPE, CKC_X_509),
        (CKA_VALUE, value),
        (CKA_LABEL, bench.labels[role]),
        (CKA_TOKEN, True),
    ]
    return create(bench, session, template)


def methods(bench):
    """Return the ways to bring a pair onto the device."""
    return bench.switches.methods()


def imported(bench, session):
    """Return (private, public) of the pair of vectors.py."""
    return private(bench, session), public(bench, session)


def generated(bench, session):
    """Return (private, public) of a new pair."""
    one = [
        (CKA_KEY_TYPE, CKK_EC),
        (CKA_VERIFY, True),
        (CKA_EC_PARAMS, OID_P256),
        (CKA_LABEL, bench.labels["public"]),
    ]
    other = [
        (CKA_KEY_TYPE, CKK_EC),
        (CKA_TOKEN, True),
        (CKA_PRIVATE, True),
        (CKA_SIGN, True),
        (CKA_LABEL, bench.labels["private"]),
    ]
    app = bench.app
    pair = bench.expect(CKR_OK, app.C_GenerateKeyPair, session, CKM_EC_KEY_PAIR_GEN, one, other)
    bench.true(pair[0] != 0 and pair[1] != 0 and pair[0] != pair[1], "handles of the pair")
    return pair[1], pair[0]
