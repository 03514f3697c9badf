# SPDX-License-Identifier: MIT
"""Twin of the C module p11crypto, written with `cryptography`.

Promises the names, argument checks, exceptions, byte formats and wiping of the C module, so that
`pal` and `pkcs11` run on CPython as they are. Assumes nothing about speed or side channels: it is
for tests only. Key values stay in the slot table of slots_py; callers hold handles.

Exceptions: ValueError("slot") stale or foreign handle or wrong kind; ValueError(word) for any
other bad argument; MemoryError out of slots; OSError(EIO) entropy failure; TypeError for a secret
given in a read-only buffer.
"""

import hashlib
import hmac

import entropy_py as _entropy
from ec_py import *  # noqa: F403
from entropy_py import device_secret, has_source, test_no_source, test_source  # noqa: F401
from p11crypto_names import *  # noqa: F403
from p11crypto_names import HASHES, NAMES
from rsa_py import *  # noqa: F403
from seal_py import *  # noqa: F403
from secret_py import *  # noqa: F403
from slots_py import release, slots_used, wipe, wipe_all, writable  # noqa: F401

__all__ = NAMES


def random(buf):
    """Fill a writable buffer from the DRBG. OSError(EIO) when the source failed."""
    view = writable(buf)
    view[:] = _entropy.output(len(view))


def random_add(data):
    """Mix data into the DRBG as additional input; it never replaces the source."""
    _entropy.mix(bytes(data))


def hardware_poll(buf):
    """Fill a writable buffer with source bytes that passed the health tests."""
    view = writable(buf)
    view[:] = _entropy.poll(len(view))


def entropy_seed(seed, personal):
    """Seed the DRBG of a build without source; elsewhere and later mix the seed in.

    seed: 64 bytes, used once, a writable buffer that is wiped. personal: at most 64 bytes.
    ValueError("seed"), ValueError("context"): a length is wrong.
    """
    personal = bytes(personal)
    view = writable(seed)
    try:
        if len(view) != 64:
            raise ValueError("seed")
        if len(personal) > 64:
            raise ValueError("context")
        _entropy.seed(bytes(view), personal)
    finally:
        wipe(view)


def entropy_info():
    """Return (state, samples, rct alarms, apt alarms, restarts, reseeds).

    state: 0 not started, 1 ok, 2 failed until power-on.
    """
    return _entropy.info()


def sha256(data):
    """Return the 32 bytes of SHA-256 of data."""
    return hashlib.sha256(data).digest()


class Hash:
    """A running hash. ValueError("hash") for an unknown algorithm or after wipe()."""

    def __init__(self, alg):
        if alg not in HASHES:
            raise ValueError("hash")
        self._state = hashlib.new(HASHES[alg])

    def _live(self):
        if self._state is None:
            raise ValueError("hash")
        return self._state

    def update(self, data):
        """Add data."""
        self._live().update(data)

    def digest(self):
        """Return the digest of everything added so far; the state stays."""
        return self._live().digest()

    def copy(self):
        """Return an independent Hash with the same state."""
        other = Hash.__new__(Hash)
        other._state = self._live().copy()
        return other

    def wipe(self):
        """Forget the state; every later call but wipe() fails."""
        self._state = None


def compare(a, b):
    """Return whether two buffers are equal, in a time that depends on their lengths only."""
    return hmac.compare_digest(bytes(a), bytes(b))


def test_reset():
    """Tests only: what power-off and on does to this module."""
    wipe_all()
    _entropy.power_on()
