# SPDX-License-Identifier: MIT
"""Commands for a host that speaks JSON through the REPL: one request in, one line out.

    hostlink.run(b'{"cmd": "sign", "label": "Device Priv TLS Key", "digest": "…", "pin": "0000"}')
    hostlink.serve_line()          the same, but the request comes as a line on stdin

Binary values are hex text, labels are text. Promises: every request prints exactly one line of
JSON, an object with the result or with "error", "code" and "hint"; each request is an Application
of its own, so it neither uses nor disturbs the login of the program on the board.
Assumes the caller trusts the line: the PIN crosses it and stays in the REPL's memory.
"""

import json
import sys
from binascii import hexlify

import p11crypto

from . import application, board_token, der, keys
from .const import (
    CKA_CERTIFICATE_TYPE,
    CKA_CLASS,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_ID,
    CKA_ISSUER,
    CKA_KEY_TYPE,
    CKA_LABEL,
    CKA_LOCAL,
    CKA_PRIVATE,
    CKA_SERIAL_NUMBER,
    CKA_SIGN,
    CKA_SUBJECT,
    CKA_TOKEN,
    CKA_VALUE,
    CKA_VERIFY,
    CKC_X_509,
    CKK_EC,
    CKM_SHA256,
    CKO_CERTIFICATE,
    CKO_DATA,
    CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
    CKO_SECRET_KEY,
    CKR_ARGUMENTS_BAD,
    CKR_ATTRIBUTE_TYPE_INVALID,
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
    CKR_TOKEN_NOT_RECOGNIZED,
    CKR_USER_NOT_LOGGED_IN,
    CKR_USER_PIN_NOT_INITIALIZED,
    CKU_SO,
    name_of,
)
from .errors import P11Error

CLASSES = {
    "data": CKO_DATA,
    "certificate": CKO_CERTIFICATE,
    "public key": CKO_PUBLIC_KEY,
    "private key": CKO_PRIVATE_KEY,
    "secret key": CKO_SECRET_KEY,
}
CURVES = {"P-256": der.OID_P256, "P-384": der.OID_P384}
LINE_MAX = 16384

HINTS = {
    CKR_ARGUMENTS_BAD: "a field of the request is missing or has the wrong form",
    CKR_ATTRIBUTE_VALUE_INVALID: "a value is malformed: wrong length, not DER, or not on the curve",
    CKR_CURVE_NOT_SUPPORTED: "this firmware does not offer that curve",
    CKR_DEVICE_ERROR: "flash or entropy source failed, or the object was changed in flash",
    CKR_DEVICE_MEMORY: "no room in the token, or the object is too big",
    CKR_FUNCTION_FAILED: "a wrong PIN was given before: wait and try again",
    CKR_OBJECT_HANDLE_INVALID: "no object of that class and label is visible; private ones need"
    " the PIN",
    CKR_PIN_INCORRECT: "wrong PIN; the attempt was counted",
    CKR_PIN_LEN_RANGE: "a PIN has 4 to 64 bytes",
    CKR_PIN_LOCKED: "too many wrong PINs; the security officer can set a new user PIN",
    CKR_TOKEN_NOT_RECOGNIZED: "the key region holds something that is not a store of this format",
    CKR_USER_NOT_LOGGED_IN: "this needs the PIN",
    CKR_USER_PIN_NOT_INITIALIZED: "no PIN is set: the security officer sets it",
}


class Refused(Exception):
    """A request that was not carried out: (error, hint)."""


def _hex(value):
    return hexlify(value).decode()


