# SPDX-License-Identifier: MIT
"""Twin of the C module p11crypto, written with `cryptography`.

Promises the names, argument checks, exceptions, byte formats and wiping of the C module, so that
`pal` and `pkcs11` run on CPython as they are. Assumes nothing about speed or side channels: it is
for tests only. Key values stay in this file's slot table; callers hold handles.

Exceptions: ValueError("slot") stale or foreign handle or wrong kind; ValueError(word) for any
other bad argument; MemoryError out of slots; OSError(EIO) entropy failure; TypeError for a secret
given in a read-only buffer.
"""

import hashlib
import hmac

import entropy_py as _entropy
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes as _hashes
from cryptography.hazmat.primitives.asymmetric import ec as _ec
from cryptography.hazmat.primitives.asymmetric import utils as _utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from entropy_py import device_secret, has_source, test_no_source, test_source
from rsa_py import *  # noqa: F403
from secret_py import *  # noqa: F403
from slots_py import (
    SECRET_MAX,
    release,
    room,
    slot_of,
    slots_used,
    take,
    wipe,
    wipe_all,
    writable,
)

__all__ = [  # noqa: F405
    "Aes",
    "Cmac",
    "EC_P256",
    "EC_P384",
    "Hash",
    "Hmac",
    "MASTER",
    "P256",
    "P384",
    "RSA_2048",
    "SECRET",
    "SHA1",
    "SHA224",
    "SHA256",
    "SHA384",
    "SHA512",
    "compare",
    "device_pin",
    "device_secret",
    "ec_check",
    "ec_generate",
    "ec_import",
    "ec_public",
    "ecdh",
    "ecdsa_sign",
    "ecdsa_verify",
    "entropy_info",
    "entropy_seed",
    "hardware_poll",
    "has_source",
    "mac",
    "master_new",
    "master_unwrap",
    "master_wrap",
    "random",
    "random_add",
    "release",
    "rsa_import",
    "rsa_private",
    "rsa_public",
    "seal",
    "seal_bytes",
    "secret_export",
    "secret_generate",
    "secret_import",
    "secret_size",
    "sha256",
    "slots_used",
    "test_no_source",
    "test_reset",
    "test_source",
    "unseal",
    "unseal_bytes",
    "wipe",
    "wipe_all",
]

P256, P384 = 1, 2
EC_P256, EC_P384, SECRET, MASTER, RSA_2048 = 1, 2, 3, 4, 5  # kinds of key slots
SHA1, SHA224, SHA256, SHA384, SHA512 = 1, 2, 3, 4, 5

_HASHES = {SHA1: "sha1", SHA224: "sha224", SHA256: "sha256", SHA384: "sha384", SHA512: "sha512"}
_CURVES = {
    P256: (
        _ec.SECP256R1(),
        32,
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        _hashes.SHA256(),
    ),
    P384: (
        _ec.SECP384R1(),
        48,
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
        _hashes.SHA384(),
    ),
}


def _bounded(name, value, low, high):
    value = bytes(value)
    if not low <= len(value) <= high:
        raise ValueError(name)
    return value


def _curve(curve):
    if curve not in _CURVES:
        raise ValueError("curve")
    return _CURVES[curve]


# --- random ------------------------------------------------------------------------------------


def random(buf):
    """Fill a writable buffer from the DRBG. OSError(EIO) when the source failed."""
    view = writable(buf)
    view[:] = _entropy.output(len(view))


def random_add(data):
    """Mix data into the DRBG as additional input; it never replaces the source."""
    _entropy.mix(bytes(data))


def hardware_poll(buf):
    """Fill a writable buffer with source bytes that passed the health tests."""
    view = writable(buf)
    view[:] = _entropy.poll(len(view))


def entropy_seed(seed, personal):
    """Seed the DRBG of a build without source; elsewhere and later mix the seed in.

    seed: 64 bytes, used once, a writable buffer that is wiped. personal: at most 64 bytes.
    ValueError("seed"), ValueError("context"): a length is wrong.
    """
    personal = bytes(personal)
    view = writable(seed)
    try:
        if len(view) != 64:
            raise ValueError("seed")
        if len(personal) > 64:
            raise ValueError("context")
        _entropy.seed(bytes(view), personal)
    finally:
        wipe(view)


