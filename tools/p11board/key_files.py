# SPDX-License-Identifier: MIT
"""Key and certificate files, decoded on the host.

Accepts PEM and DER: X.509 certificates (RFC 5280), SubjectPublicKeyInfo (RFC 5480), private
keys as SEC1 (RFC 5915), PKCS#1 (RFC 8017) and PKCS#8 (RFC 5958), encrypted PKCS#8 with its
password.  Promise: whatever else is in a file, the error names it and says what to do.
"""

import re

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from p11board.errors import FileProblem
from p11board.keys import (
    CERTIFICATE,
    PRIVATE_KEY,
    PUBLIC_KEY,
    certificate_item,
    private_item,
    public_item,
)

EXPECTED = "expected a certificate, a public key or a private key, as PEM or DER"
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


def _der_item(data, name, password):
    """Try the DER forms in turn; a certificate first, as it is the commonest file."""
    for load, what in (
        (x509.load_der_x509_certificate, lambda certificate, _: certificate_item(certificate)),
        (serialization.load_der_public_key, public_item),
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
        return certificate_item(load(data))  # names are parsed when they are asked for
    except ValueError as error:
        raise _broken(name, CERTIFICATE, error) from None


def _public(load, data, name):
    try:
        key = load(data)
    except (ValueError, TypeError) as error:
        raise _broken(name, PUBLIC_KEY, error) from None
    return public_item(key, name)


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
    return private_item(key, name)


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
