# SPDX-License-Identifier: MIT
"""Objects: one record of the token, its bytes in the store, and a search over records.

Promises: an Object in RAM holds no secret; a token object's key is ciphertext here, a session
object's key is a handle to a C slot. Assumes the payload of docs/FORMAT.md:

    u8 layout (1)   u8 key type (0xFF none)   u16 TLV length   u32 flags   TLV…   tail
    tail of keys with a secret:  nonce 12, ciphertext, tag 16      (p11crypto.seal)
    tail of a private data object: the same over its value          (p11crypto.seal_bytes)
    tail of the others:  value, MAC 16                              (p11crypto.mac)

Head and TLV together with class and label are the associated data of the seal and covered by the
MAC, so no attribute can be changed in flash. The label itself is the store's.
"""

from binascii import crc32
from struct import pack, unpack_from

from micropython import const

from . import der
from .attributes import (
    BOOL,
    BY_TYPE,
    BYTES,
    CERTIFICATE,
    CODE,
    DATA,
    DATE,
    DEFAULT,
    EC_PRIVATE,
    EC_PUBLIC,
    FIXED,
    FLAGS_OF,
    KIND,
    PRIVATE,
    SHAPES,
    TYPE,
    ULONG,
    VALUE,
    shape_of,
    tlv_add,
    tlv_find,
    tlv_ok,
    value_ok,
)
from .const import (
    CKA_CLASS,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_ISSUER,
    CKA_KEY_TYPE,
    CKA_LABEL,
    CKA_PUBLIC_KEY_INFO,
    CKA_SERIAL_NUMBER,
    CKA_SUBJECT,
    CKA_VALUE,
    CKR_ATTRIBUTE_VALUE_INVALID,
    CKR_DEVICE_ERROR,
)
from .errors import P11Error
from .templates import entries

LAYOUT = const(1)
HEAD = const(8)
MAC = const(16)
NO_KEY_TYPE = const(0xFF)
CONTEXT = "<HI"  # of seal and MAC: store id, version of the record
SECRETS = const(0x58)  # shapes that hold a private or secret key
# Attributes that only a read of flash gives: where six bits of each are in Object.marks.
MARKS = {
    CKA_VALUE: 0,
    CKA_SERIAL_NUMBER: 6,
    CKA_ISSUER: 12,
    CKA_SUBJECT: 18,
    CKA_PUBLIC_KEY_INFO: 24,
}
MODULUS = const(16)  # tags of the attribute table
PUBLIC_EXPONENT = const(17)


class Object:
    """One object; see the module text. `id` below 0x10000 is the store's, above a session's."""

    def __init__(self, object_class, key_type, shape, flags, label, tlv):
        self.id = 0
        self.object_class = object_class
        self.key_type = key_type  # NO_KEY_TYPE for certificates and data
        self.shape = shape
        self.flags = flags
        self.label = label
        self.tlv = tlv
        self.curve = 0
        self.aad = None  # class, label, head, TLV: what the seal and the MAC cover
        self.context = None
        self.tail = None  # sealed key; None for values, which stay in flash
        self.size = 0  # of the value in bytes, 0 for keys
        self.marks = -1  # of a public value in flash, see MARKS; -1 unknown
        self.value = None  # of a session object
        self.slot = 0  # of a session object
        self.uses = 0  # running operations on that slot
        self.session = 0
        self.owner = None
        self.trusted = True  # False: MAC not checked yet
        self.damaged = False
        self.gone = False  # destroyed while an operation still uses the slot
        self.secret = SECRETS >> shape & 1  # holds a private or secret key
        if shape == EC_PUBLIC or shape == EC_PRIVATE:
            self.curve = curve_in(tlv)

    def seals(self):
        """Return whether the value is ciphertext in the store."""
        return self.secret or (self.shape == DATA and self.flags & PRIVATE)

    def bind(self, store_id, version):
        """Fix the place of the record in the store and with it aad and context."""
        self.id = store_id
        self.context = pack(CONTEXT, store_id, version)
        self.aad = b"".join(
            (
                bytes((self.object_class, len(self.label))),
                self.label,
                pack("<BBHI", LAYOUT, self.key_type, len(self.tlv), self.flags),
                self.tlv,
            )
        )

    def payload_head(self):
        """Return the part of aad that is stored as data (the label is stored by the store)."""
        return self.aad[2 + len(self.label) :]


def load(store_id, object_class, version, label, data):
    """Return the Object of a store record. P11Error(CKR_DEVICE_ERROR) when it makes no sense."""
    if len(data) < HEAD + MAC or data[0] != LAYOUT:
        raise P11Error(CKR_DEVICE_ERROR)
    _, key_type, length, flags = unpack_from("<BBHI", data, 0)
    shape = shape_of(object_class, key_type)
    if shape < 0 or HEAD + length + MAC > len(data):
        raise P11Error(CKR_DEVICE_ERROR)
    tlv = bytes(memoryview(data)[HEAD : HEAD + length])
    if not tlv_ok(tlv):
        raise P11Error(CKR_DEVICE_ERROR)
    obj = Object(object_class, key_type, shape, flags, bytes(label), tlv)
    obj.bind(store_id, version)
    if obj.seals():
        obj.tail = bytes(memoryview(data)[HEAD + length :])
        obj.size = len(obj.tail) - 28 if shape == DATA else 0
    else:
        obj.size = len(data) - HEAD - length - MAC
    return obj


