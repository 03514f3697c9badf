# SPDX-License-Identifier: MIT
"""The engine, built for this machine, through ctypes. Scalars: ints or bytes; outputs: bytes."""

import ctypes
import functools
import os

import p256_build
from p256_reference import be


@functools.cache
def load():
    """The shared library."""
    return ctypes.CDLL(str(p256_build.library()))


def _bytes(x):
    return be(x) if isinstance(x, int) else bytes(x)


def _call(name, size, *arguments):
    function = getattr(load(), name)
    function.restype = ctypes.c_bool
    out = ctypes.create_string_buffer(b"\xa5" * size, size)
    return out.raw if function(out, *arguments) else _zeros(out.raw)


def _zeros(raw):
    assert raw == bytes(len(raw)), "a failed call must leave zeros"


def public(scalar, blind=None):
    """X || Y, or None for a scalar out of range."""
    return _call("p256_public", 64, _bytes(scalar), blind or os.urandom(32))


def sign(scalar, digest, nonce, blind=None):
    """r || s with the given nonce, or None."""
    blind = blind or os.urandom(32)
    length = ctypes.c_size_t(len(digest))
    return _call("p256_sign", 64, _bytes(scalar), digest, length, _bytes(nonce), blind)


def sign_rfc6979(scalar, digest, extra=b"", blind=None):
    """r || s with the nonce of RFC 6979, or None."""
    size, length = ctypes.c_size_t(len(extra)), ctypes.c_size_t(len(digest))
    blind = blind or os.urandom(32)
    return _call(
        "p256_sign_rfc6979", 64, _bytes(scalar), digest, length, extra or None, size, blind
    )


def ecdh(scalar, point, blind=None):
    """X coordinate, or None for a bad scalar or point."""
    return _call("p256_ecdh", 32, _bytes(scalar), point, blind or os.urandom(32))


def verify(point, digest, signature):
    """Verdict on r || s."""
    function = load().p256_verify
    function.restype = ctypes.c_bool
    return function(point, digest, ctypes.c_size_t(len(digest)), signature)


def point_valid(point):
    """Whether X || Y is on the curve."""
    function = load().p256_point_valid
    function.restype = ctypes.c_bool
    return function(point)


def scalar_valid(scalar):
    """Whether the 32 bytes are in 1..n-1."""
    function = load().p256_scalar_valid
    function.restype = ctypes.c_bool
    return function(_bytes(scalar))


def batch(name, left, right=None):
    """Applies a field routine to packed little-endian operands of 32 bytes; returns the same."""
    lib = load()
    out = ctypes.create_string_buffer(len(left))
    count = ctypes.c_size_t(len(left) // 32)
    if right is None:
        lib.batch_unary(getattr(lib, name), out, left, count)
    else:
        lib.batch_binary(getattr(lib, name), out, left, right, count)
    return out.raw
