# SPDX-License-Identifier: MIT
"""Update images are verified here before anything runs them.

    from pkcs11 import codeverify
    manifest = codeverify.install("/update.p11u", appslots.Slot())     the one call of OTA code
    manifest = codeverify.verify("/update.p11u")                       the checks alone

A signed image is a manifest (pkcs11.manifest, docs/OTA.md) and the image it names. The key is the
"Code Verify Key" of the token: a P-256 public key, or a certificate with one, stored under this
label. The version floor is counter 2 of the store, which never goes back.

Promises: every reason to refuse is its own subclass of CodeVerifyError; all that can be found out
from the manifest is found out before the first byte is written; the image is read once, in pieces
of CHUNK bytes; nothing becomes bootable before what lies in flash has been verified. What the
token itself cannot do is a P11Error.

Without login nobody checks that the key in the store is the one its owner stored; with a token
that is logged in (token=pkcs11.open(pin=...)) its MAC is checked (docs/THREATS.md).
"""

from micropython import const

from . import der
from .const import (
    CKA_CLASS,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_KEY_TYPE,
    CKA_LABEL,
    CKA_TOKEN,
    CKA_VERIFY,
    CKK_EC,
    CKM_SHA256,
    CKO_CERTIFICATE,
    CKO_PUBLIC_KEY,
    CKR_DEVICE_ERROR,
)
from .errors import P11Error
from .keys import Object
from .manifest import (
    SIZE,
    BoardError,
    ImageError,
    Manifest,
    NoKeyError,
    OldVersionError,
    SignatureError,
    SlotError,
    TruncatedError,
    VersionLeapError,
    WrongKeyError,
)
from .manifest import CodeVerifyError as CodeVerifyError
from .manifest import ManifestError as ManifestError

LABEL = b"Code Verify Key"
COUNTER = const(2)  # of the store: the security version this board must not go below
LEAP = const(64)  # security versions one update may move it on
CHUNK = const(4096)  # bytes


def verify(source, manifest=None, token=None, board=None):
    """Verify an image; return its Manifest.

    source: a path, a stream (anything with a blocking readinto) or a Range of flash. It begins
    with the manifest, unless that is given as bytes. token: a keys.Token, opened if None.
    board: name that the manifest must have; None: this board's.
    """
    return _with_token(token, _verify, source, manifest, board, None)


def install(source, slot, manifest=None, token=None, board=None):
    """Verify an image, write it into a slot, verify what the slot holds, make it bootable.

    slot: where an update goes, with begin(length), write(piece), reader(), commit();
    SlotError if it cannot take it. When this returns, the next boot runs the new image. When it
    raises, or power goes: the image that runs is untouched and boots again.
    """
    return _with_token(token, _verify, source, manifest, board, slot)


def floor(token=None):
    """Return the lowest security version that this board still takes (0: any)."""
    return _with_token(token, _floor)


class Range:
    """Part of a flash region as a stream: rawflash.Region, esp32.Partition or a like block device.

    offset, length in bytes; length None: to the end (rawflash.Region only).
    """

    def __init__(self, device, offset=0, length=None):
        self.device = device
        self.at = offset
        self.end = device.size() if length is None else offset + length

    def readinto(self, buf):
        """Fill buf from where the last call stopped; return the number of bytes, 0 at the end."""
        count = min(len(buf), self.end - self.at)
        if count > 0:
            view = memoryview(buf)[:count]
            if hasattr(self.device, "readblocks"):
                self.device.readblocks(0, view, self.at)
            elif self.device.read(self.at, view) == 2:
                raise OSError(5)  # EIO: a unit of the flash is lost
            self.at += count
        return count


def _with_token(token, function, *arguments):
    if token is not None:
        return function(token, *arguments)
    from . import open as open_token

    with open_token() as own:
        return function(own, *arguments)


def _verify(token, source, given, board, slot):
    if isinstance(source, str):
        with open(source, "rb") as file:
            return _from_stream(token, file, given, board, slot, True)
    return _from_stream(token, source, given, board, slot, False)


def _from_stream(token, stream, given, board, slot, whole):
    """whole: the stream must end with the image."""
    if given is None:
        given = bytearray(SIZE)
        given = memoryview(given)[: _fill(stream, given)]
    manifest = Manifest(given)
    _check_signature(token, manifest)
    _check_board(manifest, board)
    _check_version(token, manifest)
    if slot is not None:
        slot.begin(manifest.length)
    _check_image(token, manifest, stream, slot)
    if whole and stream.read(1):
        raise ImageError("the file goes on behind the image")
    if slot is not None:
        try:
            _check_image(token, manifest, slot.reader(), None)
        except (ImageError, TruncatedError):
            raise SlotError("the flash does not hold what was written")
        _raise_floor(token, manifest.security)
        slot.commit()
    return manifest


