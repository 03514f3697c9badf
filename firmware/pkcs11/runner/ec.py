# SPDX-License-Identifier: MIT
"""Group Full_PKCS11_EC: objects, keys, signatures on P-256.

Promises the guide's checks, each for every way to provision that is on (import, generate,
pre-provisioned). Beyond the guide a signature over other data and a damaged one have to be
refused.
"""

import p11crypto

from ..const import (
    CKA_CLASS,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_KEY_TYPE,
    CKA_VALUE,
    CKK_EC,
    CKM_ECDSA,
    CKO_CERTIFICATE,
    CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
    CKR_OK,
    CKR_SIGNATURE_INVALID,
)
from ..der import OID_P256
from . import objects, vectors
from .pairs import (
    HALVES,
    create_object,
    destroy_object,
    find_object,
    find_object_multi_thread,
    gone,
    listed,
    rounds,
    sensitive,
)
from .switches import GENERATE, IMPORT, PREPROVISIONED

P256 = 1  # of p11crypto


def _independent(bench, session, public, signature):
    """Check r || s without C_Verify: by the library below, from CKA_EC_POINT."""
    bench.equal(64, len(signature), "length of the signature")
    point = bench.get(session, public, CKA_EC_POINT)
    bench.equal(67, len(point), "length of CKA_EC_POINT")
    good = p11crypto.ecdsa_verify(P256, bytes(point[2:]), vectors.DIGEST, bytes(signature))
    bench.true(good, "the signature is not the key's")


def create_object_destroy_object_keys(bench, kind):
    session = bench.start()
    bench.clear(session)
    first = objects.imported(bench, session)
    second = objects.imported(bench, session)  # under the same labels
    bench.equal(4, len(set(first + second)), "handles are not distinct")
    bench.clear(session)
    gone(bench, session, first + second)


def create_object_destroy_object_certificates(bench, kind):
    session = bench.start()
    bench.clear(session)
    made = [objects.certificate(bench, session, role) for role in ("certificate", "jitp", "root")]
    made.append(objects.public(bench, session, "code"))
    for handle in made[:3]:
        value = bench.get(session, handle, CKA_VALUE)
        bench.equal(vectors.CERTIFICATE, bytes(value), "the certificate was changed")
    bench.equal(made[3], bench.find(session, bench.labels["code"], CKO_PUBLIC_KEY))
    bench.clear(session)
    gone(bench, session, made)


def generate_key_pair(bench, kind):
    app = bench.app
    session = bench.start()
    private, public, _ = bench.provision(session, GENERATE, kind)
    for handle, object_class in ((private, CKO_PRIVATE_KEY), (public, CKO_PUBLIC_KEY)):
        bench.equal(object_class, bench.get(session, handle, CKA_CLASS), "CKA_CLASS")
        bench.equal(CKK_EC, bench.get(session, handle, CKA_KEY_TYPE), "CKA_KEY_TYPE")
    bench.equal(OID_P256, bytes(bench.get(session, private, CKA_EC_PARAMS)), "CKA_EC_PARAMS")
    sensitive(bench, session, private, CKA_VALUE, 32)
    signature = bench.expect(CKR_OK, bench.sign, session, private, vectors.DIGEST)
    _independent(bench, session, public, signature)
    bench.expect(CKR_OK, bench.verify, session, public, vectors.DIGEST, signature)
    point = bytes(bench.get(session, public, CKA_EC_POINT))
    app.C_CloseSession(session)
    session = bench.start()
    for role, object_class in HALVES:
        bench.true(bench.find(session, bench.labels[role], object_class), "lost: " + role)
    bench.provision(session, GENERATE, kind)
    public = bench.find(session, bench.labels["public"], CKO_PUBLIC_KEY)
    other = bytes(bench.get(session, public, CKA_EC_POINT))
    bench.true(other != point, "the same key was generated twice")


def get_attribute_value(bench, kind):
    session = bench.start()
    for method in kind.methods(bench):
        private, public, certificate = bench.provision(session, method, kind)
        for handle, attribute, wanted in (
            (private, CKA_CLASS, CKO_PRIVATE_KEY),
            (private, CKA_KEY_TYPE, CKK_EC),
            (private, CKA_EC_PARAMS, OID_P256),
            (public, CKA_CLASS, CKO_PUBLIC_KEY),
            (public, CKA_EC_PARAMS, OID_P256),
            (public, CKA_EC_POINT, objects.WRAPPED if method == IMPORT else None),
            (certificate, CKA_CLASS, CKO_CERTIFICATE),
            (certificate, CKA_VALUE, None if method == PREPROVISIONED else vectors.CERTIFICATE),
        ):
            value = bench.expect(CKR_OK, bench.get, session, handle, attribute)
            if wanted is not None:
                bench.equal(wanted, value, "attribute 0x%x" % attribute)
        sensitive(bench, session, private, CKA_VALUE, 32)


