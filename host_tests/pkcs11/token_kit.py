# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""What the tests of the token layer share: templates of the guide, keys, certificates, checks."""

import datetime
import hashlib
import itertools
from contextlib import contextmanager

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.x509.oid import NameOID

from pkcs11.const import *
from pkcs11.der import OID_P256
from pkcs11.errors import P11Error

RW = CKF_SERIAL_SESSION | CKF_RW_SESSION
RO = CKF_SERIAL_SESSION
DIGEST = bytes(range(32))


@contextmanager
def raises_one_of(*codes):
    """Assert that the block raises P11Error with one of these codes."""
    names = " or ".join(name_of("CKR_", ckr) for ckr in codes)
    try:
        yield
    except P11Error as error:
        assert error.ckr in codes, "%s, expected %s" % (error, names)
    else:
        raise AssertionError("no error, expected %s" % names)


def raises(ckr):
    """Assert that the block raises P11Error with this code."""
    return raises_one_of(ckr)


_number = itertools.count(1)


P256 = ec.SECP256R1()


def ec_key(curve=P256):
    """Return a key that is new in this run and the same in every run, as test names must be."""
    seed = hashlib.sha384(b"test key %d" % next(_number)).digest()[: curve.key_size // 8]
    return ec.derive_private_key(int.from_bytes(seed, "big") >> 1, curve)


def scalar(key, size=32):
    return key.private_numbers().private_value.to_bytes(size, "big")


def point(key):
    public = key if hasattr(key, "verify") else key.public_key()
    return public.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def wrapped(key):
    """CKA_EC_POINT of a P-256 key."""
    return b"\x04\x41" + point(key)


def certificate(key, cn="device", size=0):
    """DER of a self-signed certificate, about `size` bytes longer if asked."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])
    now = datetime.datetime(2024, 1, 1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(0x1234567)
        .not_valid_before(now)
        .not_valid_after(now + datetime.timedelta(days=3650))
    )
    if size:
        oid = x509.ObjectIdentifier("1.3.6.1.4.1.99999.1")
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, bytes(size)), False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def verifies(public, digest, raw, algorithm=None):
    """Return whether r || s over a digest is good, according to `cryptography`."""
    if isinstance(public, bytes):
        curve = ec.SECP256R1() if len(public) == 65 else ec.SECP384R1()
        public = ec.EllipticCurvePublicKey.from_encoded_point(curve, public)
    half = len(raw) // 2
    r, s = int.from_bytes(raw[:half], "big"), int.from_bytes(raw[half:], "big")
    try:
        public.verify(
            utils.encode_dss_signature(r, s),
            digest,
            ec.ECDSA(utils.Prehashed(algorithm or hashes.SHA256())),
        )
    except InvalidSignature:
        return False
    return True


def sign(key, digest, algorithm=None):
    """Return r || s made by `cryptography`."""
    size = (key.key_size + 7) // 8
    r, s = utils.decode_dss_signature(
        key.sign(digest, ec.ECDSA(utils.Prehashed(algorithm or hashes.SHA256())))
    )
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


# --- templates of the guide, attribute for attribute ---------------------------------------------

PRIVATE_LABEL = b"Device Priv TLS Key"
PUBLIC_LABEL = b"Device Pub TLS Key"
CERT_LABEL = b"Device Cert"


def guide_private(key, label=PRIVATE_LABEL):
    return [
        (CKA_CLASS, CKO_PRIVATE_KEY),
        (CKA_KEY_TYPE, CKK_EC),
        (CKA_LABEL, label),
        (CKA_TOKEN, True),
        (CKA_SIGN, True),
        (CKA_EC_PARAMS, OID_P256),
        (CKA_VALUE, scalar(key)),
    ]


def guide_public(key, label=PUBLIC_LABEL):
    return [
        (CKA_CLASS, CKO_PUBLIC_KEY),
        (CKA_KEY_TYPE, CKK_EC),
        (CKA_TOKEN, True),
        (CKA_VERIFY, True),
        (CKA_EC_PARAMS, OID_P256),
        (CKA_EC_POINT, wrapped(key)),
        (CKA_LABEL, label),
    ]


def guide_certificate(value, label=CERT_LABEL):
    return [
        (CKA_CLASS, CKO_CERTIFICATE),
        (CKA_SUBJECT, b"TestSubject"),
        (CKA_CERTIFICATE_TYPE, CKC_X_509),
        (CKA_VALUE, value),
        (CKA_LABEL, label),
        (CKA_TOKEN, True),
    ]


def guide_pair(public_label=PUBLIC_LABEL, private_label=PRIVATE_LABEL):
    public = [
        (CKA_KEY_TYPE, CKK_EC),
        (CKA_VERIFY, True),
        (CKA_EC_PARAMS, OID_P256),
        (CKA_LABEL, public_label),
    ]
    private = [
        (CKA_KEY_TYPE, CKK_EC),
        (CKA_TOKEN, True),
        (CKA_PRIVATE, True),
        (CKA_SIGN, True),
        (CKA_LABEL, private_label),
    ]
    return public, private


def generate(app, session, public=None, private=None):
    default_public, default_private = guide_pair()
    return app.C_GenerateKeyPair(
        session,
        CKM_EC_KEY_PAIR_GEN,
        default_public if public is None else public,
        default_private if private is None else private,
    )


def find(app, session, *template):
    """All handles that match."""
    app.C_FindObjectsInit(session, list(template))
    handles = []
    while True:
        more = app.C_FindObjects(session, 3)
        if not more:
            break
        handles.extend(more)
    app.C_FindObjectsFinal(session)
    return handles


def get(app, session, handle, *types):
    values = app.C_GetAttributeValue(session, handle, list(types))
    return values[0] if len(types) == 1 else values


def log_in(app, pin=b"0000", user=CKU_USER):
    session = app.C_OpenSession(1, RW)
    app.C_Login(session, user, pin)
    return session


def changed(template, kind, value):
    """A template with another value of one attribute."""
    return [(k, value if k == kind else v) for k, v in template]


def without(template, kind):
    """A template without one attribute."""
    return [entry for entry in template if entry[0] != kind]


def data_object(value=b"value"):
    return [
        (CKA_CLASS, CKO_DATA),
        (CKA_TOKEN, True),
        (CKA_LABEL, b"data"),
        (CKA_APPLICATION, b"app"),
        (CKA_OBJECT_ID, b"\x06\x01\x2a"),
        (CKA_VALUE, value),
    ]
