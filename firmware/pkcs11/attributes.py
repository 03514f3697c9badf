# SPDX-License-Identifier: MIT
"""The attribute table: what every CKA_ is, where it lives and who may set it.

One row per attribute drives template checks, storage, reading, searching and the documentation.
Promises: `CODE` numbers are part of the on-flash format and never change meaning (append only).
Assumes: an object has one *shape* (class and key type together), and a row names its shapes. The
numbers are spelled out, so that the frozen table stays in flash; a test compares them with const.

Kinds of value
    BOOL    one bit of the object's flag word; CODE is the bit number
    ULONG   number stored in a TLV entry when it differs from the default; CODE is the tag
    BYTES   byte string in a TLV entry when not empty; CODE is the tag
    DATE    empty or 8 digits YYYYMMDD; stored as BYTES
    FIXED   part of the record itself (class, key type, label); CODE unused
    VALUE   CKA_VALUE: content of a certificate or data object, secret of a key
    SECRET  private component of an RSA key: never readable, never outside the sealed value
    DERIVED computed when read (SubjectPublicKeyInfo, modulus bits)
"""

from micropython import const

from .const import (
    CKA_LABEL,
    CKA_MODULUS_BITS,
    CKK_EC,
    CKK_RSA,
    CKO_CERTIFICATE,
    CKO_DATA,
    CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
    CKO_SECRET_KEY,
)

# columns of a row
TYPE = const(0)
NAME = const(1)
KIND = const(2)
CODE = const(3)
SHAPES = const(4)  # where the attribute exists
NEEDED = const(5)  # shapes whose C_CreateObject template must contain it
RULES = const(6)
DEFAULT = const(7)  # of ULONG; flags have theirs in DEFAULT_FLAGS, byte strings are empty

BOOL = const(0)
ULONG = const(1)
BYTES = const(2)
DATE = const(3)
FIXED = const(4)
VALUE = const(5)
SECRET = const(6)
DERIVED = const(7)

# shapes
DATA = const(0)
CERTIFICATE = const(1)
EC_PUBLIC = const(2)
EC_PRIVATE = const(3)
SECRET_KEY = const(4)
RSA_PUBLIC = const(5)
RSA_PRIVATE = const(6)

_D = const(0x01)
_C = const(0x02)
_EU = const(0x04)
_EV = const(0x08)
_S = const(0x10)
_RU = const(0x20)
_RV = const(0x40)
_U = const(0x24)  # public keys
_V = const(0x48)  # private keys
_VS = const(0x58)  # keys with a secret
_K = const(0x7C)  # keys
_X = const(0x7E)  # keys and certificates
_ALL = const(0x7F)

# rules: who may give a value, and which way it may change
CREATE = const(0x01)  # template of C_CreateObject
GENERATE = const(0x02)  # template of C_GenerateKey, C_GenerateKeyPair, C_DeriveKey
COPY = const(0x04)  # template of C_CopyObject
MODIFY = const(0x08)  # C_SetAttributeValue
ONLY_TRUE = const(0x10)  # once TRUE it stays so
ONLY_FALSE = const(0x20)  # once FALSE it stays so
SO_ONLY = const(0x40)  # only the security officer may say TRUE

_CG = const(0x03)
_CGY = const(0x07)
_ANY = const(0x0F)
_C_Y = const(0x05)

