# SPDX-License-Identifier: MIT
"""Commands for a host that speaks JSON through the REPL: one request in, one line out.

    hostlink.run(b'{"cmd": "sign", "label": "Device Priv TLS Key", "digest": "…", "pin": "0000"}')
    hostlink.serve_line()          the same, but the request comes as a line on stdin

Binary values are hex text, labels are text. Promises: every request prints exactly one line of
JSON, an object with the result or with "error", "code" and "hint"; each request is an Application
of its own, so it neither uses nor disturbs the login of the program on the board.
Assumes the caller trusts the line: the PIN crosses it and stays in the REPL's memory.
"""

import gc
import json
import sys

import p11crypto

from . import application, board_token, keys
from .calls_general import SLOT
from .const import (
    CKA_KEY_TYPE,
    CKF_RW_SESSION,
    CKF_SERIAL_SESSION,
    CKK_RSA,
    CKM_ECDSA,
    CKM_RSA_PKCS,
    CKM_SHA256,
    CKR_ARGUMENTS_BAD,
    CKR_ATTRIBUTE_VALUE_INVALID,
    CKR_CURVE_NOT_SUPPORTED,
    CKR_DEVICE_ERROR,
    CKR_DEVICE_MEMORY,
    CKR_FUNCTION_FAILED,
    CKR_GENERAL_ERROR,
    CKR_OBJECT_HANDLE_INVALID,
    CKR_PIN_INCORRECT,
    CKR_PIN_LEN_RANGE,
    CKR_PIN_LOCKED,
    CKR_SESSION_EXISTS,
    CKR_TEMPLATE_INCONSISTENT,
    CKR_TOKEN_NOT_RECOGNIZED,
    CKR_TOKEN_WRITE_PROTECTED,
    CKR_USER_NOT_LOGGED_IN,
    CKR_USER_PIN_NOT_INITIALIZED,
    CKU_SO,
    CKU_USER,
)
from .errors import P11Error
from .hostlink_info import info
from .hostlink_objects import Refused, destroy, hexed, import_object, keygen, objects, read, unhex
from .hostlink_reset import factory_reset
from .hostlink_switch import switch
from .operations import HashedRsa

LINE_MAX = 16384
_LINE_FIRST = 1024  # most requests fit, and a heap in use has such a piece

HINTS = {
    CKR_ARGUMENTS_BAD: "a field of the request is missing or has the wrong form",
    CKR_ATTRIBUTE_VALUE_INVALID: "a value is malformed: length, not DER, or not on the curve",
    CKR_CURVE_NOT_SUPPORTED: "this firmware does not offer that curve",
    CKR_DEVICE_ERROR: "flash or entropy source failed, or the object was changed in flash",
    CKR_DEVICE_MEMORY: "no room in the token, or the object is too big",
    CKR_FUNCTION_FAILED: "a wrong PIN was given before: wait and try again",
    CKR_OBJECT_HANDLE_INVALID: "no object of that class and label is visible; private ones need"
    " the PIN",
    CKR_PIN_INCORRECT: "wrong PIN; the attempt was counted",
    CKR_PIN_LEN_RANGE: "a PIN has 4 to 64 bytes",
    CKR_PIN_LOCKED: "too many wrong PINs; the security officer can set a new user PIN",
    CKR_SESSION_EXISTS: "a program on the board uses the token; reset the board first",
    CKR_TEMPLATE_INCONSISTENT: "the values contradict each other; is the key file damaged?",
    CKR_TOKEN_NOT_RECOGNIZED: "the key region holds something that is not a store of this format",
    CKR_TOKEN_WRITE_PROTECTED: "the flash is worn out: what is stored stays, nothing can be written",
    CKR_USER_NOT_LOGGED_IN: "this needs the PIN",
    CKR_USER_PIN_NOT_INITIALIZED: "no PIN is set: the security officer sets it",
}


# --- computing ---------------------------------------------------------------------------------


def sign(token, request):
    """Sign a digest (SHA-256 for RSA) with the private key of a label."""
    key = token.key(request["label"])
    return {"signature": hexed(key.sign(*_prepared(key, request)))}


def verify(token, request):
    """Verify a signature over a digest with the public key of a label."""
    key = token.public_key(request["label"])
    data, mechanism = _prepared(key, request)
    return {"valid": key.verify(data, unhex(request["signature"]), mechanism)}


def _prepared(key, request):
    """Return (data, mechanism) for a digest under a key."""
    digest = unhex(request["digest"])
    if key.get(CKA_KEY_TYPE) == CKK_RSA:
        return HashedRsa.info + bytes(digest), CKM_RSA_PKCS
    return digest, CKM_ECDSA


def random(token, request):
    """Return random bytes."""
    return {"value": hexed(token.random(request["length"]))}


def digest(token, request):
    """Return the SHA-256 of a value."""
    token.app.C_DigestInit(token.session, CKM_SHA256)
    return {"value": hexed(token.app.C_Digest(token.session, unhex(request["value"])))}


# --- PINs --------------------------------------------------------------------------------------


