# SPDX-License-Identifier: MIT
"""Key and certificate files, decoded on the host.

Accepts PEM and DER: X.509 certificates (RFC 5280), SubjectPublicKeyInfo (RFC 5480), private
keys as SEC1 (RFC 5915), PKCS#1 (RFC 8017) and PKCS#8 (RFC 5958), encrypted PKCS#8 with its
password.  Promise: whatever else is in a file, the error names it and says what to do.  The board
only ever gets raw values: a certificate's DER, a public point 04 || X || Y, a private scalar, the
numbers of an RSA key.
"""

import hashlib
import re
from dataclasses import dataclass, field

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x448, x25519

from p11board.errors import FileProblem, UsageProblem

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

PEM_BLOCK = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----(.*?)-----END \1-----", re.DOTALL)
PEM_START = re.compile(rb"-----BEGIN ([A-Z0-9 ]+)-----")

# PEM labels that hold something we do not import, and the way out.
PEM_REFUSED = {
    "CERTIFICATE REQUEST": "have it signed by a CA and import the certificate",
    "NEW CERTIFICATE REQUEST": "have it signed by a CA and import the certificate",
    "OPENSSH PRIVATE KEY": "convert a copy with `ssh-keygen -p -m PKCS8 -f COPY`",
    "PGP PRIVATE KEY BLOCK": "export the key as PKCS#8",
    "PKCS7": "take the certificate out with `openssl pkcs7 -print_certs`",
    "X509 CRL": "a revocation list cannot be stored; give a certificate",
}


@dataclass(frozen=True)
class Item:
    """One thing found in a file: `kind`, `value` as the board takes it, and more for people.

    `extra` holds what goes along to the board (hex strings for a certificate's names).
    """

    kind: str
    value: bytes = field(repr=False)
    description: str
    curve: str = ""
    point: bytes = b""  # subjectPublicKey in or belonging to the item: 04 || X || Y, RSAPublicKey
    extra: dict = field(default_factory=dict)


def decode(data, name, wanted=None, password=None):
    """The one item in a file.

    data: the file's bytes; name: how messages call the file; wanted: a kind, to choose from a
    file that holds several; password: callable returning the password (bytes) of an encrypted
    key, called only when needed.  Raises FileProblem saying what was found instead.
    """
    if not data.strip():
        raise FileProblem(f"{name} is empty")
    items = _pem_items(data, name, password) if PEM_START.search(data) else []
    if not items:
        items = [_der_item(data, name, password)]
    chosen = [item for item in items if wanted in (None, item.kind)]
    if not chosen:
        found = " and ".join(item.description for item in items)
        raise FileProblem(f"{name} holds {found}", f"a file with a {wanted} is needed")
    if len(chosen) > 1:
        found = ", ".join(item.description for item in chosen)
        raise FileProblem(
            f"{name} holds {len(chosen)} items ({found})",
            "choose with --as, or split the file and import one at a time",
        )
    return chosen[0]


def _pem_items(data, name, password):
    items = []
    for label, _ in PEM_BLOCK.findall(data):
        label = label.decode()
        if label == "EC PARAMETERS":  # written by `openssl ecparam -genkey` before the key
            continue
        if label in PEM_REFUSED:
            raise FileProblem(f"{name} holds a {label} (PEM)", PEM_REFUSED[label])
    for match in PEM_BLOCK.finditer(data):
        label, block = match.group(1).decode(), match.group(0)
        if label == "CERTIFICATE":
            items.append(_certificate(x509.load_pem_x509_certificate, block, name))
        elif label in ("PUBLIC KEY", "RSA PUBLIC KEY"):
            items.append(_public(serialization.load_pem_public_key, block, name))
        elif label.endswith("PRIVATE KEY"):
            items.append(_private(serialization.load_pem_private_key, block, name, password))
        elif label != "EC PARAMETERS":
            raise FileProblem(f"{name} holds a PEM block {label!r}", EXPECTED)
    begun, whole = PEM_START.findall(data), PEM_BLOCK.findall(data)
    if len(begun) > len(whole) or not items:
        label = begun[-1].decode()
        raise FileProblem(
            f"{name} begins a PEM block {label!r} that does not end", "the file is truncated"
        )
    return items


EXPECTED = "expected a certificate, a public key or a private key, as PEM or DER"


