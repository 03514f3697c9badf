# SPDX-License-Identifier: MIT
"""Random numbers for the token on stock MicroPython: os.urandom, tested, then HMAC_DRBG.

Promises the firmware's state machine: 1024 samples are tested and discarded at the start (repetition
count 11, adaptive proportion 78 of 512); the first alarm starts the source again, the second fails
it until the next reset: OSError(EIO), never a fall-back. An stm32 up to MicroPython 1.28 answers
zeros when its generator fails; that is what the tests are for. On an ESP32 the radio is switched on
while the source is read, since nothing else feeds its generator.
"""

import hashlib
import os
import sys

try:
    from micropython import const
except ImportError:

    def const(value):
        """Return value."""
        return value


_EIO = const(5)
_RCT_CUTOFF = const(11)
_APT_CUTOFF = const(78)
_APT_WINDOW = const(512)
_STARTUP = const(1024)
_SEED = const(128)
_RESEED_REQUESTS = const(1024)

# state (0 not started, 1 ok, 2 failed), samples, alarms of the two tests, restarts, reseeds
_info = [0, 0, 0, 0, 0, 0]
# last sample, its run, first sample of the window, samples seen of it, equal ones
_test = [-1, 0, -1, 0, 0]
_generator = []  # K, V and requests since the last seed


def entropy_info():
    """Return (state, samples, rct alarms, apt alarms, restarts, reseeds)."""
    return tuple(_info)


def _raw(count):
    if sys.platform != "esp32":
        return os.urandom(count)
    import network

    radio = network.WLAN(network.STA_IF)
    was_on = radio.active()
    radio.active(True)
    try:
        return os.urandom(count)
    finally:
        if not was_on:
            radio.active(False)


def _good(samples):
    """Run both tests over samples; False on an alarm."""
    test = _test
    for sample in samples:
        _info[1] += 1
        test[1] = test[1] + 1 if sample == test[0] else 1
        test[0] = sample
        if test[1] >= _RCT_CUTOFF:
            _info[2] += 1
            return False
        if test[3] == 0:
            test[2] = sample
            test[4] = 0
        test[4] += sample == test[2]
        test[3] = (test[3] + 1) % _APT_WINDOW
        if test[4] >= _APT_CUTOFF:
            _info[3] += 1
            return False
    return True


def _poll(count):
    while _info[0] != 2:
        if _info[0] == 0:
            _test[:] = (-1, 0, -1, 0, 0)
            if _good(_raw(_STARTUP)):
                _info[0] = 1
        if _info[0] == 1:
            samples = _raw(count)
            if _good(samples):
                return samples
        if _info[4]:
            _info[0] = 2
        else:
            _info[4] = 1
            _info[0] = 0
    raise OSError(_EIO)


def hardware_poll(buf):
    """Fill a writable buffer with source bytes that passed the tests."""
    buf[:] = _poll(len(buf))


def hmac(key, message):
    """Return HMAC-SHA-256 of message."""
    if len(key) > 64:
        key = hashlib.sha256(key).digest()
    inner = bytearray(b"\x36" * 64)
    outer = bytearray(b"\x5c" * 64)
    for i in range(len(key)):
        inner[i] ^= key[i]
        outer[i] ^= key[i]
    state = hashlib.sha256(inner)
    state.update(message)
    return hashlib.sha256(bytes(outer) + state.digest()).digest()


def _update(data):
    """HMAC_DRBG_Update (SP 800-90A, 10.1.2.2)."""
    for mark in (b"\x00", b"\x01"):
        _generator[0] = hmac(_generator[0], _generator[1] + mark + data)
        _generator[1] = hmac(_generator[0], _generator[1])
        if not data:
            return


def reseed():
    """Draw a fresh seed. OSError(EIO) when the source failed."""
    seed = _poll(_SEED)
    if not _generator:
        _generator.extend((bytes(32), b"\x01" * 32, 0))
    else:
        _info[5] += 1
    _update(seed)
    _generator[2] = 0


def output(buf, additional=b""):
    """Fill a writable view with random bytes."""
    if _info[0] == 2:
        raise OSError(_EIO)
    if not _generator or _generator[2] >= _RESEED_REQUESTS:
        reseed()
    additional = bytes(additional)
    if additional:
        _update(additional)
    _generator[2] += 1
    done = 0
    while done < len(buf):
        _generator[1] = hmac(_generator[0], _generator[1])
        part = min(32, len(buf) - done)
        buf[done : done + part] = _generator[1][:part]
        done += part
    _update(additional)
