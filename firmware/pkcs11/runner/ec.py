# SPDX-License-Identifier: MIT
"""Group Full_PKCS11_EC: objects, keys, signatures on P-256.

Promises the guide's checks, each for every way to provision that is on (import, generate,
pre-provisioned). The "threads" are sessions whose calls take turns. Beyond the guide a signature
over other data and a damaged one have to be refused.
"""

import p11crypto

from ..const import (
    CKA_CLASS,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_KEY_TYPE,
    CKA_LABEL,
    CKA_VALUE,
    CKK_EC,
    CKM_ECDSA,
    CKO_CERTIFICATE,
    CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
    CKR_ATTRIBUTE_SENSITIVE,
    CKR_OBJECT_HANDLE_INVALID,
    CKR_OK,
    CKR_SIGNATURE_INVALID,
)
from ..der import OID_P256
from . import objects, vectors
from .switches import GENERATE, IMPORT, PREPROVISIONED

P256 = 1  # of p11crypto
NO_SUCH_LABEL = b"This label doesn't exist"
HALVES = (("private", CKO_PRIVATE_KEY), ("public", CKO_PUBLIC_KEY))
ALL = HALVES + (("certificate", CKO_CERTIFICATE),)


def _all_found(bench, session, handles):
    for (role, object_class), handle in zip(ALL, handles):
        found = bench.find(session, bench.labels[role], object_class)
        bench.equal(handle, found, "handle of the " + role)
        bench.true(found != 0, "no " + role)


def _gone(bench, session, handles):
    for handle in handles:
        bench.expect(
            CKR_OBJECT_HANDLE_INVALID, bench.app.C_GetAttributeValue, session, handle, [CKA_CLASS]
        )
    for role, label in bench.labels.items():
        for object_class in objects.CLASSES[role]:
            bench.equal(0, bench.find(session, label, object_class), "found again: " + role)


def _sensitive(bench, session, private):
    call = bench.app.C_GetAttributeValue
    error = bench.expect(CKR_ATTRIBUTE_SENSITIVE, call, session, private, [(CKA_VALUE, 32)])
    bench.equal([None], error.values, "the private value was given away")


def _independent(bench, session, public, signature):
    """Check r || s without C_Verify: by the library below, from CKA_EC_POINT."""
    bench.equal(64, len(signature), "length of the signature")
    point = bench.get(session, public, CKA_EC_POINT)
    bench.equal(67, len(point), "length of CKA_EC_POINT")
    good = p11crypto.ecdsa_verify(P256, bytes(point[2:]), vectors.DIGEST, bytes(signature))
    bench.true(good, "the signature is not the key's")


def create_object(bench):
    session = bench.start()
    _all_found(bench, session, bench.provision(session, IMPORT))


def destroy_object(bench):
    session = bench.start()
    for method in bench.switches.methods():
        handles = bench.provision(session, method)
        bench.clear(session)
        _gone(bench, session, handles)


def create_object_destroy_object_keys(bench):
    session = bench.start()
    bench.clear(session)
    first = objects.imported(bench, session)
    second = objects.imported(bench, session)  # under the same labels
    bench.equal(4, len(set(first + second)), "handles are not distinct")
    bench.clear(session)
    _gone(bench, session, first + second)


def create_object_destroy_object_certificates(bench):
    session = bench.start()
    bench.clear(session)
    made = [objects.certificate(bench, session, role) for role in ("certificate", "jitp", "root")]
    made.append(objects.public(bench, session, "code"))
    for handle in made[:3]:
        value = bench.get(session, handle, CKA_VALUE)
        bench.equal(vectors.CERTIFICATE, bytes(value), "the certificate was changed")
    bench.equal(made[3], bench.find(session, bench.labels["code"], CKO_PUBLIC_KEY))
    bench.clear(session)
    _gone(bench, session, made)


def generate_key_pair(bench):
    app = bench.app
    session = bench.start()
    private, public, _ = bench.provision(session, GENERATE)
    for handle, object_class in ((private, CKO_PRIVATE_KEY), (public, CKO_PUBLIC_KEY)):
        bench.equal(object_class, bench.get(session, handle, CKA_CLASS), "CKA_CLASS")
        bench.equal(CKK_EC, bench.get(session, handle, CKA_KEY_TYPE), "CKA_KEY_TYPE")
    bench.equal(OID_P256, bytes(bench.get(session, private, CKA_EC_PARAMS)), "CKA_EC_PARAMS")
    _sensitive(bench, session, private)
    signature = bench.expect(CKR_OK, bench.sign, session, private, vectors.DIGEST)
    _independent(bench, session, public, signature)
    bench.expect(CKR_OK, bench.verify, session, public, vectors.DIGEST, signature)
    point = bytes(bench.get(session, public, CKA_EC_POINT))
    app.C_CloseSession(session)
    session = bench.start()
    for role, object_class in HALVES:
        bench.true(bench.find(session, bench.labels[role], object_class), "lost: " + role)
    bench.provision(session, GENERATE)
    public = bench.find(session, bench.labels["public"], CKO_PUBLIC_KEY)
    other = bytes(bench.get(session, public, CKA_EC_POINT))
    bench.true(other != point, "the same key was generated twice")


