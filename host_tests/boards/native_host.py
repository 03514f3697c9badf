# SPDX-License-Identifier: MIT
"""The C of the native module p11native, compiled for this machine, under the module's own names.

`build()` gives a module that p11crypto.py of natmod/stock can import; lengths are checked as the
binding checks them.
"""

import ctypes
import re
import types
from pathlib import Path

from stm32_driver import ROOT, compile_shared

NATMOD = ROOT / "natmod"
P11CRYPTO = ROOT / "firmware" / "cmodules" / "p11crypto"
P256_MK = P11CRYPTO / "p256" / "p256.mk"
SIZE = ctypes.c_size_t
BOOLEAN = "aesgcm_decrypt p256_public p256_point_valid p256_sign_rfc6979 p256_verify p256_ecdh"


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
    sources = [NATMOD / "aesgcm.c", NATMOD / "stretch.c"]
    engine = re.search(r"^P256_C = (.*?)(?<!\\)$", P256_MK.read_text(), re.M | re.S)[1]
    sources += [P11CRYPTO / (name + ".c") for name in engine.replace("\\", "").split()]
    loaded = ctypes.CDLL(str(compile_shared("p11native", tuple(sources), (), (NATMOD, P11CRYPTO))))
    for name in BOOLEAN.split():
        getattr(loaded, name).restype = ctypes.c_bool
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

    def public(point, scalar, blind):
        out = ctypes.create_string_buffer(64)
        exact(point, 64)
        good = c.p256_public(out, exact(scalar, 32), exact(blind, 32))
        point[:] = out.raw
        return good

    def sign(signature, scalar, digest, fresh):
        exact(signature, 64)
        out, fresh = ctypes.create_string_buffer(64), exact(fresh, 64)
        key, digest = exact(scalar, 32), exact(digest, 32)
        good = c.p256_sign_rfc6979(out, key, digest, SIZE(32), fresh[32:], SIZE(32), fresh[:32])
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
        return c.p256_verify(point, exact(digest, 32), SIZE(32), signature)

    def ecdh(secret, scalar, point, blind):
        exact(secret, 32)
        out = ctypes.create_string_buffer(32)
        good = c.p256_ecdh(out, exact(scalar, 32), exact(point, 64), exact(blind, 32))
        secret[:] = out.raw
        return good

    module.public, module.sign, module.gcm, module.pbkdf2 = public, sign, gcm, pbkdf2
    module.verify, module.ecdh = verify, ecdh
    module.valid = lambda point: c.p256_point_valid(exact(point, 64))
    return module


STOCK = Path(NATMOD / "stock")
