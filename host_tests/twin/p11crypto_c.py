# SPDX-License-Identifier: MIT
"""The C core of the firmware as the module p11crypto.

Same names, exceptions and wiping as the MicroPython binding, over the very code that runs on the
board (see core_c, which loads it).
"""

import ctypes
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_size_t, c_uint8, c_uint32

from core_c import binding, check, handle, lib, new, put, sized, verdict, writable
from p11crypto_names import *  # noqa: F403
from p11crypto_names import NAMES
from rsa_c import *  # noqa: F403
from secret_c import *  # noqa: F403

__all__ = NAMES

_POINT_MAX, _SIGNATURE_MAX, _SEALED_MAX, _WRAPPED, _MAC, _HASH_MAX = 97, 96, 672, 60, 16, 64
_SOURCE = ctypes.CFUNCTYPE(c_bool, POINTER(c_uint8), c_size_t)


class _Pin(ctypes.Structure):
    _fields_ = [
        ("pin", c_char_p),
        ("pin_len", c_size_t),
        ("salt", c_char_p),
        ("salt_len", c_size_t),
        ("iterations", c_uint32),
        ("aad", c_char_p),
        ("aad_len", c_size_t),
    ]


class _HashState(ctypes.Structure):
    _fields_ = [("context", ctypes.c_uint64 * 28), ("algorithm", c_uint32)]


class _Info(ctypes.Structure):
    _fields_ = [
        (name, c_uint32)
        for name in ("state", "samples", "rct_alarms", "apt_alarms", "restarts", "reseeds")
    ]


def random(buf):
    """Fill a writable buffer from the DRBG."""
    check(lib.p11_random(*writable(buf)))


def random_add(data):
    """Mix data into the DRBG."""
    check(lib.p11_random_add(*put(data)))


def hardware_poll(buf):
    """Fill a writable buffer with tested source bytes."""
    check(lib.p11_hardware_poll(*writable(buf)))


def has_source():
    """Return whether this build has a hardware source."""
    return lib.p11_has_source()


def entropy_seed(seed, personal):
    """Seed the generator, or mix the seed in; the writable buffer is wiped."""
    personal = put(personal)
    check(lib.p11_entropy_seed(*writable(seed), *personal))


def entropy_info():
    """Return (state, samples, rct alarms, apt alarms, restarts, reseeds)."""
    info = _Info()
    lib.p11_entropy_info(byref(info))
    return tuple(getattr(info, name) for name, _ in _Info._fields_)


def sha256(data):
    """Return the 32 bytes of SHA-256 of data."""
    out = (c_uint8 * 32)()
    check(lib.p11_sha256(out, *put(data)))
    return bytes(out)


class Hash:
    """A running hash; its state is plain memory of this object."""

    def __init__(self, alg):
        self._state = _HashState()
        check(lib.p11_hash_start(byref(self._state), alg))

    def update(self, data):
        """Add data."""
        check(lib.p11_hash_update(byref(self._state), *put(data)))

    def digest(self):
        """Return the digest so far; the state stays."""
        out = (c_uint8 * _HASH_MAX)()
        check(lib.p11_hash_digest(out, byref(self._state)))
        return bytes(out[: lib.p11_hash_size(self._state.algorithm)])

    def copy(self):
        """Return an independent Hash with the same state."""
        if not self._state.algorithm:
            raise ValueError("hash")
        other = Hash.__new__(Hash)
        other._state = _HashState.from_buffer_copy(self._state)
        return other

    def wipe(self):
        """Forget the state."""
        lib.p11_wipe(byref(self._state), c_size_t(ctypes.sizeof(self._state)))


def ec_generate(curve):
    """Return a slot holding a new random key."""
    return new(lib.p11_ec_generate, c_int(curve))


def ec_import(curve, scalar):
    """Return a slot holding scalar; the writable buffer is wiped."""
    return new(lib.p11_ec_import, c_int(curve), *writable(scalar))


def ec_public(slot):
    """Return 04 || X || Y."""
    return sized(lib.p11_ec_public, _POINT_MAX, handle(slot))


