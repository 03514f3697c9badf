# SPDX-License-Identifier: MIT
"""Keys and certificates as the board takes them and gives them.

The board only ever gets raw values: a certificate's DER, a public point 04 || X || Y, a private
scalar, the numbers of an RSA key.
"""

import hashlib
from dataclasses import dataclass, field

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x448, x25519

from p11board.errors import FileProblem

CERTIFICATE = "certificate"
PUBLIC_KEY = "public key"
PRIVATE_KEY = "private key"
DATA = "data"
# Curves the token stores: name in `cryptography` -> (name for people, bytes of a coordinate).
CURVES = {"secp256r1": ("P-256", 32)}
RSA_BITS = 2048
STORES = "this token stores EC keys on P-256 and RSA keys of 2048 bits"
OTHER_KEYS = (
    ((dsa.DSAPublicKey, dsa.DSAPrivateKey), "a DSA"),
    ((ed25519.Ed25519PublicKey, ed25519.Ed25519PrivateKey), "an Ed25519"),
    ((ed448.Ed448PublicKey, ed448.Ed448PrivateKey), "an Ed448"),
    ((x25519.X25519PublicKey, x25519.X25519PrivateKey), "an X25519"),
    ((x448.X448PublicKey, x448.X448PrivateKey), "an X448"),
)


@dataclass(frozen=True)
class Item:
    """A key or certificate: `kind`, `value` as the board takes it, and more for people.

    `extra` holds what goes along to the board (hex strings for a certificate's names).
    """

    kind: str
    value: bytes = field(repr=False)
    description: str
    curve: str = ""
    point: bytes = b""  # subjectPublicKey in or belonging to the item: 04 || X || Y, RSAPublicKey
    extra: dict = field(default_factory=dict)


def certificate_item(certificate):
    """The Item for an x509.Certificate."""
    der = certificate.public_bytes(serialization.Encoding.DER)
    extra = {
        "subject": certificate.subject.public_bytes().hex(),
        "issuer": certificate.issuer.public_bytes().hex(),
        "serial": der_integer(certificate.serial_number).hex(),
    }
    who = certificate.subject.rfc4514_string() or "an empty subject"
    public = certificate_point(certificate)
    return Item(CERTIFICATE, der, f"a certificate of {who}", point=public, extra=extra)


def certificate_point(certificate):
    """The public key in a certificate, as point() gives it; b"" where its key is none the token stores."""
    try:
        key = certificate.public_key()
    except (ValueError, UnsupportedAlgorithm):
        return b""
    curve = getattr(getattr(key, "curve", None), "name", "")
    return point(key) if curve in CURVES or isinstance(key, rsa.RSAPublicKey) else b""


def public_item(key, name="the key"):
    """The Item for a public key object. Raises FileProblem where the token cannot store it."""
    if isinstance(key, rsa.RSAPublicKey):
        return _rsa_public_item(_rsa(key, name, PUBLIC_KEY))
    curve, _ = _curve(key, name, PUBLIC_KEY)
    return Item(PUBLIC_KEY, point(key), f"a {curve} public key", curve, point(key))


def private_item(key, name):
    """The Item for a private key object. Raises FileProblem where the token cannot store it."""
    if isinstance(key, rsa.RSAPrivateKey):
        return _rsa_private_item(_rsa(key, name, PRIVATE_KEY), name)
    curve, size = _curve(key, name, PRIVATE_KEY)
    scalar = key.private_numbers().private_value.to_bytes(size, "big")
    return Item(PRIVATE_KEY, scalar, f"a {curve} private key", curve, point(key.public_key()))


def _rsa(key, name, kind):
    """The key again, if it has the size the token takes."""
    if key.key_size != RSA_BITS:
        raise FileProblem(f"{name} holds an RSA {kind} of {key.key_size} bits", STORES)
    public = key if isinstance(key, rsa.RSAPublicKey) else key.public_key()
    exponent = public.public_numbers().e
    if exponent >= 1 << 32:
        raise FileProblem(
            f"{name} holds an RSA {kind} with the public exponent {exponent}",
            "this token takes exponents up to 32 bits; nearly all keys have 65537",
        )
    return key


def _rsa_public_item(key):
    numbers = key.public_numbers()
    modulus = numbers.n.to_bytes(RSA_BITS // 8, "big")
    extra = {"exponent": numbers.e.to_bytes(4, "big").hex()}
    return Item(PUBLIC_KEY, modulus, "an RSA public key", point=point(key), extra=extra)


def _rsa_private_item(key, name):
    own, half = key.private_numbers(), RSA_BITS // 16
    if own.p.bit_length() != own.q.bit_length():
        raise FileProblem(f"{name} holds an RSA key whose primes differ in size", STORES)
    numbers = (own.p, own.q, own.dmp1, own.dmq1, own.iqmp)
    value = own.d.to_bytes(2 * half, "big") + b"".join(n.to_bytes(half, "big") for n in numbers)
    public = _rsa_public_item(key.public_key())
    extra = {"modulus": public.value.hex(), **public.extra}
    return Item(PRIVATE_KEY, value, "an RSA private key", point=public.point, extra=extra)


def _curve(key, name, kind):
    for classes, what in OTHER_KEYS:
        if isinstance(key, classes):
            raise FileProblem(f"{name} holds {what} {kind}", STORES)
    curve = getattr(getattr(key, "curve", None), "name", type(key).__name__)
    if curve not in CURVES:
        raise FileProblem(f"{name} holds a {kind} on the curve {curve}", STORES)
    return CURVES[curve]


def point(key):
    """The subjectPublicKey of a public key: 04 || X || Y (65 bytes for P-256), or RSAPublicKey."""
    if isinstance(key, rsa.RSAPublicKey):
        return key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.PKCS1)
    return key.public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint
    )


def public_key(value):
    """A `cryptography` public key from what the board returns: 04 || X || Y, or SPKI for RSA."""
    value = bytes(value)
    try:
        if value[:1] == b"\x30":
            return serialization.load_der_public_key(value)
        return ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), value)
    except ValueError as error:
        raise FileProblem(f"the board returned no public key ({error})") from None


def public_half(item):
    """The public key Item that belongs to a private key Item."""
    if item.curve:
        words = f"a {item.curve} public key"
        return Item(PUBLIC_KEY, item.point, words, item.curve, item.point)
    return _rsa_public_item(serialization.load_der_public_key(item.point))


def key_identifier(public_point):
    """The CKA_ID that ties a pair and its certificate together, as the board itself makes it.

    RFC 7093 §2, method 1: the left 160 bits of SHA-256 over 04 || X || Y.
    """
    return hashlib.sha256(public_point).digest()[:20]


def der_integer(number):
    """A non-negative integer as DER INTEGER, the form of CKA_SERIAL_NUMBER."""
    content = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes([2, len(content)]) + content
