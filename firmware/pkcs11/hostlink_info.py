# SPDX-License-Identifier: MIT
"""What the board is, in words: facts of the board, the token's state, the store's health.

Promises: works without a PIN, writes nothing, and answers even when the store cannot be served.
Assumes the frozen modules `geometry` and, if there is one, `buildinfo` and `rawflash`.
"""

import sys

import p11crypto

from . import application, board_token
from .errors import P11Error


def text(label):
    """Return a label as text; bytes that are not UTF-8 show as \\xNN."""
    try:
        return bytes(label).decode()
    except ValueError:
        return "".join(chr(c) if 32 <= c < 127 else "\\x%02x" % c for c in bytes(label))


def info(request):
    """Return what the board, the token and the store are; works without a PIN and without keys."""
    answer = board()
    app = application()
    try:
        app.C_Initialize()
    except P11Error as error:
        answer["token"] = None
        answer["store"] = {
            "error": error.name,
            "code": error.ckr,
            "hint": "the key region is not a store this firmware can serve; nothing was changed",
        }
        cause = board_token().pal.error
        if cause is not None:
            answer["store"]["error"] = str(cause)
        return answer
    try:
        answer["token"] = token_info(app)
        if "seed" in answer["entropy"]:
            answer["entropy"]["seed"] = seed_info(app.token.pal)
        answer["store"] = app.token.pal.health()
        answer["objects"] = len(app.token.ids())
    finally:
        app.C_Finalize()
    return answer


def board():
    """Return the facts of the board: name, versions, entropy source, flash map."""
    import geometry

    state, samples, rct, apt, restarts, reseeds = p11crypto.entropy_info()
    answer = {
        "board": geometry.BOARD,
        "firmware": "unknown",
        "micropython": ".".join([str(part) for part in sys.implementation.version[:3]]),
        "development": not getattr(geometry, "LOCKED", False),
        "entropy": {
            "source": geometry.ENTROPY,
            "proof": TESTED,
            "state": ("not started", "ok", "failed")[state],
            "samples": samples,
            "rct_alarms": rct,
            "apt_alarms": apt,
            "restarts": restarts,
            "reseeds": reseeds,
        },
        "device_secret": getattr(geometry, "DEVICE_SECRET", None) is not None,
        "flash": {
            "map": [
                {"name": name, "offset": place[0], "size": place[1]}
                for name, place in sorted(geometry.FLASH_MAP.items(), key=lambda item: item[1])
            ]
        },
    }
    if hasattr(p11crypto, "has_source") and not p11crypto.has_source():
        answer["entropy"]["source"] = "none: a stored seed, replaced before each use"
        answer["entropy"]["proof"] = SEEDED
        answer["entropy"]["seed"] = None
    try:
        from buildinfo import VERSION

        answer["firmware"] = VERSION
    except ImportError:
        pass
    try:
        import rawflash

        answer["flash"]["jedec"] = "%06x" % rawflash.info()[0]
    except ImportError:
        pass
    return answer


def seed_info(pal):
    """Return the generation of the stored seed (0: none) and why it could not be used, if so."""
    from pal import nv_seed

    return {"generation": nv_seed.generation(pal), "error": pal.seed_error}


def token_info(app):
    """Return C_GetTokenInfo in words, and what is left of the PIN attempts."""
    token = app.C_GetTokenInfo(1)
    ring = app.token.keyring
    names = []
    for bit in range(24):
        if token.flags >> bit & 1:
            names.append(FLAGS[1 << bit] if 1 << bit in FLAGS else hex(1 << bit))
    pins = {}
    for role, name in ((0, "user"), (1, "so")):
        pins[name] = {
            "set": ring.has_pin(role),
            "tries_left": ring.tries_left(role),
            "limit": ring.limits[role],
            "wait_seconds": ring.seconds_left(role),
            "iterations": ring.iterations(role),
        }
    return {
        "label": text(token.label),
        "manufacturer": text(token.manufacturerID),
        "model": text(token.model),
        "serial": text(token.serialNumber),
        "flags": names,
        "default_mode": ring.default_mode(),
        "pins": pins,
        "free": token.ulFreePublicMemory,
        "total": token.ulTotalPublicMemory,
    }


# Why the random numbers are believed; the figures are those of p11crypto/entropy.h, drbg.h.
TESTED = (
    "each byte passes the repetition count (11) and adaptive proportion (78 of 512) tests of "
    "SP 800-90B, 1024 of them before the first use; CTR_DRBG after a known-answer test"
)
SEEDED = "64 bytes given at manufacture, made anew by CTR_DRBG in flash before any output"

FLAGS = {
    0x1: "RNG",
    0x4: "LOGIN_REQUIRED",
    0x8: "USER_PIN_INITIALIZED",
    0x400: "TOKEN_INITIALIZED",
    0x10000: "USER_PIN_COUNT_LOW",
    0x20000: "USER_PIN_FINAL_TRY",
    0x40000: "USER_PIN_LOCKED",
    0x80000: "USER_PIN_TO_BE_CHANGED",
    0x100000: "SO_PIN_COUNT_LOW",
    0x200000: "SO_PIN_FINAL_TRY",
    0x400000: "SO_PIN_LOCKED",
    0x800000: "SO_PIN_TO_BE_CHANGED",
}