def ec_check(curve, point):
    """Return whether point is an uncompressed point of the curve."""
    return verdict(lib.p11_ec_check(c_int(curve), *put(point)))


def ecdsa_sign(slot, digest):
    """Return r || s."""
    return sized(lib.p11_ecdsa_sign, _SIGNATURE_MAX, handle(slot), *put(digest))


def ecdsa_verify(curve, point, digest, signature):
    """Return whether signature is good."""
    args = (*put(point), *put(digest), *put(signature))
    return verdict(lib.p11_ecdsa_verify(c_int(curve), *args))


def _pin(pin, salt, iterations, aad):
    pin, salt, aad = bytes(pin), bytes(salt), bytes(aad)
    iterations = iterations if 0 <= iterations < 1 << 32 else 0xFFFFFFFF
    return byref(_Pin(pin, len(pin), salt, len(salt), iterations, aad, len(aad)))


def device_pin(out):
    """Fill 32 bytes with the chip's own PIN; return False on a chip without a device secret."""
    out, length = writable(out)
    if length.value != 32:
        raise ValueError("length")
    return verdict(lib.p11_device_pin(out))


def master_new():
    """Return a slot holding a new random master key."""
    return new(lib.p11_master_new)


def master_wrap(slot, pin, salt, iterations, aad):
    """Return the master key wrapped under a PIN, 60 bytes."""
    out = (c_uint8 * _WRAPPED)()
    check(lib.p11_master_wrap(out, handle(slot), _pin(pin, salt, iterations, aad)))
    return bytes(out)


def master_unwrap(pin, salt, iterations, aad, blob):
    """Return a slot with the master key, or None for a wrong PIN."""
    slot = c_uint32()
    args = (_pin(pin, salt, iterations, aad), *put(blob))
    return slot.value if verdict(lib.p11_master_unwrap(byref(slot), *args)) else None


def seal(master, slot, context, aad):
    """Return the key of a slot sealed under the master key."""
    args = (handle(master), handle(slot), binding(context, aad))
    return sized(lib.p11_seal, _SEALED_MAX, *args)


def unseal(master, blob, context, aad, kind):
    """Return a slot with the sealed key."""
    args = (handle(master), *put(blob), binding(context, aad), c_int(kind))
    return new(lib.p11_unseal, *args)


def mac(master, context, data):
    """Return 16 bytes that bind data and context to the master key."""
    out = (c_uint8 * _MAC)()
    check(lib.p11_mac(out, handle(master), *put(context), *put(data)))
    return bytes(out)


def compare(a, b):
    """Return whether two buffers are equal, in constant time."""
    a, b = bytes(a), bytes(b)
    return len(a) == len(b) and lib.p11_equal(a, b, c_size_t(len(a)))


def release(slot):
    """Wipe and free a slot."""
    check(lib.p11_release(handle(slot)))


def wipe_all():
    """Wipe and free all slots."""
    lib.p11_wipe_all()


def slots_used():
    """Return the number of slots in use."""
    return lib.p11_slots_used()


def wipe(buf):
    """Fill a writable buffer with zeros."""
    buf, length = writable(buf)
    lib.p11_wipe(buf, length)


# --- tests only --------------------------------------------------------------------------------

_hold = {"source": _SOURCE(), "secret": b""}  # the library keeps a pointer to the callback


def test_source(source=None, secret=b""):
    """Take samples from source(n) -> bytes or None; set the device secret (0 or 32 bytes)."""

    def fill(out, length):
        data = source(length)
        if data is not None:
            ctypes.memmove(out, bytes(data), length)
        return data is not None

    _hold["source"] = _SOURCE(fill) if source else _SOURCE()
    _hold["secret"] = secret
    lib.host_source(_hold["source"])
    lib.host_device_secret(secret or None)


def device_secret():
    """Return what test_source() set."""
    return _hold["secret"]


def test_no_source(none=True):
    """Behave as a build without a hardware source, or with one again."""
    lib.p11_test_no_source(c_bool(none))


def test_reset():
    """What power-off and on does to this module."""
    lib.p11_test_power_on()
