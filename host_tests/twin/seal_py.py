# SPDX-License-Identifier: MIT
"""The twin's master key and what it seals, with `cryptography`.

Promises what seal.c promises, byte for byte. ValueError names the bad argument; "sealed": a tag, a
length or a value is wrong.
"""

import hashlib
import hmac

import entropy_py as _entropy
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from ec_py import CURVES
from entropy_py import device_secret
from p11crypto_names import EC_P256, EC_P384, MASTER, P256, P384, RSA_2048, SECRET
from slots_py import SECRET_MAX, room, slot_of, take, writable

__all__ = ("device_pin", "mac", "master_new", "master_unwrap", "master_wrap", "seal", "unseal")


def _bounded(name, value, low, high):
    value = bytes(value)
    if not low <= len(value) <= high:
        raise ValueError(name)
    return value


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
    if kind in CURVES and not 0 < int.from_bytes(value, "big") < CURVES[kind][2]:
        raise ValueError("sealed")
    return take(kind, value)


def mac(master, context, data):
    """Return 16 bytes that bind data and context to the master key."""
    context = _bounded("context", context, 1, 32)
    message = b"mac" + bytes((len(context),)) + context + bytes(data)
    return hmac.digest(slot_of(master, MASTER).value, message, "sha256")[:16]
