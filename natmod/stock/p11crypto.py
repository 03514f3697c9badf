# SPDX-License-Identifier: MIT
"""The module p11crypto for stock MicroPython, in Python over the native module p11native.

The names, argument checks, exceptions and byte formats are those of the C module. Not its
protection: keys lie in Python objects, so any code on the board can read them. Assumes
os.urandom, which is tested as the firmware tests its source (SP 800-90B), and hashlib.sha256;
offers P-256 and the hashes that hashlib has.
"""

import gc
import hashlib

import p11native
from p11entropy import entropy_info, hardware_poll, hmac, output, reseed

try:
    from micropython import const
except ImportError:

    def const(value):
        """Return value."""
        return value


# The bytecode of all packages goes to the heap. Collected only when it is full, that leaves no piece
# of 1 KB in 174 KB, though a quarter is free. pkcs11 imports this module before most others.
if hasattr(gc, "threshold") and gc.threshold() < 0:
    gc.threshold(16384)

P256 = const(1)
EC_P256 = const(1)  # kinds of key slots
SECRET = const(3)
MASTER = const(4)
SHA256 = const(3)

_SLOTS = const(64)
_SECRET_MAX = const(64)
_GENERATIONS = const(1 << 22)

_HASHES = {SHA256: hashlib.sha256}
if hasattr(hashlib, "sha1"):
    SHA1 = const(1)
    _HASHES[SHA1] = hashlib.sha1

_kinds = bytearray(_SLOTS)
_generations = [1] * _SLOTS
_values = [None] * _SLOTS


def wipe(buf):
    """Zero a writable buffer."""
    for i in range(len(buf)):
        buf[i] = 0


# --- slots -------------------------------------------------------------------------------------


def _slot(handle, *kinds):
    """The value behind a handle of one of the kinds. ValueError("slot") otherwise."""
    index = handle & 0xFF
    if handle > 0 and index < _SLOTS and _generations[index] == handle >> 8:
        if _kinds[index] and (not kinds or _kinds[index] in kinds):
            return _values[index]
    raise ValueError("slot")


def _vacancy():
    for index in range(_SLOTS):
        if not _kinds[index]:
            return index
    raise MemoryError


def _take(kind, value):
    index = _vacancy()
    _kinds[index] = kind
    _values[index] = bytearray(value)
    return index | _generations[index] << 8


def release(slot):
    """Wipe and free a slot; its handle is never valid again."""
    _slot(slot)
    _free(slot & 0xFF)


def _free(index):
    wipe(_values[index])
    _values[index] = None
    _kinds[index] = 0
    _generations[index] = _generations[index] % (_GENERATIONS - 1) + 1


def wipe_all():
    """Wipe and free all slots."""
    for index in range(_SLOTS):
        if _kinds[index]:
            _free(index)


def slots_used():
    """Return the number of slots in use."""
    return sum([1 for kind in _kinds if kind])


# --- random and hashes -------------------------------------------------------------------------


def random(buf):
    """Fill a writable buffer. OSError(EIO) when the source failed."""
    output(memoryview(buf))


def random_add(data):
    """Mix data into the generator; it never replaces the source."""
    output(bytearray(0), data)


__all__ = ("entropy_info", "hardware_poll")  # re-exported with the rest of this module


def sha256(data):
    """Return the 32 bytes of SHA-256 of data."""
    return hashlib.sha256(data).digest()


class Hash:
    """A running hash. ValueError("hash") for an unknown algorithm or after its end.

    hashlib ends a hash with its digest, so unlike the C module's it cannot go on after it.
    """

    def __init__(self, alg):
        if alg not in _HASHES:
            raise ValueError("hash")
        self._state = _HASHES[alg](b"")
        self._digest = None

    def update(self, data):
        """Add data."""
        if self._state is None:
            raise ValueError("hash")
        self._state.update(data)

    def digest(self):
        """Return the digest of everything added."""
        if self._digest is None:
            if self._state is None:
                raise ValueError("hash")
            self._digest = self._state.digest()
            self._state = None
        return self._digest

    def wipe(self):
        """Forget the state; every later call but wipe() fails."""
        self._state = self._digest = None


# --- elliptic curve ----------------------------------------------------------------------------


def _curve(curve):
    if curve != P256:
        raise ValueError("curve")


def _fresh(length):
    """Random bytes, for one use."""
    buf = bytearray(length)
    random(buf)
    return buf


def _public(scalar):
    """The point X || Y of a scalar, or None when it is out of range."""
    point = bytearray(64)
    return point if p11native.public(point, scalar, _fresh(32)) else None


def ec_generate(curve):
    """Return a slot holding a new random key of the curve."""
    _curve(curve)
    _vacancy()
    reseed()
    scalar = bytearray(32)
    while True:
        random(scalar)
        if _public(scalar):
            slot = _take(EC_P256, scalar)
            wipe(scalar)
            return slot


