# SPDX-License-Identifier: MIT
"""How CPython calls the C core of the firmware: the loaded library, its statuses, buffers and handles.

The library is libp11core.so of host_tests/c, built on first use. Environment variable P11CORE:
another library file. Its slots are static memory: one set per process.
"""

import ctypes
import errno
import os
import subprocess
from ctypes import byref, c_bool, c_char_p, c_size_t, c_uint8, c_uint32
from pathlib import Path

_OK, _NO, _FULL, _ENTROPY, _INTERNAL = 0, 1, 2, 3, 4


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


class _Binding(ctypes.Structure):
    _fields_ = [
        ("context", c_char_p),
        ("context_len", c_size_t),
        ("aad", c_char_p),
        ("aad_len", c_size_t),
    ]


def check(status):
    """Raise what the binding of MicroPython raises for a status that is not good."""
    if status == _OK:
        return
    if status == _FULL:
        raise MemoryError
    if status == _ENTROPY:
        raise OSError(errno.EIO, "entropy")
    word = lib.p11_word(status).decode()
    raise RuntimeError(word) if status == _INTERNAL else ValueError(word)


def verdict(status):
    """Return a status that is yes or no as a bool."""
    if status != _NO:
        check(status)
    return status == _OK


def writable(buf):
    """Return (pointer, length) of a writable buffer. TypeError when it is read-only."""
    view = memoryview(buf)
    if view.readonly:
        raise TypeError("secrets travel in writable buffers")
    view = view.cast("B")
    return (c_uint8 * len(view)).from_buffer(view), c_size_t(len(view))


def handle(slot):
    """Return a slot handle as C takes it; 0 for numbers that cannot be one."""
    return c_uint32(slot if 0 < slot < 1 << 32 else 0)


def new(function, *args):
    """Return the slot that a function makes."""
    slot = c_uint32()
    check(function(byref(slot), *args))
    return slot.value


def sized(function, room, *args):
    """Return the bytes that a function writes, at most `room`."""
    out, length = (c_uint8 * room)(), c_size_t()
    check(function(out, byref(length), *args))
    return bytes(out[: length.value])


def put(data):
    """Return (bytes, length) of a buffer that C only reads."""
    data = bytes(data)
    return data, c_size_t(len(data))


def binding(context, aad):
    """Return a reference to what a sealed value is bound to."""
    context, aad = bytes(context), bytes(aad)
    return byref(_Binding(context, len(context), aad, len(aad)))