def init(request):
    """C_InitToken: destroys everything. In default mode a user PIN must prove the right to it."""
    app = application()
    app.C_Initialize()
    try:
        if request.get("pin") is not None:
            session = app.C_OpenSession(SLOT, CKF_SERIAL_SESSION | CKF_RW_SESSION)
            app.C_Login(session, CKU_USER, _pin(request["pin"]))
            app.C_CloseSession(session)
        app.C_InitToken(SLOT, _pin(request["so_pin"]), request.get("label") or "")
        if request.get("new_pin") is not None:
            session = app.C_OpenSession(SLOT, CKF_SERIAL_SESSION | CKF_RW_SESSION)
            app.C_Login(session, CKU_SO, _pin(request["so_pin"]))
            app.C_InitPIN(session, _pin(request["new_pin"]))
        return {"label": request.get("label") or ""}
    finally:
        app.C_Finalize()


def init_pin(request):
    """C_InitPIN: the security officer sets, and thereby unlocks, the user PIN."""
    app = application()
    app.C_Initialize()
    try:
        session = app.C_OpenSession(SLOT, CKF_SERIAL_SESSION | CKF_RW_SESSION)
        app.C_Login(session, CKU_SO, _pin(request["so_pin"]))
        app.C_InitPIN(session, _pin(request["new_pin"]))
        return {}
    finally:
        app.C_Finalize()


def set_pin(request):
    """C_SetPIN of the user: leaves default mode, keeps the keys."""
    app = application()
    app.C_Initialize()
    try:
        session = app.C_OpenSession(SLOT, CKF_SERIAL_SESSION | CKF_RW_SESSION)
        app.C_SetPIN(session, _pin(request["pin"]), _pin(request["new_pin"]))
        return {}
    finally:
        app.C_Finalize()


def _pin(text):
    return bytearray(text.encode())


def seed(request):
    """Take 64 random bytes of the host as the stored seed of a board without entropy source.

    At manufacture; later ones are mixed in. Needs no PIN: it can only add.
    """
    from pal import nv_seed

    value = unhex(request["value"])
    if not nv_seed.needed():
        raise Refused("not needed", "this board has an entropy source")
    token = board_token()
    token.mount()
    try:
        return {"generation": nv_seed.provision(token.pal, value)}
    except (token.pal.StoreError, OSError):
        raise P11Error(CKR_DEVICE_ERROR)


# --- requests ----------------------------------------------------------------------------------

_ALONE = {
    "info": info,
    "init": init,
    "init_pin": init_pin,
    "set_pin": set_pin,
    "seed": seed,
    "factory_reset": factory_reset,
}
_WITH_TOKEN = {
    "objects": objects,
    "keygen": keygen,
    "import": import_object,
    "read": read,
    "destroy": destroy,
    "switch": switch,
    "sign": sign,
    "verify": verify,
    "random": random,
    "digest": digest,
}


def failure(error):
    """Return the answer for a P11Error."""
    hint = HINTS[error.ckr] if error.ckr in HINTS else ""
    return {"error": error.name, "code": error.ckr, "hint": hint}


def answer(request):
    """Return the answer to a request, both as dictionaries. Never raises."""
    try:
        command = request["cmd"]
        if command in _ALONE:
            return _ALONE[command](request)
        if command not in _WITH_TOKEN:
            names = sorted(list(_ALONE) + list(_WITH_TOKEN))
            raise Refused("unknown command", "one of: " + ", ".join(names))
        pin = request.get("pin")
        with keys.Token(application(), None if pin is None else _pin(pin)) as token:
            return _WITH_TOKEN[command](token, request)
    except P11Error as error:
        return failure(error)
    except Refused as refusal:
        return {"error": refusal.args[0], "code": CKR_GENERAL_ERROR, "hint": refusal.args[1]}
    except (KeyError, TypeError, ValueError, AttributeError):
        return failure(P11Error(CKR_ARGUMENTS_BAD))


def say(value):
    """Print a line of JSON, piece by piece: a board with little RAM has no room for all of it."""
    json.dump(value, sys.stdout)
    print()


def run(request):
    """Carry out one JSON request (text or bytes) and print one line of JSON."""
    try:
        request = json.loads(request)
    except ValueError:
        request = None
    say(answer(request))


def line_room():
    """Return how many bytes a request may have: a board with little RAM says less."""
    import geometry

    return getattr(geometry, "REQUEST_MAX", LINE_MAX)


def _grown(line, room):
    """Return a buffer of twice the size with what is in line, which is wiped."""
    try:
        longer = bytearray(min(room, 2 * len(line)))
        memoryview(longer)[: len(line)] = line
        return longer
    finally:
        p11crypto.wipe(line)


def serve_line():
    """Read one line of JSON from stdin, carry it out, print one line. The line is wiped."""
    gc.collect()  # what stays of this request then lies low, and large pieces stay free
    room = line_room()
    line = bytearray(min(room, _LINE_FIRST))
    view = memoryview(line)
    source = sys.stdin.buffer
    at = 0
    try:
        while at < room:
            if at == len(line):
                line = _grown(line, room)
                view = memoryview(line)
            if not source.readinto(view[at : at + 1]) or line[at] == 10:
                break
            at += 1
        if at == room:
            while source.readinto(view[:1]) and line[0] != 10:
                pass  # too long: the rest must not reach the REPL
            refusal = failure(P11Error(CKR_ARGUMENTS_BAD))
            refusal["hint"] = "this board takes %d bytes in one request" % room
            say(refusal)
            return
        for rest in range(at, len(line)):
            line[rest] = 32  # JSON ignores trailing blanks
        run(line)
    finally:
        p11crypto.wipe(line)
