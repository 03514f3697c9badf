# SPDX-License-Identifier: MIT
"""The twin's elliptic curves: P-256 and P-384 with `cryptography`.

Promises what ec.c promises. ValueError: "curve", "scalar", "point", "digest", "signature".
"""

import entropy_py as _entropy
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes as _hashes
from cryptography.hazmat.primitives.asymmetric import ec as _ec
from cryptography.hazmat.primitives.asymmetric import utils as _utils
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from p11crypto_names import EC_P256, EC_P384, P256, P384, SECRET
from slots_py import room, slot_of, take, wipe, writable

__all__ = ("ec_check", "ec_generate", "ec_import", "ec_public", "ecdsa_sign", "ecdsa_verify")

# curve: (group, bytes of a number, order, hash as long)
CURVES = {
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


def _curve(curve):
    if curve not in CURVES:
        raise ValueError("curve")
    return CURVES[curve]


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
    curve, _, _, digest = CURVES[slot.kind]
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
    size = CURVES[entry.kind][1]
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
    signature = bytes(signature)
    if len(signature) != 2 * size:
        raise ValueError("signature")
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