def entropy_info():
    """Return (state, samples, rct alarms, apt alarms, restarts, reseeds).

    state: 0 not started, 1 ok, 2 failed until power-on.
    """
    return _entropy.info()


# --- hashes ------------------------------------------------------------------------------------


def sha256(data):
    """Return the 32 bytes of SHA-256 of data."""
    return hashlib.sha256(data).digest()


class Hash:
    """A running hash. ValueError("hash") for an unknown algorithm or after wipe()."""

    def __init__(self, alg):
        if alg not in _HASHES:
            raise ValueError("hash")
        self._state = hashlib.new(_HASHES[alg])

    def _live(self):
        if self._state is None:
            raise ValueError("hash")
        return self._state

    def update(self, data):
        """Add data."""
        self._live().update(data)

    def digest(self):
        """Return the digest of everything added so far; the state stays."""
        return self._live().digest()

    def copy(self):
        """Return an independent Hash with the same state."""
        other = Hash.__new__(Hash)
        other._state = self._live().copy()
        return other

    def wipe(self):
        """Forget the state; every later call but wipe() fails."""
        self._state = None


# --- elliptic curves ---------------------------------------------------------------------------


def ec_generate(curve):
    """Return a slot holding a new random key of the curve."""
    _, size, order, _ = _curve(curve)
    room(SECRET)
    _entropy.reseed()
    while True:
        scalar = int.from_bytes(_entropy.output(size), "big")
        if 0 < scalar < order:
            return take(curve, scalar.to_bytes(size, "big"))


def ec_import(curve, scalar):
    """Return a slot holding scalar (exact length, 1..n-1); the writable buffer is wiped."""
    view = writable(scalar)
    try:
        _, size, order, _ = _curve(curve)
        if len(view) != size or not 0 < int.from_bytes(view, "big") < order:
            raise ValueError("scalar")
        return take(curve, view)
    finally:
        wipe(view)


def _private(slot):
    curve, _, _, digest = _CURVES[slot.kind]
    return _ec.derive_private_key(int.from_bytes(slot.value, "big"), curve), digest


def ec_public(slot):
    """Return the public point of a key slot: 04 || X || Y."""
    entry = slot_of(slot, EC_P256, EC_P384)
    _entropy.output(0)  # the firmware blinds the multiplication
    key, _ = _private(entry)
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _point(curve, point):
    group, size, _, _ = _curve(curve)
    point = bytes(point)
    if len(point) != 1 + 2 * size or point[0] != 4:
        return None
    try:
        return _ec.EllipticCurvePublicKey.from_encoded_point(group, point)
    except ValueError:
        return None


def ec_check(curve, point):
    """Return whether point is an uncompressed point of the curve."""
    return _point(curve, point) is not None


def _prehash(digest, size):
    digest = bytes(digest)
    if not digest:
        raise ValueError("digest")
    return digest[:size].rjust(size, b"\0")


def ecdsa_sign(slot, digest):
    """Return r || s over digest: 1 byte or more, the leftmost bits of the order's length count."""
    entry = slot_of(slot, EC_P256, EC_P384)
    size = _CURVES[entry.kind][1]
    digest = _prehash(digest, size)
    _entropy.output(0)
    key, algorithm = _private(entry)
    r, s = _utils.decode_dss_signature(key.sign(digest, _ec.ECDSA(_utils.Prehashed(algorithm))))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def ecdsa_verify(curve, point, digest, signature):
    """Return whether signature (r || s, exact length) is good.

    ValueError: curve, point (malformed or off the curve), digest (empty), signature (length).
    """
    _, size, order, algorithm = _curve(curve)
    digest = _prehash(digest, size)
    signature = _bounded("signature", signature, 2 * size, 2 * size)
    key = _point(curve, point)
    if key is None:
        raise ValueError("point")
    r = int.from_bytes(signature[:size], "big")
    s = int.from_bytes(signature[size:], "big")
    if not (0 < r < order and 0 < s < order):
        return False
    try:
        signature = _utils.encode_dss_signature(r, s)
        key.verify(signature, digest, _ec.ECDSA(_utils.Prehashed(algorithm)))
        return True
    except InvalidSignature:
        return False