def ec_import(curve, scalar):
    """Return a slot holding scalar (exact length, 1..n-1); the writable buffer is wiped."""
    try:
        _curve(curve)
        if len(scalar) != 32 or not _public(scalar):
            raise ValueError("scalar")
        return _take(EC_P256, scalar)
    finally:
        wipe(scalar)


def ec_public(slot):
    """Return the public point of a key slot: 04 || X || Y."""
    return b"\x04" + bytes(_public(_slot(slot, EC_P256)))


def ec_check(curve, point):
    """Return whether point is an uncompressed point of the curve."""
    _curve(curve)
    return len(point) == 65 and point[0] == 4 and p11native.valid(bytes(point)[1:])


def _prehash(digest):
    digest = bytes(digest)
    if not digest:
        raise ValueError("digest")
    return bytes(max(0, 32 - len(digest))) + digest[:32]


def ecdsa_sign(slot, digest):
    """Return r || s over digest: 1 byte or more, the leftmost 32 count."""
    scalar = _slot(slot, EC_P256)
    signature, fresh = bytearray(64), _fresh(64)
    good = p11native.sign(signature, scalar, _prehash(digest), fresh)
    wipe(fresh)
    if not good:
        raise RuntimeError("crypto")
    return bytes(signature)


def ecdsa_verify(curve, point, digest, signature):
    """Return whether signature (r || s) is good. ValueError: curve, point, digest, signature."""
    _curve(curve)
    digest = _prehash(digest)
    if len(signature) != 64:
        raise ValueError("signature")
    if not ec_check(curve, point):
        raise ValueError("point")
    return p11native.verify(bytes(point)[1:], digest, bytes(signature))


# --- master key, sealing -----------------------------------------------------------------------


def master_new():
    """Return a slot holding a new random master key."""
    _vacancy()
    reseed()
    value = bytearray(32)
    random(value)
    slot = _take(MASTER, value)
    wipe(value)
    return slot


def _bounded(word, value, low, high):
    if not low <= len(value) <= high:
        raise ValueError(word)
    return bytes(value)


def _encrypt(key, aad, value):
    nonce = bytearray(12)
    random(nonce)
    out = bytearray(len(value) + 16)
    p11native.gcm(out, key, nonce, bytes(aad), value)
    return bytes(nonce) + bytes(out)


def _decrypt(key, aad, blob):
    """The value, or None when the tag is wrong."""
    out = bytearray(len(blob) - 28)
    return out if p11native.gcm(out, key, blob[:12], bytes(aad), blob[12:]) else None


def _kek(pin, salt, iterations, aad):
    _bounded("pin", pin, 1, 255)
    salt = _bounded("salt", salt, 8, 64)
    if not 0 <= iterations <= 10000000:
        raise ValueError("iterations")
    if iterations:
        stretched = bytearray(32)
        p11native.pbkdf2(stretched, pin, salt, iterations)
    else:
        stretched = hmac(salt, pin)
    return hmac(salt, bytes(stretched) + bytes(aad))


def master_wrap(slot, pin, salt, iterations, aad):
    """Return the master key wrapped under a PIN: nonce 12, ciphertext 32, tag 16."""
    value = _slot(slot, MASTER)
    return _encrypt(_kek(pin, salt, iterations, aad), aad, value)


def master_unwrap(pin, salt, iterations, aad, blob):
    """Return a slot with the master key, or None when the tag says the PIN is wrong."""
    blob = _bounded("blob", blob, 60, 60)
    key = _kek(pin, salt, iterations, aad)
    _vacancy()
    value = _decrypt(key, aad, blob)
    return None if value is None else _take(MASTER, value)


def _object_key(master, label, context):
    context = _bounded("context", context, 1, 32)
    return hmac(_slot(master, MASTER), label + context)


def seal(master, slot, context, aad):
    """Return the key of a slot sealed under the master key: nonce 12, ciphertext, tag 16."""
    return _encrypt(_object_key(master, b"seal", context), aad, _slot(slot, EC_P256, SECRET))


def unseal(master, blob, context, aad, kind):
    """Return a slot with the sealed key. ValueError("sealed"): tag, length or range is wrong."""
    key = _object_key(master, b"seal", context)
    if kind not in (EC_P256, SECRET):
        raise ValueError("kind")
    blob = bytes(blob)
    length = len(blob) - 28
    if not 1 <= length <= _SECRET_MAX or kind == EC_P256 and length != 32:
        raise ValueError("sealed")
    _vacancy()
    value = _decrypt(key, aad, blob)
    if value is None or kind == EC_P256 and not _public(value):
        raise ValueError("sealed")
    return _take(kind, value)


def mac(master, context, data):
    """Return 16 bytes that bind data and context to the master key."""
    context = _bounded("context", context, 1, 32)
    message = b"mac" + bytes((len(context),)) + context + bytes(data)
    return hmac(_slot(master, MASTER), message)[:16]


def compare(a, b):
    """Return whether two buffers are equal, in a time that depends on their lengths only."""
    if len(a) != len(b):
        return False
    difference = 0
    for i in range(len(a)):
        difference |= a[i] ^ b[i]
    return difference == 0
