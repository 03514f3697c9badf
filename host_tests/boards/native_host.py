# SPDX-License-Identifier: MIT
"""The C of the native module p11native, compiled for this machine, under the module's own names.

`build()` gives a module that p11crypto.py of natmod/stock can import; lengths are checked as the
binding checks them.
"""

import ctypes
import types
from pathlib import Path

from stm32_driver import HERE, ROOT, compile_shared

NATMOD = ROOT / "natmod"
MBEDTLS = ROOT / "build" / "src" / "mbedtls"
P256M = MBEDTLS / "3rdparty" / "p256-m" / "p256-m"
LOADER = ROOT / "firmware" / "ports" / "ast1030" / "loader"
SIZE = ctypes.c_size_t
RANDOM = ctypes.CFUNCTYPE(None, ctypes.c_void_p, SIZE)


class With(ctypes.Structure):
    """aesgcm_t of aesgcm.h."""

    _fields_ = [
        ("key", ctypes.c_char_p),
        ("nonce", ctypes.c_char_p),
        ("aad", ctypes.c_char_p),
        ("aad_len", SIZE),
    ]


def library():
    """The compiled arithmetic."""
    sources = (NATMOD / "aesgcm.c", NATMOD / "stretch.c", LOADER / "sha256.c")
    sources += (P256M / "p256-m.c", HERE / "native_host.c")
    includes = (NATMOD, NATMOD / "shim", P256M, LOADER)
    loaded = ctypes.CDLL(str(compile_shared("p11native", sources, (), includes)))
    loaded.aesgcm_decrypt.restype = ctypes.c_bool
    return loaded


def exact(value, length):
    """value as bytes; ValueError unless it has this length."""
    if len(value) != length:
        raise ValueError("length")
    return bytes(value)


def build():
    """The module p11native."""
    c = library()
    module = types.ModuleType("p11native")

    def public(point, scalar):
        out = ctypes.create_string_buffer(64)
        exact(point, 64)
        good = c.p256_public_from_private(out, exact(scalar, 32)) == 0
        point[:] = out.raw
        return good

    def sign(signature, scalar, digest, random):
        exact(signature, 64)
        out = ctypes.create_string_buffer(64)

        @RANDOM
        def draw(address, length):
            buf = bytearray(length)
            random(buf)
            ctypes.memmove(address, bytes(buf), length)

        ctypes.c_void_p.in_dll(c, "native_host_random").value = ctypes.cast(
            draw, ctypes.c_void_p
        ).value
        good = c.p256_ecdsa_sign(out, exact(scalar, 32), exact(digest, 32), SIZE(32)) == 0
        signature[:] = out.raw
        return good

    def gcm(out, key, nonce, aad, data):
        data, aad = bytes(data), bytes(aad)
        with_ = With(exact(key, 32), exact(nonce, 12), aad, len(aad))
        buf = ctypes.create_string_buffer(max(1, min(len(out), len(data))))
        tag = ctypes.create_string_buffer(16)
        if len(out) == len(data) + 16:
            c.aesgcm_encrypt(buf, tag, ctypes.byref(with_), data, SIZE(len(data)))
            out[:] = buf.raw[: len(data)] + tag.raw
            return True
        if len(data) != len(out) + 16:
            raise ValueError("length")
        length = len(out)
        good = c.aesgcm_decrypt(
            buf, ctypes.byref(with_), data[:length], SIZE(length), data[length:]
        )
        out[:] = buf.raw[:length]
        return good

    def pbkdf2(out, pin, salt, iterations):
        if len(salt) > 64:
            raise ValueError("length")
        exact(out, 32)
        buf = ctypes.create_string_buffer(32)
        c.stretch_pbkdf2(buf, bytes(pin), SIZE(len(pin)), bytes(salt), SIZE(len(salt)), iterations)
        out[:] = buf.raw

    def verify(point, digest, signature):
        point, signature = exact(point, 64), exact(signature, 64)
        return c.p256_ecdsa_verify(signature, point, exact(digest, 32), SIZE(32)) == 0

    def ecdh(secret, scalar, point):
        exact(secret, 32)
        out = ctypes.create_string_buffer(32)
        good = c.p256_ecdh_shared_secret(out, exact(scalar, 32), exact(point, 64)) == 0
        secret[:] = out.raw
        return good

    module.public, module.sign, module.gcm, module.pbkdf2 = public, sign, gcm, pbkdf2
    module.verify, module.ecdh = verify, ecdh
    module.valid = lambda point: c.p256_validate_pubkey(exact(point, 64)) == 0
    return module


STOCK = Path(NATMOD / "stock")
