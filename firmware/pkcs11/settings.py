# SPDX-License-Identifier: MIT
"""What a board or a test may choose about the token.

Promises: one object with plain attributes; the defaults are those of docs/DESIGN.md. On a board
the frozen module `geometry` can name PIN_ITERATIONS (else they are measured), PIN_LIMITS (user, SO;
3 to 15) and LOCKED, the module `buildinfo` the firmware version.
"""

from micropython import const

try:
    from time import ticks_diff, ticks_ms
except ImportError:  # CPython
    from time import monotonic

    def ticks_ms():
        """Return a running time in ms."""
        return int(monotonic() * 1000)

    def ticks_diff(later, earlier):
        """Return the ms between two ticks."""
        return later - earlier


ITERATIONS = const(10000)  # of PBKDF2-HMAC-SHA256; a board never takes fewer once a PIN is set
ITERATIONS_MOST = const(10000000)
_STRETCH = const(700)  # ms that the stretching of a PIN takes where it is measured
_PROBE = const(2000)  # iterations of the first measurement
_MEASURED = const(50)  # ms from which a measurement counts

LIMITS = (10, 15)  # wrong PINs in a row until the user, the SO is locked
_LIMIT_LEAST = const(3)
_LIMIT_MOST = const(15)

SESSIONS_PER_APPLICATION = const(16)
SESSIONS = const(64)
SESSION_OBJECTS = const(32)  # each secret one holds a C slot


class Settings:
    """Attributes: iterations (of a new PIN, None: measure), limits (user, SO), default_mode,
    clock() in ms, since(tick) in ms, serial (bytes, at most 16), version ((major, minor) of the
    firmware)."""

    def __init__(self, iterations=ITERATIONS, limits=LIMITS, default_mode=True, clock=None):
        self.iterations = iterations
        self.limits = limits
        self.default_mode = default_mode
        self.clock = clock or ticks_ms
        self.serial = b""
        self.version = (0, 0)

    def since(self, tick):
        """Return the ms passed since a tick of clock()."""
        return ticks_diff(self.clock(), tick)

    def stretching(self, run):
        """Return the PBKDF2 iterations of a new PIN: the chosen number, else what takes 0.7 s here.

        run(n) spends n iterations. Never under 10 000, however slow the board or odd its clock.
        """
        if self.iterations is not None:
            return self.iterations
        count, passed = _PROBE, 0
        while passed < _MEASURED and count < ITERATIONS_MOST:
            start = self.clock()
            run(count)
            passed = self.since(start)
            fitting = count * _STRETCH // passed if passed > 0 else 0
            count *= 4
        return max(ITERATIONS, min(ITERATIONS_MOST, fitting))


def of_board():
    """Return the Settings of the board this runs on."""
    import geometry

    fixed = getattr(geometry, "PIN_ITERATIONS", None)
    settings = Settings(
        iterations=None if fixed is None else max(ITERATIONS, fixed),
        limits=[
            max(_LIMIT_LEAST, min(_LIMIT_MOST, limit))
            for limit in getattr(geometry, "PIN_LIMITS", LIMITS)
        ],
        default_mode=not getattr(geometry, "LOCKED", False),
    )
    try:
        from machine import unique_id

        settings.serial = bytes("".join("%02X" % byte for byte in unique_id())[-16:], "ascii")
    except ImportError:
        pass
    settings.version = version()
    return settings


def version():
    """Return (major, minor) of the firmware, (0, 0) when it has no version."""
    try:
        from buildinfo import VERSION

        parts = VERSION.split(".")
        return int(parts[0]) & 0xFF, int(parts[1]) & 0xFF
    except (ImportError, ValueError, IndexError):
        return 0, 0
