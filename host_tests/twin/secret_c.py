# SPDX-License-Identifier: MIT
"""The secret keys of the C core for CPython: the part of p11crypto_c about secret.c, cipher.c."""

import ctypes
from ctypes import byref, c_bool, c_int, c_size_t, c_uint8, c_uint32

from core_c import binding, check, handle, lib, new, put, writable
from p11crypto_names import SECRET_NAMES

__all__ = SECRET_NAMES


class _Keyed(ctypes.Structure):
    _fields_ = [
        ("context", ctypes.c_uint64 * 28),
        ("algorithm", c_uint32),
        ("padding", c_uint32),
        ("slot", c_uint32),
        ("more", c_uint32),
    ]


class _Cmac(ctypes.Structure):
    _fields_ = [("blocks", c_uint8 * 32), ("used", c_uint32), ("slot", c_uint32)]


class _Aes(ctypes.Structure):
    _fields_ = [("chain", c_uint8 * 16), ("mode", c_uint8), ("slot", c_uint32)]


def secret_import(value):
    return new(lib.p11_secret_import, *writable(value))


def secret_generate(length):
    return new(lib.p11_secret_generate, c_size_t(max(0, length)))


def secret_export(slot):
    out, length = (c_uint8 * 64)(), c_size_t()
    check(lib.p11_secret_export(out, byref(length), handle(slot)))
    return bytearray(out[: length.value])


def secret_size(slot):
    length = c_size_t()
    check(lib.p11_secret_size(byref(length), handle(slot)))
    return length.value


def ecdh(slot, point, length):
    return new(lib.p11_ecdh, handle(slot), *put(point), c_size_t(max(0, length)))


def seal_bytes(master, context, aad, data):
    out = (c_uint8 * (len(data) + 28))()
    check(lib.p11_seal_bytes(out, handle(master), binding(context, aad), *put(data)))
    return bytes(out)


def unseal_bytes(master, blob, context, aad):
    out = (c_uint8 * max(0, len(blob) - 28))()
    check(lib.p11_unseal_bytes(out, handle(master), *put(blob), binding(context, aad)))
    return bytearray(out)


class _Running:
    def wipe(self):
        """Forget the state."""
        lib.p11_wipe(byref(self._state), c_size_t(ctypes.sizeof(self._state)))


class Hmac(_Running):
    """A running HMAC."""

    def __init__(self, alg, slot):
        self._state = _Keyed()
        check(lib.p11_keyed_start(byref(self._state), c_int(alg), handle(slot)))

    def update(self, data):
        """Add data."""
        check(lib.p11_keyed_update(byref(self._state), *put(data)))

    def digest(self):
        """Return the code so far."""
        out = (c_uint8 * 64)()
        check(lib.p11_keyed_digest(out, byref(self._state)))
        return bytes(out[: lib.p11_hash_size(self._state.algorithm)])


class Cmac(_Running):
    """A running AES-CMAC."""

    def __init__(self, slot):
        self._state = _Cmac()
        check(lib.p11_cmac_start(byref(self._state), handle(slot)))

    def update(self, data):
        """Add data."""
        check(lib.p11_cmac_update(byref(self._state), *put(data)))

    def digest(self):
        """Return the code so far."""
        out = (c_uint8 * 16)()
        check(lib.p11_cmac_digest(out, byref(self._state)))
        return bytes(out)


class Aes(_Running):
    """AES over whole blocks."""

    def __init__(self, slot, encrypt, iv):
        self._state = _Aes()
        start = (None, c_size_t(0)) if iv is None else put(iv)
        args = (handle(slot), c_bool(encrypt), *start)
        check(lib.p11_aes_start(byref(self._state), *args))

    def update(self, data):
        """Return data encrypted or decrypted."""
        out = (c_uint8 * len(data))()
        check(lib.p11_aes_update(out, byref(self._state), *put(data)))
        return bytes(out)
