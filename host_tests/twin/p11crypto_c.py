# SPDX-License-Identifier: MIT
"""The C core of the firmware as the module p11crypto, loaded with ctypes.

Same names, exceptions and wiping as the MicroPython binding, over the very code that runs on the
board (libp11core.so of host_tests/c, built on first use). Environment variable P11CORE: another
library file. Slots are the library's static memory: one per process.
"""

import ctypes
import errno
import os
import subprocess
from ctypes import POINTER, byref, c_bool, c_char_p, c_int, c_size_t, c_uint8, c_uint32
from pathlib import Path

import rsa_c
import secret_c

__all__ = [
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
EC_P256, EC_P384, SECRET, MASTER, RSA_2048 = 1, 2, 3, 4, 5
SHA1, SHA224, SHA256, SHA384, SHA512 = 1, 2, 3, 4, 5

_OK, _NO, _FULL, _ENTROPY, _INTERNAL = 0, 1, 2, 3, 4
_POINT_MAX, _SIGNATURE_MAX, _SEALED_MAX, _WRAPPED, _MAC, _HASH_MAX = 97, 96, 672, 60, 16, 64


def _load():
    path = os.environ.get("P11CORE")
    if path is None:
        root = Path(__file__).resolve().parent.parent.parent
        out = root / "build" / "host_c"
        path = out / "plain" / "libp11core.so"
        # Each process that runs tests loads the library: one of them builds it, the others wait.
        one_build = [str(root / "tools" / "one_build.sh"), str(out)]
        make = ["make", "-s", "-C", str(root / "host_tests" / "c"), "lib"]
        subprocess.run([*one_build, *make], check=True, stdout=subprocess.DEVNULL)
    return ctypes.CDLL(str(path))


lib = _load()
lib.p11_word.restype = c_char_p
lib.p11_slots_used.restype = c_size_t
lib.p11_hash_size.restype = c_size_t
lib.p11_equal.restype = c_bool
lib.p11_has_source.restype = c_bool

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


class _Binding(ctypes.Structure):
    _fields_ = [
        ("context", c_char_p),
        ("context_len", c_size_t),
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


def _check(status):
    if status == _OK:
        return
    if status == _FULL:
        raise MemoryError
    if status == _ENTROPY:
        raise OSError(errno.EIO, "entropy")
    word = lib.p11_word(status).decode()
    raise RuntimeError(word) if status == _INTERNAL else ValueError(word)


def _verdict(status):
    if status != _NO:
        _check(status)
    return status == _OK


def _writable(buf):
    view = memoryview(buf)
    if view.readonly:
        raise TypeError("secrets travel in writable buffers")
    view = view.cast("B")
    return (c_uint8 * len(view)).from_buffer(view), c_size_t(len(view))


def _handle(slot):
    return c_uint32(slot if 0 < slot < 1 << 32 else 0)


def _new(function, *args):
    slot = c_uint32()
    _check(function(byref(slot), *args))
    return slot.value


def _sized(function, room, *args):
    out, length = (c_uint8 * room)(), c_size_t()
    _check(function(out, byref(length), *args))
    return bytes(out[: length.value])


def _in(data):
    data = bytes(data)
    return data, c_size_t(len(data))


def random(buf):
    """Fill a writable buffer from the DRBG."""
    _check(lib.p11_random(*_writable(buf)))


def random_add(data):
    """Mix data into the DRBG."""
    _check(lib.p11_random_add(*_in(data)))


def hardware_poll(buf):
    """Fill a writable buffer with tested source bytes."""
    _check(lib.p11_hardware_poll(*_writable(buf)))


def has_source():
    """Return whether this build has a hardware source."""
    return lib.p11_has_source()


def entropy_seed(seed, personal):
    """Seed the generator, or mix the seed in; the writable buffer is wiped."""
    personal = _in(personal)
    _check(lib.p11_entropy_seed(*_writable(seed), *personal))


def entropy_info():
    """Return (state, samples, rct alarms, apt alarms, restarts, reseeds)."""
    info = _Info()
    lib.p11_entropy_info(byref(info))
    return tuple(getattr(info, name) for name, _ in _Info._fields_)


def sha256(data):
    """Return the 32 bytes of SHA-256 of data."""
    out = (c_uint8 * 32)()
    _check(lib.p11_sha256(out, *_in(data)))
    return bytes(out)


class Hash:
    """A running hash; its state is plain memory of this object."""

    def __init__(self, alg):
        self._state = _HashState()
        _check(lib.p11_hash_start(byref(self._state), alg))

    def update(self, data):
        """Add data."""
        _check(lib.p11_hash_update(byref(self._state), *_in(data)))

    def digest(self):
        """Return the digest so far; the state stays."""
        out = (c_uint8 * _HASH_MAX)()
        _check(lib.p11_hash_digest(out, byref(self._state)))
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
    return _new(lib.p11_ec_generate, c_int(curve))


def ec_import(curve, scalar):
    """Return a slot holding scalar; the writable buffer is wiped."""
    return _new(lib.p11_ec_import, c_int(curve), *_writable(scalar))


def ec_public(slot):
    """Return 04 || X || Y."""
    return _sized(lib.p11_ec_public, _POINT_MAX, _handle(slot))


def ec_check(curve, point):
    """Return whether point is an uncompressed point of the curve."""
    return _verdict(lib.p11_ec_check(c_int(curve), *_in(point)))


def ecdsa_sign(slot, digest):
    """Return r || s."""
    return _sized(lib.p11_ecdsa_sign, _SIGNATURE_MAX, _handle(slot), *_in(digest))


def ecdsa_verify(curve, point, digest, signature):
    """Return whether signature is good."""
    args = (*_in(point), *_in(digest), *_in(signature))
    return _verdict(lib.p11_ecdsa_verify(c_int(curve), *args))


def _pin(pin, salt, iterations, aad):
    pin, salt, aad = bytes(pin), bytes(salt), bytes(aad)
    iterations = iterations if 0 <= iterations < 1 << 32 else 0xFFFFFFFF
    return byref(_Pin(pin, len(pin), salt, len(salt), iterations, aad, len(aad)))


def device_pin(out):
    """Fill 32 bytes with the chip's own PIN; return False on a chip without a device secret."""
    out, length = _writable(out)
    if length.value != 32:
        raise ValueError("length")
    return _verdict(lib.p11_device_pin(out))


def master_new():
    """Return a slot holding a new random master key."""
    return _new(lib.p11_master_new)


def master_wrap(slot, pin, salt, iterations, aad):
    """Return the master key wrapped under a PIN, 60 bytes."""
    out = (c_uint8 * _WRAPPED)()
    _check(lib.p11_master_wrap(out, _handle(slot), _pin(pin, salt, iterations, aad)))
    return bytes(out)


def master_unwrap(pin, salt, iterations, aad, blob):
    """Return a slot with the master key, or None for a wrong PIN."""
    slot = c_uint32()
    args = (_pin(pin, salt, iterations, aad), *_in(blob))
    return slot.value if _verdict(lib.p11_master_unwrap(byref(slot), *args)) else None


def _binding(context, aad):
    context, aad = bytes(context), bytes(aad)
    return byref(_Binding(context, len(context), aad, len(aad)))


def seal(master, slot, context, aad):
    """Return the key of a slot sealed under the master key."""
    args = (_handle(master), _handle(slot), _binding(context, aad))
    return _sized(lib.p11_seal, _SEALED_MAX, *args)


def unseal(master, blob, context, aad, kind):
    """Return a slot with the sealed key."""
    args = (_handle(master), *_in(blob), _binding(context, aad), c_int(kind))
    return _new(lib.p11_unseal, *args)


def mac(master, context, data):
    """Return 16 bytes that bind data and context to the master key."""
    out = (c_uint8 * _MAC)()
    _check(lib.p11_mac(out, _handle(master), *_in(context), *_in(data)))
    return bytes(out)


def compare(a, b):
    """Return whether two buffers are equal, in constant time."""
    a, b = bytes(a), bytes(b)
    return len(a) == len(b) and lib.p11_equal(a, b, c_size_t(len(a)))


def release(slot):
    """Wipe and free a slot."""
    _check(lib.p11_release(_handle(slot)))


def wipe_all():
    """Wipe and free all slots."""
    lib.p11_wipe_all()


def slots_used():
    """Return the number of slots in use."""
    return lib.p11_slots_used()


def wipe(buf):
    """Fill a writable buffer with zeros."""
    buf, length = _writable(buf)
    lib.p11_wipe(buf, length)


(
    secret_import,
    secret_generate,
    secret_export,
    secret_size,
    ecdh,
    seal_bytes,
    unseal_bytes,
    Hmac,
    Cmac,
    Aes,
) = secret_c.bind(lib, _check, _new, _handle, _in, _writable, _binding)
rsa_import, rsa_private, rsa_public = rsa_c.bind(lib, _check, _new, _handle, _in, _writable)


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