TABLE = (
    # type, name, kind, code, shapes, needed, rules, default
    (0x000, "CKA_CLASS", FIXED, 0, _ALL, 0, _CG, None),
    (0x100, "CKA_KEY_TYPE", FIXED, 0, _K, _K, _CG, None),
    (0x003, "CKA_LABEL", FIXED, 0, _ALL, 0, _ANY, None),
    (0x011, "CKA_VALUE", VALUE, 0, _D | _C | _EV | _S, _C | _EV | _S, CREATE, None),
    (0x001, "CKA_TOKEN", BOOL, 0, _ALL, 0, _CGY, None),
    (0x002, "CKA_PRIVATE", BOOL, 1, _ALL, 0, _CGY, None),
    (0x170, "CKA_MODIFIABLE", BOOL, 2, _ALL, 0, _CGY, None),
    (0x171, "CKA_COPYABLE", BOOL, 3, _ALL, 0, _ANY | ONLY_FALSE, None),
    (0x172, "CKA_DESTROYABLE", BOOL, 4, _ALL, 0, _ANY, None),
    (0x086, "CKA_TRUSTED", BOOL, 5, _C | _U | _S, 0, _ANY | SO_ONLY, None),
    (0x103, "CKA_SENSITIVE", BOOL, 6, _VS, 0, _ANY | ONLY_TRUE, None),
    (0x162, "CKA_EXTRACTABLE", BOOL, 7, _VS, 0, _ANY | ONLY_FALSE, None),
    (0x165, "CKA_ALWAYS_SENSITIVE", BOOL, 8, _VS, 0, 0, None),
    (0x164, "CKA_NEVER_EXTRACTABLE", BOOL, 9, _VS, 0, 0, None),
    (0x163, "CKA_LOCAL", BOOL, 10, _K, 0, 0, None),
    (0x104, "CKA_ENCRYPT", BOOL, 11, _U | _S, 0, _ANY, None),
    (0x105, "CKA_DECRYPT", BOOL, 12, _VS, 0, _ANY, None),
    (0x108, "CKA_SIGN", BOOL, 13, _VS, 0, _ANY, None),
    (0x109, "CKA_SIGN_RECOVER", BOOL, 14, _V, 0, _ANY, None),
    (0x10A, "CKA_VERIFY", BOOL, 15, _U | _S, 0, _ANY, None),
    (0x10B, "CKA_VERIFY_RECOVER", BOOL, 16, _U, 0, _ANY, None),
    (0x106, "CKA_WRAP", BOOL, 17, _U | _S, 0, _ANY, None),
    (0x107, "CKA_UNWRAP", BOOL, 18, _VS, 0, _ANY, None),
    (0x10C, "CKA_DERIVE", BOOL, 19, _K, 0, _ANY, None),
    (0x210, "CKA_WRAP_WITH_TRUSTED", BOOL, 20, _VS, 0, _ANY | ONLY_TRUE, None),
    (0x202, "CKA_ALWAYS_AUTHENTICATE", BOOL, 21, _V, 0, _CGY | ONLY_TRUE, None),
    (0x102, "CKA_ID", BYTES, 1, _X, 0, _ANY, None),
    (0x101, "CKA_SUBJECT", BYTES, 2, _C | _U | _V, 0, _ANY, None),
    (0x081, "CKA_ISSUER", BYTES, 3, _C, 0, CREATE, None),
    (0x082, "CKA_SERIAL_NUMBER", BYTES, 4, _C, 0, CREATE, None),
    (0x080, "CKA_CERTIFICATE_TYPE", ULONG, 5, _C, _C, CREATE, 0),
    (0x087, "CKA_CERTIFICATE_CATEGORY", ULONG, 6, _C, 0, _C_Y, 0),
    (0x089, "CKA_URL", BYTES, 7, _C, 0, CREATE, None),
    (0x010, "CKA_APPLICATION", BYTES, 8, _D, 0, _ANY, None),
    (0x012, "CKA_OBJECT_ID", BYTES, 9, _D, 0, _ANY, None),
    (0x110, "CKA_START_DATE", DATE, 10, _X, 0, _ANY, None),
    (0x111, "CKA_END_DATE", DATE, 11, _X, 0, _ANY, None),
    (0x166, "CKA_KEY_GEN_MECHANISM", ULONG, 12, _K, 0, 0, 0xFFFFFFFF),
    (0x180, "CKA_EC_PARAMS", BYTES, 13, _EU | _EV, _EU | _EV, _CG, None),
    (0x181, "CKA_EC_POINT", BYTES, 14, _EU | _EV, _EU, CREATE, None),
    (0x161, "CKA_VALUE_LEN", ULONG, 15, _S, 0, GENERATE, 0),
    (0x120, "CKA_MODULUS", BYTES, 16, _RU | _RV, _RU | _RV, CREATE, None),
    (0x122, "CKA_PUBLIC_EXPONENT", BYTES, 17, _RU | _RV, _RU | _RV, CREATE, None),
    (0x121, "CKA_MODULUS_BITS", DERIVED, 0, _RU, 0, 0, None),
    (0x129, "CKA_PUBLIC_KEY_INFO", DERIVED, 0, _C | _U | _V, 0, 0, None),
    (0x123, "CKA_PRIVATE_EXPONENT", SECRET, 0, _RV, _RV, CREATE, None),
    (0x124, "CKA_PRIME_1", SECRET, 1, _RV, _RV, CREATE, None),
    (0x125, "CKA_PRIME_2", SECRET, 2, _RV, _RV, CREATE, None),
    (0x126, "CKA_EXPONENT_1", SECRET, 3, _RV, _RV, CREATE, None),
    (0x127, "CKA_EXPONENT_2", SECRET, 4, _RV, _RV, CREATE, None),
    (0x128, "CKA_COEFFICIENT", SECRET, 5, _RV, _RV, CREATE, None),
)

