# SPDX-License-Identifier: MIT
"""Reading attributes: from the record, from the value in flash, computed, or refused.

Promises: no private component ever comes out; CKA_VALUE of a secret key only where the key is
extractable and not sensitive; a value read from flash while somebody is logged in is checked
against its MAC at every reading.
"""

import p11crypto

from . import der, objects
from .attributes import (
    BY_TYPE,
    BYTES,
    CODE,
    DERIVED,
    EXTRACTABLE,
    KIND,
    RSA_PUBLIC,
    SECRET,
    SENSITIVE,
    TYPE,
    VALUE,
    tlv_find,
)
from .const import (
    CKA_ISSUER,
    CKA_MODULUS_BITS,
    CKA_PUBLIC_KEY_INFO,
    CKA_SERIAL_NUMBER,
    CKA_SUBJECT,
    CKO_CERTIFICATE,
    CKR_ATTRIBUTE_SENSITIVE,
    CKR_DEVICE_ERROR,
)
from .errors import P11Error

_FROM_CERTIFICATE = {
    CKA_SERIAL_NUMBER: der.SERIAL,
    CKA_ISSUER: der.ISSUER,
    CKA_SUBJECT: der.SUBJECT,
}


def marks_of(obj, value):
    """Return Object.marks of a certificate or public data object with this value."""
    marks = objects.mark(value)
    if obj.object_class == CKO_CERTIFICATE:
        try:
            parts = der.certificate(value)
        except ValueError:
            return -1
        for kind, part in _FROM_CERTIFICATE.items():
            start, stop = parts[part]
            given = tlv_find(obj.tlv, BY_TYPE[kind][CODE]) or value[start:stop]
            marks |= objects.mark(given) << objects.MARKS[kind]
        start, stop = parts[der.SPKI]
        marks |= objects.mark(value[start:stop]) << objects.MARKS[CKA_PUBLIC_KEY_INFO]
    return marks


class Reading:
    """The part of Token that reads. Uses its pal, keyring, take() and give()."""

    def genuine(self, obj, data):
        """Return whether the MAC at the end of a record's data is right."""
        view = memoryview(data)
        covered = obj.aad[: 2 + len(obj.label)] + bytes(view[: len(data) - objects.MAC])
        tag = p11crypto.mac(self.keyring.master, obj.context, covered)
        return p11crypto.compare(tag, bytes(view[len(data) - objects.MAC :]))

    def readable(self, obj, row):
        """Return an attribute, or None where read() would refuse: for searches."""
        try:
            return self.read(obj, row)
        except P11Error:
            return None

    def read(self, obj, row):
        """Return one attribute of an object that has it; CKR_ATTRIBUTE_SENSITIVE if secret.

        Assumes that the object is not damaged.
        """
        kind = row[KIND]
        if kind == VALUE:
            return self.value(obj)
        if kind == SECRET:
            raise P11Error(CKR_ATTRIBUTE_SENSITIVE)
        if kind == DERIVED:
            return self._derived(obj, row[TYPE])
        value = objects.attribute(obj, row)
        if kind == BYTES and not len(value) and obj.object_class == CKO_CERTIFICATE:
            if row[TYPE] in _FROM_CERTIFICATE:
                return self._part(obj, _FROM_CERTIFICATE[row[TYPE]])
        return value

    def value(self, obj):
        """Return CKA_VALUE: content, or the secret of a key that may show it."""
        if obj.secret:
            if obj.flags & SENSITIVE or not obj.flags & EXTRACTABLE:
                raise P11Error(CKR_ATTRIBUTE_SENSITIVE)
            return self._exported(obj)
        if obj.value is not None:
            return obj.value
        _, data = self.pal.read(obj.id)
        if obj.seals():
            tail = bytes(memoryview(data)[len(data) - len(obj.tail) :])
            master = self.keyring.master
            try:
                return bytes(p11crypto.unseal_bytes(master, tail, obj.context, obj.aad))
            except ValueError:
                raise P11Error(CKR_DEVICE_ERROR)
        if self.keyring.master and not self.genuine(obj, data):
            raise P11Error(CKR_DEVICE_ERROR)
        end = len(data) - objects.MAC
        return bytes(memoryview(data)[end - obj.size : end])

    def _exported(self, obj):
        slot = self.take(obj)
        try:
            return bytes(p11crypto.secret_export(slot))
        finally:
            self.give(obj, slot)

    def _derived(self, obj, attribute):
        if attribute == CKA_MODULUS_BITS:
            return bits(tlv_find(obj.tlv, objects.MODULUS))
        if obj.object_class == CKO_CERTIFICATE:
            return self._part(obj, der.SPKI)
        if obj.curve:
            return der.spki_encode(obj.curve, objects.point_of(obj))
        if obj.shape >= RSA_PUBLIC:
            return der.spki_rsa(*objects.rsa_public_of(obj))
        raise P11Error(CKR_DEVICE_ERROR)

    def _part(self, obj, part):
        value = self.value(obj)
        try:
            start, stop = der.certificate(value)[part]
        except ValueError:  # changed in flash, and nobody is logged in who would notice
            raise P11Error(CKR_DEVICE_ERROR)
        return value[start:stop]


def bits(number):
    """Return the bit length of a big-endian unsigned number."""
    at = 0
    while at < len(number) and not number[at]:
        at += 1
    if at == len(number):
        return 0
    top = number[at]
    size = 8 * (len(number) - at - 1)
    while top:
        top >>= 1
        size += 1
    return size
