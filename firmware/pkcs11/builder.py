# SPDX-License-Identifier: MIT
"""Drafts of new objects: from an imported value, from a generated or derived key.

A draft is an objects.Object that is not stored yet; it carries `slot` (keys with a secret) or
`value` (all others). Promises: values are checked before anything is made (point on the curve,
scalar in range, certificate well formed), and `drop` gives back every slot. A key without CKA_ID
gets the first 20 bytes of SHA-256 over its public key (RFC 7093 §2, method 1), and so does a
certificate, so that hosts find what belongs together.
"""

import p11crypto

from . import der, objects
from .attributes import (
    ALWAYS_SENSITIVE,
    BY_TYPE,
    CERTIFICATE,
    DATA,
    EC_PRIVATE,
    EC_PUBLIC,
    EXTRACTABLE,
    LOCAL,
    NEVER_EXTRACTABLE,
    PRIVATE,
    RSA_PRIVATE,
    RSA_PUBLIC,
    SECRET_KEY,
    SENSITIVE,
)
from .const import (
    CKA_CERTIFICATE_TYPE,
    CKA_COEFFICIENT,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_EXPONENT_1,
    CKA_EXPONENT_2,
    CKA_ID,
    CKA_ISSUER,
    CKA_KEY_GEN_MECHANISM,
    CKA_LABEL,
    CKA_MODULUS,
    CKA_PRIME_1,
    CKA_PRIME_2,
    CKA_PRIVATE_EXPONENT,
    CKA_PUBLIC_EXPONENT,
    CKA_SERIAL_NUMBER,
    CKA_SUBJECT,
    CKA_VALUE,
    CKA_VALUE_LEN,
    CKC_X_509,
    CKK_AES,
    CKK_EC,
    CKK_GENERIC_SECRET,
    CKK_SHA256_HMAC,
    CKM_EC_KEY_PAIR_GEN,
    CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
    CKO_SECRET_KEY,
    CKR_ATTRIBUTE_VALUE_INVALID,
    CKR_CURVE_NOT_SUPPORTED,
    CKR_DEVICE_MEMORY,
    CKR_DOMAIN_PARAMS_INVALID,
    CKR_TEMPLATE_INCONSISTENT,
)
from .errors import P11Error
from .mechanisms import CURVES

SECRET_MAX = 64  # bytes a C slot holds
_AES_SIZES = (16, 24, 32)


def draft(object_class, key_type, template, flags, extra):
    """Return an Object of a Template's label and values and of {type: value} extra."""
    values = {row[0]: value for row, value in template.stored()}
    values.update(extra)
    pairs = [(BY_TYPE[kind], value) for kind, value in values.items()]
    label = template.values[CKA_LABEL] if CKA_LABEL in template.values else b""
    if key_type is None:
        key_type = objects.NO_KEY_TYPE
    tlv = objects.encode(pairs)
    if len(tlv) > 0x3FFF:
        raise P11Error(CKR_DEVICE_MEMORY)
    return objects.Object(object_class, key_type, template.shape, flags, bytes(label), tlv)


def drop(drafts):
    """Give back the slots of drafts that were not stored."""
    for obj in drafts:
        if obj.slot:
            p11crypto.release(obj.slot)
            obj.slot = 0


def key_id(public):
    """Return the CKA_ID of a public key: content of subjectPublicKey (04 || X || Y for EC)."""
    return p11crypto.sha256(public)[:20]


def curve_of(parameters, generating=False):
    """Return the curve number of CKA_EC_PARAMS, or raise the code of what is wrong with it."""
    try:
        curve = der.curve_of(bytes(parameters))
    except ValueError:
        raise P11Error(CKR_DOMAIN_PARAMS_INVALID if generating else CKR_ATTRIBUTE_VALUE_INVALID)
    if curve not in CURVES:
        raise P11Error(CKR_CURVE_NOT_SUPPORTED)
    return curve


def imported(object_class, key_type, template, flags):
    """Return the draft of C_CreateObject."""
    return _IMPORT[template.shape](object_class, key_type, template, flags)


