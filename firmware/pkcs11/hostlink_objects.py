# SPDX-License-Identifier: MIT
"""What a host can ask about objects: list, generate, import, read, destroy.

Promises: nothing is replaced unless asked for, and then the new object is stored before the old
one goes; secrets arrive in buffers that the layer below wipes.
"""

from binascii import hexlify

from . import der
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
    CKO_CERTIFICATE,
    CKO_DATA,
    CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
    CKO_SECRET_KEY,
    CKR_ARGUMENTS_BAD,
    CKR_ATTRIBUTE_TYPE_INVALID,
    CKR_CURVE_NOT_SUPPORTED,
    CKR_OBJECT_HANDLE_INVALID,
    name_of,
)
from .errors import P11Error
from .hostlink_info import text

CLASSES = {
    "data": CKO_DATA,
    "certificate": CKO_CERTIFICATE,
    "public key": CKO_PUBLIC_KEY,
    "private key": CKO_PRIVATE_KEY,
    "secret key": CKO_SECRET_KEY,
}
CURVES = {"P-256": der.OID_P256, "P-384": der.OID_P384}


class Refused(Exception):
    """A request that was not carried out: (error, hint)."""


def hexed(value):
    return hexlify(value).decode()


def unhex(text):
    """Return a bytearray, so that a secret in it can be wiped."""
    if len(text) & 1:
        raise P11Error(CKR_ARGUMENTS_BAD)
    out = bytearray(len(text) // 2)
    for at in range(len(out)):
        out[at] = int(text[2 * at : 2 * at + 2], 16)
    return out


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
            "label": text(label),
            "private": private,
            "token": stored,
        }
    )
    if number != CKO_DATA:
        answer["id"] = hexed(obj.id)
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
    key_id = unhex(request["id"]) if request.get("id") else None
    public, private = token.generate(label, public_label, key_id, oid)
    for obj in old:
        obj.destroy()
    return {
        "private": private.handle,
        "public": public.handle,
        "id": hexed(private.id),
        "point": hexed(public.point),
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
    value = unhex(request["value"])
    template = [(CKA_CLASS, object_class), (CKA_TOKEN, True), (CKA_LABEL, label.encode())]
    for name, kind in (
        ("id", CKA_ID),
        ("subject", CKA_SUBJECT),
        ("issuer", CKA_ISSUER),
        ("serial", CKA_SERIAL_NUMBER),
    ):
        if request.get(name):
            template.append((kind, unhex(request[name])))
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
    answer = {"class": _class_name(number), "label": text(label)}
    answer["value"] = hexed(obj.point if number == CKO_PUBLIC_KEY else obj.value)
    try:
        answer["id"] = hexed(obj.id)
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
