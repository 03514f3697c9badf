# SPDX-License-Identifier: MIT
"""The manifest of a signed update image (docs/OTA.md): 256 bytes, parsed; and what can go wrong.

    0   magic "P11S"                        64  SHA-256 of the image
    4   format, 16 bits: 1                  96  SHA-256 of the signer's point 04 || X || Y
    6   algorithm, 16 bits: 1               128 64 zeros
    8   image length                        192 signature r || s over SHA-256 of bytes 0 to 191
    12  security version
    16  board name, 24 bytes                little endian; texts are printable ASCII, padded
    40  version text, 24 bytes              with NUL

Promises: `Manifest` accepts exactly these bytes and nothing that differs in one that has no
meaning; it says nothing about the signature.
"""

import struct

from micropython import const

SIZE = const(256)
SIGNED = const(192)  # bytes under the signature
FORMAT = const(1)
ECDSA_P256_SHA256 = const(1)
IMAGE_MAX = const(0x10000000)  # bytes
VERSION_MAX = const(0xFFFF)  # of the security version

_HEAD = "<4s2H2I24s24s32s32s64s64s"


class CodeVerifyError(Exception):
    """An update image that is refused; one subclass for each reason."""


class ManifestError(CodeVerifyError):
    """There is no manifest, or one that this firmware does not know."""


class NoKeyError(CodeVerifyError):
    """The token has no P-256 key or certificate under the label."""


class WrongKeyError(CodeVerifyError):
    """The image was signed for another key than those of the token."""


class SignatureError(CodeVerifyError):
    """The signature over the manifest is wrong."""


class BoardError(CodeVerifyError):
    """The image is for another board."""


class OldVersionError(CodeVerifyError):
    """The security version is lower than one this board has had."""


class VersionLeapError(CodeVerifyError):
    """The security version is so far ahead that it must be a mistake."""


class TruncatedError(CodeVerifyError):
    """The image ends before its announced length."""


class ImageError(CodeVerifyError):
    """The image is not the one that was signed."""


class SlotError(CodeVerifyError):
    """The place for the update cannot take it, or does not hold what was written."""


class Manifest:
    """A parsed manifest. Attributes: length (bytes), security (0..65535), board, version (text),
    digest (32 bytes), key_id (32 bytes), signature (64 bytes), signed (the bytes it covers).

    ManifestError for anything but 256 well-formed bytes.
    """

    def __init__(self, data):
        if len(data) != SIZE or bytes(data[:4]) != b"P11S":
            raise ManifestError("not a signed image: no manifest at its start")
        _, form, algorithm, length, security, board, version, digest, key_id, zero, signature = (
            struct.unpack(_HEAD, data)
        )
        if form != FORMAT or algorithm != ECDSA_P256_SHA256:
            raise ManifestError("manifest format %d, algorithm %d: unknown" % (form, algorithm))
        if not 0 < length <= IMAGE_MAX or security > VERSION_MAX or zero != bytes(64):
            raise ManifestError("a field of the manifest is out of range")
        self.length = length
        self.security = security
        self.board = text(board)
        self.version = text(version)
        self.digest = digest
        self.key_id = key_id
        self.signature = signature
        self.signed = bytes(data[:SIGNED])


def text(field):
    """Return a text field; ManifestError unless it is printable ASCII, then NULs to the end."""
    end = len(field)
    while end and not field[end - 1]:
        end -= 1
    if not end:
        raise ManifestError("a text of the manifest is empty")
    for at in range(end):
        if not 0x20 <= field[at] <= 0x7E:
            raise ManifestError("a text of the manifest is not printable")
    return field[:end].decode()