# bits of the flag word, for the code that asks about one attribute
TOKEN = const(1 << 0)
PRIVATE = const(1 << 1)
MODIFIABLE = const(1 << 2)
COPYABLE = const(1 << 3)
DESTROYABLE = const(1 << 4)
SENSITIVE = const(1 << 6)
EXTRACTABLE = const(1 << 7)
ALWAYS_SENSITIVE = const(1 << 8)
NEVER_EXTRACTABLE = const(1 << 9)
LOCAL = const(1 << 10)
ENCRYPT = const(1 << 11)
DECRYPT = const(1 << 12)
SIGN = const(1 << 13)
VERIFY = const(1 << 15)
DERIVE = const(1 << 19)
ALWAYS_AUTHENTICATE = const(1 << 21)

_OPEN = const(0x1C)  # modifiable, copyable, destroyable

# what a template that says nothing gets, by shape; the standard's defaults where it has any
DEFAULT_FLAGS = (
    _OPEN,
    _OPEN,
    _OPEN | VERIFY,
    _OPEN | PRIVATE | SENSITIVE | SIGN,
    _OPEN | PRIVATE | SENSITIVE | SIGN | VERIFY | ENCRYPT | DECRYPT,
    _OPEN | VERIFY,
    _OPEN | PRIVATE | SENSITIVE | SIGN,
)


def _flags_of(shape):
    bits = 0
    for row in TABLE:
        if row[KIND] == BOOL and row[SHAPES] >> shape & 1:
            bits |= 1 << row[CODE]
    return bits


BY_TYPE = {row[TYPE]: row for row in TABLE}
FLAGS_OF = tuple(_flags_of(shape) for shape in range(7))  # which flags exist, by shape


def shape_of(object_class, key_type):
    """Return the shape of an object, or -1 for a class or key type this token does not have.

    Key types of secret keys are checked where the key is made.
    """
    if object_class == CKO_DATA:
        return DATA
    if object_class == CKO_CERTIFICATE:
        return CERTIFICATE
    if object_class == CKO_SECRET_KEY:
        return SECRET_KEY
    if object_class == CKO_PUBLIC_KEY:
        return EC_PUBLIC if key_type == CKK_EC else RSA_PUBLIC if key_type == CKK_RSA else -1
    if object_class == CKO_PRIVATE_KEY:
        return EC_PRIVATE if key_type == CKK_EC else RSA_PRIVATE if key_type == CKK_RSA else -1
    return -1


def value_ok(row, value):
    """Return whether a template value has the Python type and range of its attribute."""
    kind = row[KIND]
    if kind == BOOL:
        return value is True or value is False
    if (
        kind == ULONG
        or row[TYPE] == CKA_MODULUS_BITS
        or (kind == FIXED and row[TYPE] != CKA_LABEL)
    ):
        return type(value) is int and 0 <= value <= 0xFFFFFFFF
    if not is_buffer(value) or len(value) > 0xFFFF:
        return False
    if kind == DATE:
        return len(value) == 0 or (len(value) == 8 and bytes(value).isdigit())
    if kind == FIXED:
        return len(value) <= 255
    return True


def is_buffer(value):
    """Return whether value is bytes, bytearray or memoryview. Cheaper than isinstance."""
    kind = type(value)
    return kind is bytes or kind is bytearray or kind is memoryview


def tlv_find(tlv, tag):
    """Return the value of one entry of a TLV area (tag u8, length u16, value) or None."""
    at = 0
    end = len(tlv)
    while at < end:
        length = tlv[at + 1] | tlv[at + 2] << 8
        if tlv[at] == tag:
            return tlv[at + 3 : at + 3 + length]
        at += 3 + length
    return None


def tlv_add(out, tag, value):
    """Append one entry to a bytearray."""
    out.append(tag)
    out.append(len(value) & 0xFF)
    out.append(len(value) >> 8)
    out.extend(value)


def tlv_ok(tlv):
    """Return whether a TLV area read from flash is well formed."""
    at = 0
    end = len(tlv)
    while at + 3 <= end:
        at += 3 + (tlv[at + 1] | tlv[at + 2] << 8)
    return at == end
