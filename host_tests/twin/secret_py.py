# SPDX-License-Identifier: MIT
"""The twin's secret keys: import, ECDH, HMAC, CMAC, AES and sealed bytes, with `cryptography`.

Promises what secret.c and cipher.c promise. Hmac, Cmac and Aes hold a slot handle, not the key:
they fail with ValueError("slot") once the slot is gone. Lengths out of range: ValueError("length"),
pieces that are not whole blocks: ValueError("block").
"""

import hmac

import entropy_py as _entropy
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec as _ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.cmac import CMAC
from ec_py import CURVES
from p11crypto_names import HASHES, MASTER, SECRET, SECRET_NAMES
from slots_py import SECRET_MAX, room, slot_of, take, wipe, writable

__all__ = SECRET_NAMES


def secret_import(value):
    """Return a slot with a secret of 1..64 bytes; the writable buffer is wiped."""
    view = writable(value)
    try:
        if not 1 <= len(view) <= SECRET_MAX:
            raise ValueError("length")
        return take(SECRET, view)
    finally:
        wipe(view)


def secret_generate(length):
    """Return a slot with a random secret of 1..64 bytes."""
    if not 1 <= length <= SECRET_MAX:
        raise ValueError("length")
    room(SECRET)
    _entropy.reseed()
    return take(SECRET, _entropy.output(length))


def secret_export(slot):
    """Return the value of a secret as a bytearray."""
    return bytearray(slot_of(slot, SECRET).value)


def secret_size(slot):
    """Return the bytes of a secret."""
    return len(slot_of(slot, SECRET).value)


def ecdh(slot, point, length):
    """Return a slot with the last length bytes of the shared x coordinate."""
    mine = slot_of(slot, *CURVES)
    curve, size, _, _ = CURVES[mine.kind]
    point = bytes(point)
    if not 1 <= length <= size:
        raise ValueError("length")
    if len(point) != 1 + 2 * size or point[0] != 4:
        raise ValueError("point")
    room(SECRET)
    _entropy.output(0)  # the firmware blinds the multiplication
    try:
        theirs = _ec.EllipticCurvePublicKey.from_encoded_point(curve, point)
    except ValueError:
        raise ValueError("point") from None
    key = _ec.derive_private_key(int.from_bytes(mine.value, "big"), curve)
    return take(SECRET, key.exchange(_ec.ECDH(), theirs)[size - length :])


def _sealing(master, context):
    context = bytes(context)
    if not 1 <= len(context) <= 32:
        raise ValueError("context")
    return AESGCM(hmac.digest(slot_of(master, MASTER).value, b"data" + context, "sha256"))


def seal_bytes(master, context, aad, data):
    """Return data sealed under the master key: nonce 12, ciphertext, tag 16."""
    key = _sealing(master, context)
    nonce = _entropy.output(12)
    return nonce + key.encrypt(nonce, bytes(data), bytes(aad))


def unseal_bytes(master, blob, context, aad):
    """Return the data as a bytearray. ValueError("sealed"): tag or length is wrong."""
    key = _sealing(master, context)
    blob = bytes(blob)
    if len(blob) < 28:
        raise ValueError("sealed")
    try:
        return bytearray(key.decrypt(blob[:12], blob[12:], bytes(aad)))
    except InvalidTag:
        raise ValueError("sealed") from None


def _aes_key(slot):
    value = bytes(slot_of(slot, SECRET).value)
    if len(value) not in (16, 24, 32):
        raise ValueError("length")
    return algorithms.AES(value)


class Hmac:
    """A running HMAC with any of the hashes."""

    def __init__(self, alg, slot):
        if alg not in HASHES:
            raise ValueError("hash")
        slot_of(slot, SECRET)
        self._alg, self._slot, self._data = alg, slot, b""

    def update(self, data):
        """Add data."""
        if self._alg is None:
            raise ValueError("hash")
        self._data += bytes(data)

    def digest(self):
        """Return the code of everything added so far; the state stays."""
        if self._alg is None:
            raise ValueError("hash")
        name = HASHES[self._alg]
        return hmac.digest(slot_of(self._slot, SECRET).value, self._data, name)

    def wipe(self):
        """Forget the state."""
        self._alg, self._slot, self._data = None, 0, b""


class Cmac:
    """A running AES-CMAC."""

    def __init__(self, slot):
        _aes_key(slot)
        self._slot, self._data = slot, b""

    def update(self, data):
        """Add data."""
        _aes_key(self._slot)
        self._data += bytes(data)

    def digest(self):
        """Return the 16 bytes of everything added so far; the state stays."""
        state = CMAC(_aes_key(self._slot))
        state.update(self._data)
        return state.finalize()

    def wipe(self):
        """Forget the state."""
        self._slot, self._data = 0, b""


class Aes:
    """AES over whole blocks: ECB when iv is None, else CBC."""

    def __init__(self, slot, encrypt, iv):
        _aes_key(slot)
        if iv is not None and len(iv) != 16:
            raise ValueError("block")
        self._slot, self._encrypt, self._iv = slot, bool(encrypt), iv and bytes(iv)

    def update(self, data):
        """Return data encrypted or decrypted."""
        key, data = _aes_key(self._slot), bytes(data)
        if len(data) % 16:
            raise ValueError("block")
        cipher = Cipher(key, modes.ECB() if self._iv is None else modes.CBC(self._iv))
        state = cipher.encryptor() if self._encrypt else cipher.decryptor()
        out = state.update(data)
        if self._iv is not None and data:
            self._iv = (out if self._encrypt else data)[-16:]
        return out

    def wipe(self):
        """Forget the state."""
        self._slot, self._iv = 0, None
