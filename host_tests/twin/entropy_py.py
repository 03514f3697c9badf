# SPDX-License-Identifier: MIT
"""Entropy state machine of the twin: the health tests of the C module in front of os.urandom.

Follows SP 800-90B §4.4 with the cut-offs of the firmware (repetition count 11, adaptive proportion
78 of 512, 8-bit samples): 1024 samples are tested and discarded at start; the first alarm restarts
the source once, the next one fails it until power-on. Tests replace the source with
test_source() to show stuck, biased and dying hardware. After test_no_source() there is no source:
outputs then are a chain of SHA-512 that depends on the seed alone, or OSError(EIO) before seed().
"""

import errno
import hashlib
import os

RCT_CUTOFF, APT_CUTOFF, APT_WINDOW, STARTUP = 11, 78, 512, 1024
RESEED_REQUESTS, RESEED_BYTES, SEED = 1024, 65536, 128

_source = os.urandom
_secret = b""
_none = False  # no hardware source


class _Alarm(Exception):
    pass


class _State:
    def __init__(self):
        self.code = 0
        self.samples = self.rct = self.apt = self.restarts = self.reseeds = 0
        self.seeded = False
        self.requests = self.bytes = 0
        self.chain = b""
        self.clear()

    def clear(self):
        self.last, self.run = -1, 0
        self.first, self.seen, self.equal = -1, 0, 0


_s = _State()


def test_source(source=None, secret=b""):
    """Tests only: take samples from source(n) -> bytes or None; set the board's device secret."""
    global _source, _secret
    _source, _secret = source or os.urandom, secret


def test_no_source(none=True):
    """Tests only: behave as a build without a hardware source, or with one again."""
    global _none
    _none = none


def has_source():
    """Return whether this build has a hardware source."""
    return not _none


def device_secret():
    """Return the device secret mixed into key-encryption keys: 0 or 32 bytes."""
    return _secret


def power_on():
    """Tests only: forget everything, as a chip reset does."""
    global _s
    _s = _State()


def info():
    """Return (state, samples, rct alarms, apt alarms, restarts, reseeds)."""
    return (_s.code, _s.samples, _s.rct, _s.apt, _s.restarts, _s.reseeds)


def _examine(byte):
    _s.samples += 1
    _s.run = _s.run + 1 if byte == _s.last else 1
    _s.last = byte
    if _s.run >= RCT_CUTOFF:
        _s.rct += 1
        raise _Alarm
    if _s.seen == 0:
        _s.first, _s.equal = byte, 0
    _s.equal += byte == _s.first
    _s.seen = (_s.seen + 1) % APT_WINDOW
    if _s.equal >= APT_CUTOFF:
        _s.apt += 1
        raise _Alarm


def _collect(count):
    out = _source(count)
    if out is None:
        raise _Alarm
    for byte in out:
        _examine(byte)
    return out


def _start():
    _s.clear()
    _collect(STARTUP)
    _s.code = 1


def poll(count):
    """Return count tested source bytes. OSError(EIO) when the source failed, now or earlier."""
    while not _none and _s.code != 2:
        try:
            if _s.code == 0:
                _start()
            return _collect(count)
        except _Alarm:
            if _s.restarts:
                _s.code = 2
            else:
                _s.restarts, _s.code = 1, 0
    raise OSError(errno.EIO, "entropy")


def reseed():
    """Draw fresh seed from the source. OSError(EIO) when the source failed."""
    if _none and _s.seeded:
        _s.requests, _s.bytes = 0, 0
        return
    poll(SEED)
    _s.reseeds += _s.seeded
    _s.seeded, _s.requests, _s.bytes = True, 0, 0


def output(count):
    """Return count random bytes, reseeding every 1024 requests or 64 KiB as the firmware does."""
    if _s.code == 2:
        raise OSError(errno.EIO, "entropy")
    if not _s.seeded or _s.requests >= RESEED_REQUESTS or _s.bytes >= RESEED_BYTES:
        reseed()
    _s.requests += 1
    _s.bytes += count
    if not _none:
        return os.urandom(count)
    out = b""
    while len(out) < count:
        mix(b"")
        out += hashlib.sha512(b"out" + _s.chain).digest()
    mix(b"")
    return out[:count]


def mix(data):
    """Take additional input in. OSError(EIO) when there is nothing to mix it with."""
    if not _none or not _s.seeded:
        output(0)
    _s.chain = hashlib.sha512(b"mix" + _s.chain + data).digest()


def seed(value, personal):
    """Start from a seed where there is no source and no output yet, else mix it in."""
    if _none and not _s.seeded and _s.code != 2:
        _s.seeded, _s.code = True, 1
    mix(personal)
    mix(value)