def _data(object_class, key_type, template, flags):
    if flags & PRIVATE and not hasattr(p11crypto, "seal_bytes"):
        raise P11Error(CKR_TEMPLATE_INCONSISTENT)
    value = bytes(template.values[CKA_VALUE]) if CKA_VALUE in template.values else b""
    obj = draft(object_class, key_type, template, flags, {})
    obj.value = value
    obj.size = len(value)
    return obj


def _certificate(object_class, key_type, template, flags):
    if template.values[CKA_CERTIFICATE_TYPE] != CKC_X_509:
        raise P11Error(CKR_ATTRIBUTE_VALUE_INVALID)
    value = bytes(template.values[CKA_VALUE])
    try:
        parts = der.certificate(value)
        start, stop = parts[der.SPKI]
        public = der.spki_bits(value[start:stop])
    except ValueError:
        raise P11Error(CKR_ATTRIBUTE_VALUE_INVALID)
    extra = {}
    if CKA_ID not in template.values:
        extra[CKA_ID] = key_id(public)
    named = ((CKA_SERIAL_NUMBER, 0), (CKA_ISSUER, 1), (CKA_SUBJECT, 2))
    for kind, part in named:  # not stored twice; reading takes it from the certificate
        start, stop = parts[part]
        if kind in template.values and bytes(template.values[kind]) == value[start:stop]:
            extra[kind] = b""
    obj = draft(object_class, key_type, template, flags, extra)
    obj.value = value
    obj.size = len(value)
    return obj


def _point(template, curve):
    """Return the checked point of CKA_EC_POINT."""
    try:
        point = der.point_decode(template.values[CKA_EC_POINT], curve)
    except ValueError:
        raise P11Error(CKR_ATTRIBUTE_VALUE_INVALID)
    if not p11crypto.ec_check(curve, point):
        raise P11Error(CKR_ATTRIBUTE_VALUE_INVALID)
    return point


def _ec_public(object_class, key_type, template, flags):
    point = _point(template, curve_of(template.values[CKA_EC_PARAMS]))
    extra = {} if CKA_ID in template.values else {CKA_ID: key_id(point)}
    obj = draft(object_class, key_type, template, flags, extra)
    obj.value = b""
    return obj


def _ec_private(object_class, key_type, template, flags):
    curve = curve_of(template.values[CKA_EC_PARAMS])
    given = template.values.get(CKA_EC_POINT)
    scalar = template.values[CKA_VALUE]
    if type(scalar) is not bytearray:
        scalar = bytearray(scalar)
    try:
        slot = p11crypto.ec_import(curve, scalar)
    except ValueError:
        raise P11Error(CKR_ATTRIBUTE_VALUE_INVALID)
    finally:
        p11crypto.wipe(scalar)
    try:
        point = p11crypto.ec_public(slot)
        wrapped = der.point_encode(point)
        if given is not None and bytes(given) != wrapped:
            raise P11Error(CKR_TEMPLATE_INCONSISTENT)
        extra = {CKA_EC_POINT: wrapped}
        if CKA_ID not in template.values:
            extra[CKA_ID] = key_id(point)
        obj = draft(object_class, key_type, template, flags, extra)
    except BaseException:
        p11crypto.release(slot)
        raise
    obj.slot = slot
    return obj


def _secret_key(object_class, key_type, template, flags):
    value = template.values[CKA_VALUE]
    size = len(value)
    check_secret(key_type, size)
    obj = draft(object_class, key_type, template, flags, {CKA_VALUE_LEN: size})
    secret = value if type(value) is bytearray else bytearray(value)
    obj.slot = p11crypto.secret_import(secret)
    return obj


def check_secret(key_type, size):
    """Raise CKR_ATTRIBUTE_VALUE_INVALID unless a secret key of this type may have this size."""
    if key_type == CKK_AES:
        good = size in _AES_SIZES
    else:
        good = key_type in (CKK_GENERIC_SECRET, CKK_SHA256_HMAC) and 1 <= size <= SECRET_MAX
    if not good or not hasattr(p11crypto, "secret_import"):
        raise P11Error(CKR_ATTRIBUTE_VALUE_INVALID)


# in the order of p11crypto.rsa_import
_RSA_SECRETS = (
    CKA_PRIVATE_EXPONENT,
    CKA_PRIME_1,
    CKA_PRIME_2,
    CKA_EXPONENT_1,
    CKA_EXPONENT_2,
    CKA_COEFFICIENT,
)