def _der_item(data, name, password):
    """Try the DER forms in turn; a certificate first, as it is the commonest file."""
    for load, what in (
        (x509.load_der_x509_certificate, _certificate_item),
        (serialization.load_der_public_key, _public_item),
    ):
        try:
            return what(load(data), name)
        except (ValueError, TypeError):
            continue
    try:
        return _private(serialization.load_der_private_key, data, name, password)
    except FileProblem as problem:
        if "broken" not in problem.what:
            raise
    raise FileProblem(f"{name} {_guess(data)}", EXPECTED)


def _guess(data):
    """What unreadable bytes look like, for the error message."""
    if data[0] == 0x30:
        declared, header = _der_length(data)
        if declared is not None and header + declared > len(data):
            return (
                f"is truncated: its DER announces {header + declared} bytes, "
                f"the file has {len(data)}"
            )
        return f"is DER ({len(data)} bytes), but of none of the kinds that can be stored"
    if len(data) == 65 and data[0] == 4:
        return "looks like a bare EC point (65 bytes); wrap it as a SubjectPublicKeyInfo"
    if all(byte in b"\t\n\r" or 32 <= byte < 127 for byte in data[:256]):
        return f"is text without a PEM block ({len(data)} bytes)"
    return f"is neither PEM nor DER ({len(data)} bytes, first byte 0x{data[0]:02x})"


def _der_length(data):
    """(content length, header length) of the outermost DER element, or (None, 0)."""
    if len(data) < 2:
        return None, 0
    if data[1] < 0x80:
        return data[1], 2
    count = data[1] & 0x7F
    if not 0 < count <= 4 or len(data) < 2 + count:
        return None, 0
    return int.from_bytes(data[2 : 2 + count], "big"), 2 + count


def _broken(name, kind, error):
    reason = str(error).split(". ")[0].split("\n")[0]
    return FileProblem(f"{name}: the {kind} in it is broken ({reason})", "is the file truncated?")


def _certificate(load, data, name):
    try:
        return _certificate_item(load(data), name)  # names are parsed when they are asked for
    except ValueError as error:
        raise _broken(name, CERTIFICATE, error) from None


def _public(load, data, name):
    try:
        key = load(data)
    except (ValueError, TypeError) as error:
        raise _broken(name, PUBLIC_KEY, error) from None
    return _public_item(key, name)


def _private(load, data, name, password):
    try:
        try:
            key = load(data, None)
        except TypeError:  # cryptography's way of saying "this one is encrypted"
            if password is None:
                raise FileProblem(
                    f"{name} holds an encrypted private key", "give its password"
                ) from None
            try:
                key = load(data, password())
            except ValueError as error:
                raise FileProblem(
                    f"cannot decrypt the private key in {name}", "check the password"
                ) from error
    except ValueError as error:
        raise _broken(name, PRIVATE_KEY, error) from None
    return _private_item(key, name)


def _certificate_item(certificate, name):
    del name
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


def certificates(data, name):
    """All certificates in a file (PEM, or DER of one), in its order.

    Returns x509.Certificate objects.  Raises FileProblem, also when there is anything else.
    """
    if not data.strip():
        raise FileProblem(f"{name} is empty")
    items = _pem_items(data, name, None) if PEM_START.search(data) else []
    items = items or [_der_item(data, name, None)]
    for item in items:
        if item.kind != CERTIFICATE:
            raise FileProblem(f"{name} holds {item.description}", "certificates are needed here")
    return [x509.load_der_x509_certificate(item.value) for item in items]


def certificate_item(certificate):
    """The Item for an x509.Certificate."""
    return _certificate_item(certificate, "")


def public_item(key):
    """The Item for a public key object. Raises FileProblem where the token cannot store it."""
    return _public_item(key, "the key")


def _public_item(key, name):
    if isinstance(key, rsa.RSAPublicKey):
        return _rsa_public_item(_rsa(key, name, PUBLIC_KEY))
    curve, _ = _curve(key, name, PUBLIC_KEY)
    return Item(PUBLIC_KEY, point(key), f"a {curve} public key", curve, point(key))


def _private_item(key, name):
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


def read_file(path, name=None):
    """The bytes of a file, with a one-line error when it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageProblem(f"cannot read {name or path}: {error.strerror}") from None