def _unhex(text):
    """Return a bytearray, so that a secret in it can be wiped."""
    if len(text) & 1:
        raise P11Error(CKR_ARGUMENTS_BAD)
    out = bytearray(len(text) // 2)
    for at in range(len(out)):
        out[at] = int(text[2 * at : 2 * at + 2], 16)
    return out


def _text(label):
    """Return a label as text; bytes that are not UTF-8 show as \\xNN."""
    try:
        return bytes(label).decode()
    except ValueError:
        return "".join(chr(c) if 32 <= c < 127 else "\\x%02x" % c for c in bytes(label))


def _class_name(number):
    for name, value in CLASSES.items():
        if value == number:
            return name
    return hex(number)


def _class(request):
    name = request["class"]
    if name not in CLASSES:
        raise Refused("unknown class", "one of: " + ", ".join(sorted(CLASSES)))
    return CLASSES[name]


# --- what the board is -------------------------------------------------------------------------


def info(request):
    """Return what the board, the token and the store are; works without a PIN and without keys."""
    answer = board()
    app = application()
    try:
        app.C_Initialize()
    except P11Error as error:
        answer["token"] = None
        answer["store"] = failure(error)
        cause = board_token().pal.error
        if cause is not None:
            answer["store"] = {
                "error": str(cause),
                "code": error.ckr,
                "hint": "the key region is not a store this firmware can serve; nothing was changed",
            }
        return answer
    try:
        answer["token"] = token_info(app)
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


def token_info(app):
    """Return C_GetTokenInfo in words, and what is left of the PIN attempts."""
    token = app.C_GetTokenInfo(1)
    ring = app.token.keyring
    names = []
    for bit in range(24):
        if token.flags >> bit & 1:
            names.append(_FLAGS[1 << bit] if 1 << bit in _FLAGS else hex(1 << bit))
    pins = {}
    for role, name in ((0, "user"), (1, "so")):
        pins[name] = {
            "set": ring.has_pin(role),
            "tries_left": ring.tries_left(role),
            "limit": app.token.settings.limits[role],
            "wait_seconds": ring.seconds_left(role),
        }
    return {
        "label": _text(token.label),
        "manufacturer": _text(token.manufacturerID),
        "model": _text(token.model),
        "serial": _text(token.serialNumber),
        "flags": names,
        "default_mode": ring.default_mode(),
        "pins": pins,
        "free": token.ulFreePublicMemory,
        "total": token.ulTotalPublicMemory,
    }


_FLAGS = {
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


# --- objects -----------------------------------------------------------------------------------


def objects(token, request):
    """List what is visible."""
    return {"objects": [_describe(token, obj) for obj in token.find()]}


def _describe(token, obj):
    size = token.app.C_GetObjectSize(token.session, obj.handle)
    answer = {"handle": obj.handle, "size": size}
    try:
        number, label, private, stored = obj.get(CKA_CLASS, CKA_LABEL, CKA_PRIVATE, CKA_TOKEN)
    except P11Error as error:
        answer.update({"class": "damaged", "label": "", "error": error.name})
        return answer
    answer.update(
        {
            "class": _class_name(number),
            "label": _text(label),
            "private": private,
            "token": stored,
        }
    )
    if number != CKO_DATA:
        answer["id"] = _hex(obj.id)
    if number >= CKO_PUBLIC_KEY:
        key_type, local = obj.get(CKA_KEY_TYPE, CKA_LOCAL)
        answer["key_type"] = name_of("CKK_", key_type)[4:]
        answer["local"] = local
        if key_type == CKK_EC:
            answer["curve"] = _curve_name(obj.get(CKA_EC_PARAMS))
    return answer


def _curve_name(parameters):
    for name, oid in CURVES.items():
        if oid == parameters:
            return name
    return "unknown"


def _existing(token, wanted, replace):
    """Return the objects of (class, label) pairs, refuse if there are any and replace is off."""
    found = []
    for object_class, label in wanted:
        found.extend(token.find([(CKA_CLASS, object_class), (CKA_LABEL, label.encode())]))
    if found and not replace:
        raise Refused(
            "an object of that class and label exists",
            "destroy it first, or ask for replace; the old key or certificate is then lost",
        )
    return found


def keygen(token, request):
    """Make a key pair in the token."""
    label = request["label"]
    public_label = request.get("public_label") or label
    oid = _curve(request)
    old = _existing(
        token,
        ((CKO_PRIVATE_KEY, label), (CKO_PUBLIC_KEY, public_label)),
        request.get("replace"),
    )
    key_id = _unhex(request["id"]) if request.get("id") else None
    public, private = token.generate(label, public_label, key_id, oid)
    for obj in old:
        obj.destroy()
    return {
        "private": private.handle,
        "public": public.handle,
        "id": _hex(private.id),
        "point": _hex(public.point),
    }


def _curve(request):
    name = request.get("curve") or "P-256"
    if name not in CURVES:
        raise P11Error(CKR_CURVE_NOT_SUPPORTED)
    return CURVES[name]


def import_object(token, request):
    """Store a certificate, a public key, a private key or data."""
    object_class = _class(request)
    label = request["label"]
    old = _existing(token, ((object_class, label),), request.get("replace"))
    value = _unhex(request["value"])
    template = [(CKA_CLASS, object_class), (CKA_TOKEN, True), (CKA_LABEL, label.encode())]
    for name, kind in (
        ("id", CKA_ID),
        ("subject", CKA_SUBJECT),
        ("issuer", CKA_ISSUER),
        ("serial", CKA_SERIAL_NUMBER),
    ):
        if request.get(name):
            template.append((kind, _unhex(request[name])))
    if object_class == CKO_CERTIFICATE:
        template.append((CKA_CERTIFICATE_TYPE, CKC_X_509))
    elif object_class in (CKO_PUBLIC_KEY, CKO_PRIVATE_KEY):
        template.append((CKA_KEY_TYPE, CKK_EC))
        template.append((CKA_EC_PARAMS, _curve(request)))
    if object_class == CKO_PUBLIC_KEY:
        template.append((CKA_VERIFY, True))
        template.append((CKA_EC_POINT, der.point_encode(value)))
    elif object_class == CKO_PRIVATE_KEY:
        template.append((CKA_SIGN, True))
        template.append((CKA_VALUE, value))
    elif object_class in (CKO_CERTIFICATE, CKO_DATA):
        template.append((CKA_VALUE, value))
    else:
        raise Refused("this class cannot be imported", "use the PKCS#11 interface")
    handle = token.app.C_CreateObject(token.session, template)
    for obj in old:
        obj.destroy()
    return {"handle": handle}


def _one(token, request, fallback):
    """Return the object a request names; fallback: classes to try when it names none."""
    if request.get("class"):
        return token.one(request["label"], _class(request))
    for object_class in fallback:
        try:
            return token.one(request["label"], object_class)
        except P11Error as error:
            if error.ckr != CKR_OBJECT_HANDLE_INVALID:
                raise
    raise P11Error(CKR_OBJECT_HANDLE_INVALID)


def read(token, request):
    """Return the value of a certificate or data object, the point of a public key."""
    classes = (CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_DATA, CKO_PRIVATE_KEY, CKO_SECRET_KEY)
    obj = _one(token, request, classes)
    number, label = obj.get(CKA_CLASS, CKA_LABEL)
    answer = {"class": _class_name(number), "label": _text(label)}
    answer["value"] = _hex(obj.point if number == CKO_PUBLIC_KEY else obj.value)
    try:
        answer["id"] = _hex(obj.id)
    except P11Error as error:  # data objects have none
        if error.ckr != CKR_ATTRIBUTE_TYPE_INVALID:
            raise
    return answer


def destroy(token, request):
    """Destroy all objects of a label, of one class if it is named."""
    template = [(CKA_LABEL, request["label"].encode())]
    if request.get("class"):
        template.append((CKA_CLASS, _class(request)))
    found = token.find(template)
    if not found:
        raise P11Error(CKR_OBJECT_HANDLE_INVALID)
    for obj in found:
        obj.destroy()
    return {"destroyed": len(found)}


# --- computing ---------------------------------------------------------------------------------


def sign(token, request):
    """Sign a digest with the private key of a label."""
    return {"signature": _hex(token.key(request["label"]).sign(_unhex(request["digest"])))}


def verify(token, request):
    """Verify a signature over a digest with the public key of a label."""
    key = token.public_key(request["label"])
    return {"valid": key.verify(_unhex(request["digest"]), _unhex(request["signature"]))}


def random(token, request):
    """Return random bytes."""
    return {"value": _hex(token.random(request["length"]))}


def digest(token, request):
    """Return the SHA-256 of a value."""
    token.app.C_DigestInit(token.session, CKM_SHA256)
    return {"value": _hex(token.app.C_Digest(token.session, _unhex(request["value"])))}


# --- PINs --------------------------------------------------------------------------------------


def init(request):
    """C_InitToken: destroys everything. In default mode a user PIN must prove the right to it."""
    app = application()
    app.C_Initialize()
    try:
        if request.get("pin") is not None:
            session = app.C_OpenSession(1, 6)
            app.C_Login(session, 1, _pin(request["pin"]))
            app.C_CloseSession(session)
        app.C_InitToken(1, _pin(request["so_pin"]), request.get("label") or "")
        if request.get("new_pin") is not None:
            session = app.C_OpenSession(1, 6)
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
        session = app.C_OpenSession(1, 6)
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
        session = app.C_OpenSession(1, 6)
        app.C_SetPIN(session, _pin(request["pin"]), _pin(request["new_pin"]))
        return {}
    finally:
        app.C_Finalize()


def _pin(text):
    return bytearray(text.encode())


# --- requests ----------------------------------------------------------------------------------

_ALONE = {"info": info, "init": init, "init_pin": init_pin, "set_pin": set_pin}
_WITH_TOKEN = {
    "objects": objects,
    "keygen": keygen,
    "import": import_object,
    "read": read,
    "destroy": destroy,
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


def run(request):
    """Carry out one JSON request (text or bytes) and print one line of JSON."""
    try:
        request = json.loads(request)
    except ValueError:
        request = None
    print(json.dumps(answer(request)))


def serve_line():
    """Read one line of JSON from stdin, carry it out, print one line. The line is wiped."""
    line = bytearray(LINE_MAX)
    view = memoryview(line)
    source = sys.stdin.buffer
    at = 0
    try:
        while at < LINE_MAX:
            if not source.readinto(view[at : at + 1]) or line[at] == 10:
                break
            at += 1
        for rest in range(at, LINE_MAX):
            line[rest] = 32  # JSON ignores trailing blanks
        run(line)
    finally:
        p11crypto.wipe(line)
