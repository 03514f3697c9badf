# SPDX-License-Identifier: MIT
"""Signed update images: the manifest of 256 bytes that a board checks (docs/OTA.md has its fields).

Promises: `sign` makes what firmware/pkcs11/manifest.py accepts (a test compares the two) and
checks the signature before it gives it out; `check` tells an image from a damaged one.
"""

import hashlib
import struct
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from p11board import csr, image, keys
from p11board.errors import FileProblem, Problem, UsageProblem

MAGIC = b"P11S"
SIZE = 256
SIGNED = 192
TEXT = 24
SECURITY_MAX = 0xFFFF
LENGTH_MAX = 0x10000000
_FIELDS = struct.Struct("<4s2H2I24s24s32s32s64s")


@dataclass(frozen=True)
class Manifest:
    """What a manifest says. length in bytes; digest and key_id: 32 bytes; signature: r || s."""

    length: int
    security: int
    board: str
    version: str
    digest: bytes
    key_id: bytes
    signature: bytes = b""

    def signed(self):
        """The bytes under the signature."""
        texts = [
            _text(value, name)
            for value, name in ((self.board, "board"), (self.version, "version"))
        ]
        numbers = (MAGIC, 1, 1, self.length, self.security)
        return _FIELDS.pack(*numbers, *texts, self.digest, self.key_id, bytes(64))

    def to_bytes(self):
        """The manifest."""
        return self.signed() + self.signature

    def verify(self, public_key):
        """Whether the signature is that of a `cryptography` public key."""
        try:
            signature = csr.der_signature(self.signature)
            public_key.verify(signature, self.signed(), ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            return False
        return True


def _text(value, name):
    data = value.encode("ascii", "replace")
    if not 0 < len(data) <= TEXT or data.decode() != value or not value.isprintable():
        raise UsageProblem(f"{name} {value!r}: 1 to {TEXT} printable ASCII characters")
    return data


def key_id(public_key):
    """How a manifest names the key that signed it."""
    return hashlib.sha256(keys.point(public_key)).digest()


def sign(data, private_key, security, board, version):
    """Return the Manifest of an image.

    private_key: a P-256 key of `cryptography`, or csr.TokenKey for one on a board.
    """
    if not 0 < len(data) <= LENGTH_MAX:
        raise FileProblem(f"the image has {len(data)} bytes, 1 to {LENGTH_MAX} can be signed")
    public = private_key.public_key()
    facts = (len(data), security, board, version, hashlib.sha256(data).digest(), key_id(public))
    der = private_key.sign(Manifest(*facts).signed(), ec.ECDSA(hashes.SHA256()))
    manifest = Manifest(*facts, csr.raw_signature(der))
    if not manifest.verify(public):
        raise Problem("the signature does not verify", "are these two halves of one key pair?")
    return manifest


def parse(data):
    """The Manifest at the start of a signed image. Raises FileProblem."""
    if data[:4] != MAGIC:
        raise FileProblem("not a signed image", "sign one with `p11board sign-image`")
    if len(data) < SIZE:
        raise FileProblem(f"the manifest is cut short: {len(data)} of {SIZE} bytes")
    _, form, algorithm, length, security, board, version, *rest = _FIELDS.unpack_from(data)
    try:
        texts = [field.rstrip(b"\0").decode("ascii") for field in (board, version)]
    except UnicodeDecodeError:
        raise FileProblem("the manifest is damaged: a text is not ASCII") from None
    manifest = Manifest(length, security, *texts, *rest[:2], bytes(data[SIGNED:SIZE]))
    # Every byte has its meaning: what does not come out the same was not made by `sign`.
    if form != 1 or algorithm != 1 or manifest.to_bytes() != bytes(data[:SIZE]):
        raise FileProblem(f"manifest format {form}, algorithm {algorithm}: not known here")
    return manifest


def unwrap(data):
    """(Manifest, image) of a signed image whose digest is right. Raises FileProblem."""
    manifest = parse(data)
    inner = data[SIZE:]
    if len(inner) != manifest.length:
        raise FileProblem(
            f"{len(inner)} bytes behind the manifest, it announces {manifest.length}"
        )
    if hashlib.sha256(inner).digest() != manifest.digest:
        raise FileProblem("the image is not the one that was signed", "fetch it again")
    return manifest, inner


def version_of(data, board):
    """The version text in an application image of the emulated board; None for other images.

    An image that begins like one but is damaged is refused: its board would not start it.
    """
    if data[:4] != image.MAGIC:
        return None
    try:
        parsed = image.parse(data)
    except image.ImageError as error:
        raise FileProblem(f"the image is not worth a signature: {error}") from None
    if len(data) != image.HEADER_SIZE + len(parsed.payload):
        raise FileProblem("bytes follow the application in the image", "build it again")
    if parsed.sequence:
        raise FileProblem("the image carries a sequence number: it was read out of a board")
    return parsed.version