def damaged(store_id, object_class, secret):
    """Return a stand-in for a record that cannot be read: listed, deletable, not usable."""
    obj = Object(object_class, NO_KEY_TYPE, 0, PRIVATE if secret else 0, b"", b"")
    obj.id = store_id
    obj.damaged = True
    return obj


def encode(pairs):
    """Return the TLV area of (row, value) pairs; defaults are left out."""
    out = bytearray()
    for row, value in pairs:
        kind = row[KIND]
        if kind == ULONG:
            if value != row[DEFAULT]:
                tlv_add(out, row[CODE], pack("<I", value))
        elif (kind == BYTES or kind == DATE) and len(value):
            tlv_add(out, row[CODE], value)
    return bytes(out)


def decode(tlv):
    """Return {type: value} of a TLV area, the inverse of encode."""
    values = {}
    for row in BY_TYPE.values():
        kind = row[KIND]
        if kind == ULONG or kind == BYTES or kind == DATE:
            found = tlv_find(tlv, row[CODE])
            if found is not None:
                values[row[TYPE]] = unpack_from("<I", found)[0] if kind == ULONG else found
    return values


def curve_in(tlv):
    """Return the curve number of the EC_PARAMS in a TLV area, 0 if unknown or absent."""
    parameters = tlv_find(tlv, BY_TYPE[CKA_EC_PARAMS][CODE])
    if parameters == der.OID_P256:
        return der.P256
    return der.P384 if parameters == der.OID_P384 else 0


def point_of(obj):
    """Return 04 || X || Y of an EC key object."""
    value = tlv_find(obj.tlv, BY_TYPE[CKA_EC_POINT][CODE])
    if value is None or not obj.curve:
        raise P11Error(CKR_DEVICE_ERROR)
    return value[2:] if value[1] < 0x80 else value[3:]


def rsa_public_of(obj):
    """Return (modulus, public exponent) of an RSA key object, big endian."""
    return tlv_find(obj.tlv, MODULUS), tlv_find(obj.tlv, PUBLIC_EXPONENT)


def mark(value):
    """Return six bits of a checksum: they tell most values apart without a read of flash."""
    return crc32(value) & 63


class Query:
    """A search template, compiled so that most objects are dismissed by comparing numbers."""

    def __init__(self, template):
        self.mask = 0
        self.flags = 0
        self.object_class = -1
        self.key_type = -1
        self.label = None
        self.others = []
        self.never = False  # names an attribute that no object here has
        for kind, value in entries(template):
            if kind not in BY_TYPE:
                self.never = True
                continue
            row = BY_TYPE[kind]
            if not value_ok(row, value):
                raise P11Error(CKR_ATTRIBUTE_VALUE_INVALID)
            if row[KIND] == BOOL:
                bit = 1 << row[CODE]
                if self.mask & bit and bool(self.flags & bit) != value:
                    self.never = True
                self.mask |= bit
                if value:
                    self.flags |= bit
            elif kind == CKA_CLASS:
                self.never = self.never or self.object_class not in (-1, value)
                self.object_class = value
            elif kind == CKA_KEY_TYPE:
                self.never = self.never or self.key_type not in (-1, value)
                self.key_type = value
            elif kind == CKA_LABEL and self.label is None:
                self.label = bytes(value)
            else:
                number = type(value) is int
                shift = MARKS[kind] if kind in MARKS else -1
                self.others.append(
                    (row, value if number else bytes(value), shift, 0 if number else mark(value))
                )

    def matches(self, obj, read):
        """Return whether obj has all values; read(obj, row) gives an attribute or None."""
        if obj.damaged:
            return self.plain() and self.object_class in (-1, obj.object_class)
        if self.object_class >= 0 and obj.object_class != self.object_class:
            return False
        if self.mask:
            if obj.flags & self.mask != self.flags or self.mask & ~FLAGS_OF[obj.shape]:
                return False
        if self.key_type >= 0 and (obj.key_type != self.key_type or obj.shape <= CERTIFICATE):
            return False
        if self.label is not None and obj.label != self.label:
            return False
        for row, value, shift, wanted in self.others:
            if not row[SHAPES] >> obj.shape & 1:
                return False
            if shift >= 0 and obj.marks >= 0 and obj.marks >> shift & 63 != wanted:
                return False
            if row[KIND] == VALUE and len(value) != obj.size and not obj.secret:
                return False  # spares a read of flash
            if read(obj, row) != value:
                return False
        return True

    def plain(self):
        """Return whether nothing but the class is asked for."""
        return not (self.mask or self.others or self.key_type >= 0 or self.label is not None)


def attribute(obj, row):
    """Return an attribute that the record itself holds: flag, number, byte string, class, label.

    CKA_VALUE, secrets and derived attributes are the token's business.
    """
    kind = row[KIND]
    if kind == BOOL:
        return bool(obj.flags >> row[CODE] & 1)
    if kind == FIXED:
        if row[TYPE] == CKA_CLASS:
            return obj.object_class
        return obj.key_type if row[TYPE] == CKA_KEY_TYPE else obj.label
    found = tlv_find(obj.tlv, row[CODE])
    if kind == ULONG:
        return row[DEFAULT] if found is None else unpack_from("<I", found)[0]
    return b"" if found is None else found