# --- master key, sealing -----------------------------------------------------------------------


def device_pin(out):
    """Fill 32 bytes with the chip's own PIN; return False on a chip without a device secret."""
    view = writable(out)
    if len(view) != 32:
        raise ValueError("length")
    secret = device_secret()
    pin = (
        hmac.digest(secret, b"pkcs11 device pin" + b"host test chip 1", "sha256")
        .hex()
        .encode()[:32]
    )
    view[:] = pin if secret else bytes(32)
    return bool(secret)


def master_new():
    """Return a slot holding a new random master key."""
    room(SECRET)
    _entropy.reseed()
    return take(MASTER, _entropy.output(32))


def _kek(pin, salt, iterations, aad):
    pin = _bounded("pin", pin, 1, 255)
    salt = _bounded("salt", salt, 8, 64)
    aad = bytes(aad)
    if not 0 <= iterations <= 10_000_000:
        raise ValueError("iterations")
    if iterations:
        stretched = hashlib.pbkdf2_hmac("sha256", pin, salt, iterations)
    else:
        stretched = hmac.digest(salt, pin, "sha256")
    return AESGCM(hmac.digest(salt, stretched + device_secret() + aad, "sha256")), aad


def master_wrap(slot, pin, salt, iterations, aad):
    """Return the master key wrapped under a PIN: nonce 12, ciphertext 32, tag 16."""
    entry = slot_of(slot, MASTER)
    kek, aad = _kek(pin, salt, iterations, aad)
    nonce = _entropy.output(12)
    return nonce + kek.encrypt(nonce, bytes(entry.value), aad)


def master_unwrap(pin, salt, iterations, aad, blob):
    """Return a slot with the master key, or None when the tag says the PIN is wrong."""
    blob = _bounded("blob", blob, 60, 60)
    kek, aad = _kek(pin, salt, iterations, aad)
    room(SECRET)
    try:
        return take(MASTER, kek.decrypt(blob[:12], blob[12:], aad))
    except InvalidTag:
        return None


def _object_key(master, context):
    context = _bounded("context", context, 1, 32)
    return AESGCM(hmac.digest(slot_of(master, MASTER).value, b"seal" + context, "sha256"))


def seal(master, slot, context, aad):
    """Return the key of a slot sealed under the master key: nonce 12, ciphertext, tag 16."""
    key = _object_key(master, context)
    aad = bytes(aad)
    value = bytes(slot_of(slot, EC_P256, EC_P384, SECRET, RSA_2048).value)
    nonce = _entropy.output(12)
    return nonce + key.encrypt(nonce, value, aad)


def unseal(master, blob, context, aad, kind):
    """Return a slot with the sealed key. ValueError("sealed"): tag, length or range is wrong."""
    key = _object_key(master, context)
    if kind not in (EC_P256, EC_P384, SECRET, RSA_2048):
        raise ValueError("kind")
    blob = bytes(blob)
    length = len(blob) - 28
    exact = {P256: 32, P384: 48, RSA_2048: 644}
    if not 1 <= length <= 644 or length != exact.get(kind, min(length, SECRET_MAX)):
        raise ValueError("sealed")
    room(kind)
    try:
        value = key.decrypt(blob[:12], blob[12:], bytes(aad))
    except InvalidTag:
        raise ValueError("sealed") from None
    if kind in _CURVES and not 0 < int.from_bytes(value, "big") < _CURVES[kind][2]:
        raise ValueError("sealed")
    return take(kind, value)


def mac(master, context, data):
    """Return 16 bytes that bind data and context to the master key."""
    context = _bounded("context", context, 1, 32)
    message = b"mac" + bytes((len(context),)) + context + bytes(data)
    return hmac.digest(slot_of(master, MASTER).value, message, "sha256")[:16]


def compare(a, b):
    """Return whether two buffers are equal, in a time that depends on their lengths only."""
    return hmac.compare_digest(bytes(a), bytes(b))


def test_reset():
    """Tests only: what power-off and on does to this module."""
    wipe_all()
    _entropy.power_on()