def sign(bench, kind):
    app = bench.app
    session = bench.start()
    for method in kind.methods(bench):
        private, public, _ = bench.provision(session, method, kind)
        signature = bench.expect(CKR_OK, bench.sign, session, private, vectors.DIGEST)
        bench.expect(CKR_OK, app.C_SignInit, session, CKM_ECDSA, private)
        bench.equal(64, bench.length(app.C_Sign, session, vectors.DIGEST, 0), "length")
        _independent(bench, session, public, signature)  # while that operation is open
        signature = bench.expect(CKR_OK, app.C_Sign, session, vectors.DIGEST, 64)
        _independent(bench, session, public, signature)


def verify(bench, kind):
    session = bench.start()
    for method in kind.methods(bench):
        private, public, _ = bench.provision(session, method, kind)
        signature = bench.sign(session, private, vectors.DIGEST)
        bench.expect(CKR_OK, bench.verify, session, public, vectors.DIGEST, signature)
        if method == IMPORT:
            bench.expect(CKR_OK, bench.verify, session, public, vectors.DIGEST, vectors.SIGNATURE)
        other = bytearray(vectors.DIGEST)
        other[0] ^= 1
        bench.expect(CKR_SIGNATURE_INVALID, bench.verify, session, public, other, signature)
        damaged = bytearray(signature)
        damaged[63] ^= 1
        bench.expect(CKR_SIGNATURE_INVALID, bench.verify, session, public, vectors.DIGEST, damaged)


def get_attribute_value_multi_thread(bench, kind):
    def turn(sessions, handles):
        for session in sessions:
            value = bench.get(session, handles[0], CKA_EC_PARAMS)
            bench.equal(OID_P256, bytes(value), "CKA_EC_PARAMS")
        for session in sessions:
            value = bytes(bench.get(session, handles[2], CKA_VALUE))
            whole = value[:2] == b"\x30\x82" and len(value) == 4 + (value[2] << 8 | value[3])
            bench.true(whole, "the certificate is no DER sequence of its length")

    rounds(bench, kind, turn)


def sign_verify_multi_thread(bench, kind):
    app = bench.app

    def turn(sessions, handles):
        private, public, _ = handles
        for session in sessions:
            bench.expect(CKR_OK, app.C_SignInit, session, CKM_ECDSA, private)
        made = []
        for session in reversed(sessions):
            made.append(bench.expect(CKR_OK, app.C_Sign, session, vectors.DIGEST, 64))
        for session in sessions:
            bench.expect(CKR_OK, app.C_VerifyInit, session, CKM_ECDSA, public)
        for session, signature in zip(sessions, made):
            bench.expect(CKR_OK, app.C_Verify, session, vectors.DIGEST, signature)

    rounds(bench, kind, turn)


def tests(bench):
    """Return [(group, [(name, function, or None where the switches exclude it)])]."""
    on = bench.switches
    needs_import = on.ec and on.import_keys
    may_create = on.ec and not on.preprovisioned
    rows = (
        ("AFQP_CreateObject", create_object, needs_import),
        ("AFQP_CreateObjectDestroyObjectKeys", create_object_destroy_object_keys, needs_import),
        (
            "AFQP_CreateObjectDestroyObjectCertificates",
            create_object_destroy_object_certificates,
            may_create,
        ),
        ("AFQP_GenerateKeyPair", generate_key_pair, on.ec and on.generate),
        ("AFQP_FindObject", find_object, on.ec),
        ("AFQP_GetAttributeValue", get_attribute_value, on.ec),
        ("AFQP_Sign", sign, on.ec),
        ("AFQP_Verify", verify, on.ec),
        ("AFQP_FindObjectMultiThread", find_object_multi_thread, on.ec),
        ("AFQP_GetAttributeValueMultiThread", get_attribute_value_multi_thread, on.ec),
        ("AFQP_SignVerifyMultiThread", sign_verify_multi_thread, on.ec),
        ("AFQP_DestroyObject", destroy_object, may_create),
    )
    return listed("Full_PKCS11_EC", rows, objects)
