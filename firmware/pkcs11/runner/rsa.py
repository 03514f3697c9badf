# SPDX-License-Identifier: MIT
"""Group Full_PKCS11_RSA: objects, keys, PKCS #1 v1.5 signatures with 2048 bits.

Promises the guide's checks under the names of both its versions. Beyond the guide a signature over
other data and a damaged one have to be refused.
"""

import p11crypto

from ..const import (
    CKA_CLASS,
    CKA_KEY_TYPE,
    CKA_MODULUS,
    CKA_PRIVATE_EXPONENT,
    CKA_PUBLIC_EXPONENT,
    CKA_VALUE,
    CKK_RSA,
    CKM_RSA_PKCS,
    CKO_CERTIFICATE,
    CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
    CKR_OK,
    CKR_SIGNATURE_INVALID,
)
from . import objects_rsa, vectors, vectors_rsa
from .pairs import (
    create_object,
    destroy_object,
    find_object,
    find_object_multi_thread,
    listed,
    sensitive,
)
from .switches import IMPORT, PREPROVISIONED

INFO = vectors_rsa.DIGEST_INFO + vectors.DIGEST  # 51 bytes


def get_attribute_value(bench, kind):
    session = bench.start()
    for method in kind.methods(bench):
        private, public, certificate = bench.provision(session, method, kind)
        given = method == PREPROVISIONED
        for handle, attribute, wanted in (
            (private, CKA_CLASS, CKO_PRIVATE_KEY),
            (private, CKA_KEY_TYPE, CKK_RSA),
            (private, CKA_MODULUS, None if given else vectors_rsa.MODULUS),
            (public, CKA_CLASS, CKO_PUBLIC_KEY),
            (public, CKA_MODULUS, None if given else vectors_rsa.MODULUS),
            (public, CKA_PUBLIC_EXPONENT, None if given else vectors_rsa.EXPONENT),
            (certificate, CKA_CLASS, CKO_CERTIFICATE),
            (certificate, CKA_VALUE, None if given else vectors_rsa.CERTIFICATE),
        ):
            value = bench.expect(CKR_OK, bench.get, session, handle, attribute)
            if wanted is not None:
                bench.equal(wanted, value, "attribute 0x%x" % attribute)
        sensitive(bench, session, private, CKA_PRIVATE_EXPONENT, 257)


def _independent(bench, session, public, signature):
    """Check a signature without C_Verify: by the library below, from the public numbers."""
    bench.equal(256, len(signature), "length of the signature")
    modulus = bench.get(session, public, CKA_MODULUS)
    exponent = bench.get(session, public, CKA_PUBLIC_EXPONENT)
    block = p11crypto.rsa_public(modulus, exponent, signature)
    wanted = b"\0\1" + b"\xff" * (253 - len(INFO)) + b"\0" + INFO
    bench.equal(wanted, block, "the signature is not the key's")


def sign(bench, kind):
    app = bench.app
    session = bench.start()
    for method in kind.methods(bench):
        private, public, _ = bench.provision(session, method, kind)
        signature = bench.expect(CKR_OK, bench.sign, session, private, INFO, CKM_RSA_PKCS, 256)
        bench.expect(CKR_OK, app.C_SignInit, session, CKM_RSA_PKCS, private)
        bench.equal(256, bench.length(app.C_Sign, session, INFO, 0), "length")
        _independent(bench, session, public, signature)  # while that operation is open
        if method == IMPORT:
            bench.equal(vectors_rsa.SIGNATURE, bytes(signature), "another signature")
        again = bench.expect(CKR_OK, app.C_Sign, session, INFO, 256)
        bench.equal(bytes(signature), bytes(again), "two signatures of the same data differ")
        data = memoryview(INFO)  # as the host's calls give it
        bench.expect(CKR_OK, bench.verify, session, public, data, signature, CKM_RSA_PKCS)
        damaged = bytearray(signature)
        damaged[255] ^= 1
        for data, wrong in ((INFO[:-1], signature), (INFO, damaged)):
            bench.expect(
                CKR_SIGNATURE_INVALID, bench.verify, session, public, data, wrong, CKM_RSA_PKCS
            )


def create_object_find_object(bench, kind):
    create_object(bench, kind)
    find_object(bench, kind)


def create_object_get_attribute_value(bench, kind):
    create_object(bench, kind)
    get_attribute_value(bench, kind)


def tests(bench):
    """Return [(group, [(name, function, or None where the switches exclude it)])]."""
    on = bench.switches
    has_keys = on.rsa and (on.import_keys or on.preprovisioned)
    needs_import = on.rsa and on.import_keys
    rows = (
        ("AFQP_CreateObject", create_object, needs_import),
        ("AFQP_CreateObjectFindObject", create_object_find_object, needs_import),
        ("AFQP_FindObject", find_object, has_keys),
        ("AFQP_FindObjectMultiThread", find_object_multi_thread, has_keys),
        ("AFQP_CreateObjectGetAttributeValue", create_object_get_attribute_value, needs_import),
        ("AFQP_GetAttributeValue", get_attribute_value, has_keys),
        ("AFQP_Sign", sign, has_keys),
        ("AFQP_DestroyObject", destroy_object, needs_import),
    )
    return listed("Full_PKCS11_RSA", rows, objects_rsa)
