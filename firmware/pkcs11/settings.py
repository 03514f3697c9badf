# SPDX-License-Identifier: MIT
"""What a board or a test may choose about the token.

Promises: one object with plain attributes; the defaults are those of docs/DESIGN.md. On a board
the frozen module `geometry` can name PIN_ITERATIONS and LOCKED, `buildinfo` the firmware version.
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


ITERATIONS = const(10000)  # of PBKDF2-HMAC-SHA256; never fewer once a PIN is set

SESSIONS_PER_APPLICATION = const(16)
SESSIONS = const(64)
SESSION_OBJECTS = const(32)  # each secret one holds a C slot


class Settings:
    """Attributes: iterations, limits (user, SO), default_mode, clock() in ms, since(tick) in ms,
    serial (bytes, at most 16), version ((major, minor) of the firmware)."""

    def __init__(self, iterations=ITERATIONS, limits=(10, 15), default_mode=True, clock=None):
        self.iterations = iterations
        self.limits = limits
        self.default_mode = default_mode
        self.clock = clock or ticks_ms
        self.serial = b""
        self.version = (0, 0)

    def since(self, tick):
        """Return the ms passed since a tick of clock()."""
        return ticks_diff(self.clock(), tick)


def of_board():
    """Return the Settings of the board this runs on."""
    import geometry

    settings = Settings(
        iterations=max(ITERATIONS, getattr(geometry, "PIN_ITERATIONS", ITERATIONS)),
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