# --- the checks, in their order ------------------------------------------------------------------


def _check_signature(token, manifest):
    found = 0
    for point in _points(token):
        found += 1
        if _sha256(token, point) == manifest.key_id:
            break
    else:
        if not found:
            raise NoKeyError("no P-256 key or certificate under 'Code Verify Key'")
        raise WrongKeyError("signed for another key than the token's 'Code Verify Key'")
    key = _session_key(token, point)
    try:
        if not key.verify(_sha256(token, manifest.signed), manifest.signature):
            raise SignatureError("the signature of the manifest is wrong")
    finally:
        key.destroy()


def _check_board(manifest, board):
    if board is None:
        from geometry import BOARD as board
    if manifest.board != board:
        raise BoardError("the image is for %s, this is %s" % (manifest.board, board))


def _check_version(token, manifest):
    least = _floor(token)
    if manifest.security < least:
        raise OldVersionError(
            "security version %d, this board takes %d and later" % (manifest.security, least)
        )
    if manifest.security > least + LEAP:
        raise VersionLeapError(
            "security version %d, more than %d ahead of %d" % (manifest.security, LEAP, least)
        )


def _check_image(token, manifest, stream, slot):
    """Read the image once; hand each piece to the slot, if there is one."""
    app, session = token.app, token.session
    app.C_DigestInit(session, CKM_SHA256)
    piece = bytearray(CHUNK)
    left = manifest.length
    try:
        while left:
            part = memoryview(piece)[: min(left, CHUNK)]
            size = _fill(stream, part)
            if size < len(part):
                raise TruncatedError(
                    "%d of %d bytes of the image"
                    % (manifest.length - left + size, manifest.length)
                )
            app.C_DigestUpdate(session, part)
            if slot is not None:
                slot.write(part)
            left -= size
    finally:
        digest = app.C_DigestFinal(session)  # also ends the operation
    if digest != manifest.digest:
        raise ImageError("the image is not the one that was signed")


def _fill(stream, buf):
    """Fill buf from a stream; return how many bytes there were."""
    view = memoryview(buf)
    done = 0
    while done < len(view):
        count = stream.readinto(view[done:])
        if not count:
            break
        done += count
    return done


# --- what the token gives -------------------------------------------------------------------------


def _points(token):
    """Yield the points of all P-256 keys and certificates under the label."""
    for object_class in (CKO_PUBLIC_KEY, CKO_CERTIFICATE):
        for obj in token.find(((CKA_CLASS, object_class), (CKA_LABEL, LABEL))):
            try:
                if object_class == CKO_PUBLIC_KEY:
                    if obj.get(CKA_KEY_TYPE) == CKK_EC and obj.get(CKA_EC_PARAMS) == der.OID_P256:
                        yield obj.point
                else:
                    value = obj.value
                    start, stop = der.certificate(value)[der.SPKI]
                    curve, point = der.spki_decode(value[start:stop])
                    if curve == der.P256:
                        yield point
            except ValueError:
                pass  # a certificate without an EC key


def _session_key(token, point):
    """The point as a key of this session: stored keys and certificates are used alike."""
    template = (
        (CKA_CLASS, CKO_PUBLIC_KEY),
        (CKA_KEY_TYPE, CKK_EC),
        (CKA_TOKEN, False),
        (CKA_VERIFY, True),
        (CKA_EC_PARAMS, der.OID_P256),
        (CKA_EC_POINT, der.point_encode(point)),
    )
    return Object(token, token.app.C_CreateObject(token.session, template))


def _sha256(token, data):
    token.app.C_DigestInit(token.session, CKM_SHA256)
    return token.app.C_Digest(token.session, data)


def _floor(token):
    pal = token.app.token.pal
    try:
        return pal.value(COUNTER)
    except pal.StoreError:
        raise P11Error(CKR_DEVICE_ERROR)


def _raise_floor(token, security):
    """Before the image becomes bootable: a power cut between the two leaves the stricter state."""
    pal = token.app.token.pal
    try:
        while pal.value(COUNTER) < security:
            pal.advance(COUNTER)
    except pal.StoreError:
        raise P11Error(CKR_DEVICE_ERROR)
