# SPDX-License-Identifier: MIT
"""RSA of the C core for CPython: the part of p11crypto_c about rsa.c."""

import ctypes
from ctypes import byref, c_char_p, c_size_t, c_uint8, c_void_p

from core_c import check, handle, lib, new, put, writable
from p11crypto_names import RSA_NAMES

__all__ = RSA_NAMES


class _Number(ctypes.Structure):
    _fields_ = [("data", c_char_p), ("len", c_size_t)]


class _Secret(ctypes.Structure):
    _fields_ = [("data", c_void_p), ("len", c_size_t)]


class _Key(ctypes.Structure):
    _fields_ = [("n", _Number), ("e", _Number), ("secret", _Secret * 6)]


def _number(value):
    value = bytes(value)
    return _Number(value, len(value))


def rsa_import(n, e, *secrets):
    buffers = [writable(value) for value in secrets]
    fields = [(ctypes.addressof(buffer), length) for buffer, length in buffers]
    key = _Key(_number(n), _number(e), (_Secret * 6)(*fields))
    return new(lib.p11_rsa_import, byref(key))


def rsa_private(slot, block):
    out = (c_uint8 * 256)()
    check(lib.p11_rsa_private(out, handle(slot), *put(block)))
    return bytes(out)


def rsa_public(n, e, block):
    out = (c_uint8 * 256)()
    check(lib.p11_rsa_public(out, byref(_number(n)), byref(_number(e)), *put(block)))
    return bytes(out)