def _rsa_draft(object_class, key_type, template, flags):
    """Return a draft with modulus and exponent checked and without their leading zeros."""
    modulus = der.unsigned(template.values[CKA_MODULUS])
    exponent = der.unsigned(template.values[CKA_PUBLIC_EXPONENT])
    try:
        p11crypto.rsa_public(modulus, exponent, bytes(256))
    except (AttributeError, ValueError):  # other sizes; a p11crypto without RSA
        raise P11Error(CKR_ATTRIBUTE_VALUE_INVALID)
    extra = {CKA_MODULUS: modulus, CKA_PUBLIC_EXPONENT: exponent}
    if CKA_ID not in template.values:
        extra[CKA_ID] = key_id(der.rsa_encode(modulus, exponent))
    return draft(object_class, key_type, template, flags, extra)


def _rsa_public(object_class, key_type, template, flags):
    obj = _rsa_draft(object_class, key_type, template, flags)
    obj.value = b""
    return obj


def _rsa_private(object_class, key_type, template, flags):
    obj = _rsa_draft(object_class, key_type, template, flags)
    given = [template.values[kind] for kind in _RSA_SECRETS]
    secrets = [value if type(value) is bytearray else bytearray(value) for value in given]
    try:
        obj.slot = p11crypto.rsa_import(
            template.values[CKA_MODULUS], template.values[CKA_PUBLIC_EXPONENT], *secrets
        )
    except ValueError:  # the numbers are not of one key
        raise P11Error(CKR_TEMPLATE_INCONSISTENT)
    return obj


_IMPORT = {
    DATA: _data,
    CERTIFICATE: _certificate,
    EC_PUBLIC: _ec_public,
    EC_PRIVATE: _ec_private,
    SECRET_KEY: _secret_key,
    RSA_PUBLIC: _rsa_public,
    RSA_PRIVATE: _rsa_private,
}


# --- made on the token -------------------------------------------------------------------------


def born(flags):
    """Return the flags of a key that the token generated (PKCS#11 v2.40 §4.9, §4.10)."""
    flags |= LOCAL
    if flags & SENSITIVE:
        flags |= ALWAYS_SENSITIVE
    if not flags & EXTRACTABLE:
        flags |= NEVER_EXTRACTABLE
    return flags


def pair(public, private, public_flags, private_flags):
    """Return (public draft, private draft) of a new EC key pair; Templates of both halves."""
    parameters = bytes(public.values[CKA_EC_PARAMS])
    curve = curve_of(parameters, True)
    if bytes(private.values.get(CKA_EC_PARAMS, parameters)) != parameters:
        raise P11Error(CKR_TEMPLATE_INCONSISTENT)
    slot = p11crypto.ec_generate(curve)
    try:
        point = p11crypto.ec_public(slot)
        shared = public.values.get(CKA_ID)
        if shared is None:
            shared = private.values.get(CKA_ID)
        if shared is None:
            shared = key_id(point)
        extra = {
            CKA_EC_PARAMS: parameters,
            CKA_EC_POINT: der.point_encode(point),
            CKA_KEY_GEN_MECHANISM: CKM_EC_KEY_PAIR_GEN,
            CKA_ID: shared,
        }
        one = draft(CKO_PUBLIC_KEY, CKK_EC, public, public_flags | LOCAL, extra)
        one.value = b""
        if CKA_ID in private.values:
            extra[CKA_ID] = private.values[CKA_ID]
        other = draft(CKO_PRIVATE_KEY, CKK_EC, private, born(private_flags), extra)
    except BaseException:
        p11crypto.release(slot)
        raise
    other.slot = slot
    return one, other


def secret(key_type, template, flags, slot, mechanism):
    """Return the draft of a generated (mechanism given) or derived (None) secret key in slot."""
    try:
        extra = {CKA_VALUE_LEN: p11crypto.secret_size(slot)}
        if mechanism is not None:
            extra[CKA_KEY_GEN_MECHANISM] = mechanism
            flags = born(flags)
        obj = draft(CKO_SECRET_KEY, key_type, template, flags, extra)
    except BaseException:
        p11crypto.release(slot)
        raise
    obj.slot = slot
    return obj
