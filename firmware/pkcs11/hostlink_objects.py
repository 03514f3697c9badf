# SPDX-License-Identifier: MIT
"""What a host can ask about objects: list, generate, import, read, destroy.

Promises: nothing is replaced unless asked for, and then the new object comes and the old one goes
in one transaction, as do all the objects of one destroy; secrets arrive in buffers that the layer
below wipes.
"""

from binascii import hexlify

from . import der
from .const import (
    CKA_CERTIFICATE_TYPE,
    CKA_CLASS,
    CKA_COEFFICIENT,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_EXPONENT_1,
    CKA_EXPONENT_2,
    CKA_ID,
    CKA_ISSUER,
    CKA_KEY_TYPE,
    CKA_LABEL,
    CKA_LOCAL,
    CKA_MODULUS,
    CKA_PRIME_1,
    CKA_PRIME_2,
    CKA_PRIVATE,
    CKA_PRIVATE_EXPONENT,
    CKA_PUBLIC_EXPONENT,
    CKA_PUBLIC_KEY_INFO,
    CKA_SERIAL_NUMBER,
    CKA_SIGN,
    CKA_SUBJECT,
    CKA_TOKEN,
    CKA_VALUE,
    CKA_VERIFY,
    CKC_X_509,
    CKK_EC,
    CKK_RSA,
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
GROUP = 28  # objects that go in one transaction (of 31 records)
CURVES = {"P-256": der.OID_P256, "P-384": der.OID_P384}
# the value of an RSA private key: these numbers one after the other, and where each ends
RSA_NUMBERS = (
    (CKA_PRIVATE_EXPONENT, 256),
    (CKA_PRIME_1, 384),
    (CKA_PRIME_2, 512),
    (CKA_EXPONENT_1, 640),
    (CKA_EXPONENT_2, 768),
    (CKA_COEFFICIENT, None),
)


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


def class_of(name):
    """Return the CKO_ number of a class name."""
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
    """Return the handles of (class, label) pairs, refuse if there are any and replace is off."""
    found = []
    for object_class, label in wanted:
        for obj in token.find([(CKA_CLASS, object_class), (CKA_LABEL, label.encode())]):
            found.append(obj.handle)
    if found and not replace:
        raise Refused(
            "an object of that class and label exists",
            "destroy it first, or ask for replace; the old key or certificate is then lost",
        )
    if len(found) > GROUP:
        raise Refused("%d objects to replace" % len(found), "destroy them first")
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
    public, private = token.generate(label, public_label, key_id, oid, old)
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
    object_class = class_of(request["class"])
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
    if object_class in (CKO_CERTIFICATE, CKO_DATA):
        template.append((CKA_VALUE, value))
    elif object_class in (CKO_PUBLIC_KEY, CKO_PRIVATE_KEY):
        private = object_class == CKO_PRIVATE_KEY
        template.append((CKA_SIGN if private else CKA_VERIFY, True))
        make = _rsa_values if request.get("exponent") else _ec_values
        template.extend(make(request, private, value))
    else:
        raise Refused("this class cannot be imported", "use the PKCS#11 interface")
    return {"handle": token.app.C_CreateObject(token.session, template, old)}


def _ec_values(request, private, value):
    """Return the entries of an EC key; value: scalar or point."""
    number = (CKA_VALUE, value) if private else (CKA_EC_POINT, der.point_encode(value))
    return [(CKA_KEY_TYPE, CKK_EC), (CKA_EC_PARAMS, _curve(request)), number]


def _rsa_values(request, private, value):
    """Return the entries of an RSA key; value: RSA_NUMBERS or the modulus."""
    entries = [
        (CKA_KEY_TYPE, CKK_RSA),
        (CKA_PUBLIC_EXPONENT, unhex(request["exponent"])),
        (CKA_MODULUS, unhex(request["modulus"]) if private else value),
    ]
    if private:
        view = memoryview(value)
        at = 0
        for kind, end in RSA_NUMBERS:  # parts of one buffer: the layer below wipes them in place
            entries.append((kind, view[at:end]))
            at = end
    return entries


def _one(token, request, fallback):
    """Return the object a request names; fallback: classes to try when it names none."""
    if request.get("class"):
        return token.one(request["label"], class_of(request["class"]))
    for object_class in fallback:
        try:
            return token.one(request["label"], object_class)
        except P11Error as error:
            if error.ckr != CKR_OBJECT_HANDLE_INVALID:
                raise
    raise P11Error(CKR_OBJECT_HANDLE_INVALID)


def read(token, request):
    """Return the value of a certificate or data object, the point (RSA: SPKI) of a public key."""
    classes = (CKO_CERTIFICATE, CKO_PUBLIC_KEY, CKO_DATA, CKO_PRIVATE_KEY, CKO_SECRET_KEY)
    obj = _one(token, request, classes)
    number, label = obj.get(CKA_CLASS, CKA_LABEL)
    answer = {"class": _class_name(number), "label": text(label)}
    if number != CKO_PUBLIC_KEY:
        answer["value"] = hexed(obj.value)
    elif obj.get(CKA_KEY_TYPE) == CKK_RSA:
        answer["value"] = hexed(obj.get(CKA_PUBLIC_KEY_INFO))
    else:
        answer["value"] = hexed(obj.point)
    try:
        answer["id"] = hexed(obj.id)
    except P11Error as error:  # data objects have none
        if error.ckr != CKR_ATTRIBUTE_TYPE_INVALID:
            raise
    return answer


def destroy(token, request):
    """Destroy all objects of a label, of one class if it is named: a key pair as a whole."""
    template = [(CKA_LABEL, request["label"].encode())]
    if request.get("class"):
        template.append((CKA_CLASS, class_of(request["class"])))
    found = [obj.handle for obj in token.find(template)]
    if not found:
        raise P11Error(CKR_OBJECT_HANDLE_INVALID)
    for at in range(0, len(found), GROUP):
        token.app.C_DestroyObject(token.session, *found[at : at + GROUP])
    return {"destroyed": len(found)}