def find_object(bench):
    session = bench.start()
    for method in bench.switches.methods():
        handles = bench.provision(session, method)
        if method == PREPROVISIONED:
            bench.true(handles[0] and handles[1], "no pre-provisioned key")
        else:
            _all_found(bench, session, handles)
        bench.equal(0, bench.find(session, NO_SUCH_LABEL, CKO_PUBLIC_KEY), "found without label")


def get_attribute_value(bench):
    session = bench.start()
    for method in bench.switches.methods():
        private, public, certificate = bench.provision(session, method)
        for handle, kind, wanted in (
            (private, CKA_CLASS, CKO_PRIVATE_KEY),
            (private, CKA_KEY_TYPE, CKK_EC),
            (private, CKA_EC_PARAMS, OID_P256),
            (public, CKA_CLASS, CKO_PUBLIC_KEY),
            (public, CKA_EC_PARAMS, OID_P256),
            (public, CKA_EC_POINT, objects.WRAPPED if method == IMPORT else None),
            (certificate, CKA_CLASS, CKO_CERTIFICATE),
            (certificate, CKA_VALUE, None if method == PREPROVISIONED else vectors.CERTIFICATE),
        ):
            value = bench.expect(CKR_OK, bench.get, session, handle, kind)
            if wanted is not None:
                bench.equal(wanted, value, "attribute 0x%x" % kind)
        _sensitive(bench, session, private)


def sign(bench):
    app = bench.app
    session = bench.start()
    for method in bench.switches.methods():
        private, public, _ = bench.provision(session, method)
        signature = bench.expect(CKR_OK, bench.sign, session, private, vectors.DIGEST)
        bench.expect(CKR_OK, app.C_SignInit, session, CKM_ECDSA, private)
        bench.equal(64, bench.length(app.C_Sign, session, vectors.DIGEST, 0), "length")
        _independent(bench, session, public, signature)  # while that operation is open
        signature = bench.expect(CKR_OK, app.C_Sign, session, vectors.DIGEST, 64)
        _independent(bench, session, public, signature)


def verify(bench):
    session = bench.start()
    for method in bench.switches.methods():
        private, public, _ = bench.provision(session, method)
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


def _rounds(bench, turn):
    """Provision, then let turn(sessions, handles) run loops times, for each way to provision."""
    for method in bench.switches.methods():
        first = bench.start()
        handles = bench.provision(first, method)
        sessions = [first] + [bench.start() for _ in range(bench.switches.tasks - 1)]
        for _ in range(bench.switches.loops):
            turn(sessions, handles)
        for session in sessions[1:]:
            bench.app.C_CloseSession(session)


def find_object_multi_thread(bench):
    app = bench.app

    def turn(sessions, handles):
        for (role, object_class), handle in zip(ALL, handles):
            template = [(CKA_LABEL, bench.labels[role]), (CKA_CLASS, object_class)]
            for session in sessions:
                bench.expect(CKR_OK, app.C_FindObjectsInit, session, template)
            for session in sessions:
                found = bench.expect(CKR_OK, app.C_FindObjects, session, 1)
                bench.equal([handle], list(found), "handle of the " + role)
            for session in reversed(sessions):
                bench.expect(CKR_OK, app.C_FindObjectsFinal, session)

    _rounds(bench, turn)


def get_attribute_value_multi_thread(bench):
    def turn(sessions, handles):
        for session in sessions:
            value = bench.get(session, handles[0], CKA_EC_PARAMS)
            bench.equal(OID_P256, bytes(value), "CKA_EC_PARAMS")
        for session in sessions:
            value = bytes(bench.get(session, handles[2], CKA_VALUE))
            whole = value[:2] == b"\x30\x82" and len(value) == 4 + (value[2] << 8 | value[3])
            bench.true(whole, "the certificate is no DER sequence of its length")

    _rounds(bench, turn)


def sign_verify_multi_thread(bench):
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

    _rounds(bench, turn)


def tests(bench):
    """Return [(group, [(name, function, or None where the switches exclude it)])]."""
    on = bench.switches
    needs_import = on.import_keys
    may_create = not on.preprovisioned
    listed = (
        ("AFQP_CreateObject", create_object, needs_import),
        ("AFQP_CreateObjectDestroyObjectKeys", create_object_destroy_object_keys, needs_import),
        (
            "AFQP_CreateObjectDestroyObjectCertificates",
            create_object_destroy_object_certificates,
            may_create,
        ),
        ("AFQP_GenerateKeyPair", generate_key_pair, on.generate),
        ("AFQP_FindObject", find_object, True),
        ("AFQP_GetAttributeValue", get_attribute_value, True),
        ("AFQP_Sign", sign, True),
        ("AFQP_Verify", verify, True),
        ("AFQP_FindObjectMultiThread", find_object_multi_thread, True),
        ("AFQP_GetAttributeValueMultiThread", get_attribute_value_multi_thread, True),
        ("AFQP_SignVerifyMultiThread", sign_verify_multi_thread, True),
        ("AFQP_DestroyObject", destroy_object, may_create),
    )
    return [("Full_PKCS11_EC", [(name, test if go else None) for name, test, go in listed])]
