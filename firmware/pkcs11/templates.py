# SPDX-License-Identifier: MIT
"""Templates: what a caller says about an object, checked against the attribute table.

A template is a list of (type, value); values are bytes-like, bool, int or None as the attribute's
kind asks. Promises: malformed lists raise CKR_ARGUMENTS_BAD, everything else the code of PKCS#11
v2.40 §4.1 (unknown attribute, read-only attribute, wrong value, contradiction). Secret values are
kept by reference and never copied here.
"""

from .attributes import (
    BOOL,
    BY_TYPE,
    CODE,
    DEFAULT_FLAGS,
    FIXED,
    FLAGS_OF,
    KIND,
    NEEDED,
    ONLY_FALSE,
    ONLY_TRUE,
    PRIVATE,
    RULES,
    SECRET,
    SECRET_KEY,
    SENSITIVE,
    SHAPES,
    SO_ONLY,
    TABLE,
    TYPE,
    VALUE,
    shape_of,
    value_ok,
)
from .const import (
    CKA_CLASS,
    CKA_KEY_TYPE,
    CKO_CERTIFICATE,
    CKO_DATA,
    CKO_SECRET_KEY,
    CKR_ARGUMENTS_BAD,
    CKR_ATTRIBUTE_READ_ONLY,
    CKR_ATTRIBUTE_TYPE_INVALID,
    CKR_ATTRIBUTE_VALUE_INVALID,
    CKR_TEMPLATE_INCOMPLETE,
    CKR_TEMPLATE_INCONSISTENT,
)
from .errors import P11Error

_KEYLESS = (CKO_DATA, CKO_CERTIFICATE)


def entries(template):
    """Return the template as a list of pairs, or raise CKR_ARGUMENTS_BAD."""
    if type(template) is not list and type(template) is not tuple:
        raise P11Error(CKR_ARGUMENTS_BAD)
    for entry in template:
        if type(entry) is not tuple and type(entry) is not list:
            raise P11Error(CKR_ARGUMENTS_BAD)
        if len(entry) != 2 or type(entry[0]) is not int or entry[0] < 0:
            raise P11Error(CKR_ARGUMENTS_BAD)
    return template


def number(template, attribute):
    """Return the first value of a number attribute in a checked template, None if absent."""
    for kind, value in template:
        if kind == attribute:
            if not value_ok(BY_TYPE[attribute], value):
                raise P11Error(CKR_ATTRIBUTE_VALUE_INVALID)
            return value
    return None


def shape_in(template):
    """Return (class, key type or None, shape) named by a C_CreateObject template."""
    object_class = number(template, CKA_CLASS)
    if object_class is None:
        raise P11Error(CKR_TEMPLATE_INCOMPLETE)
    key_type = number(template, CKA_KEY_TYPE)
    if key_type is None and object_class not in _KEYLESS and object_class <= CKO_SECRET_KEY:
        raise P11Error(CKR_TEMPLATE_INCOMPLETE)
    shape = shape_of(object_class, key_type)
    if shape < 0:
        raise P11Error(CKR_ATTRIBUTE_VALUE_INVALID)
    return object_class, key_type, shape


class Template:
    """A checked template for one shape.

    Attributes: shape, given (mask of flags that were named), flags (their values),
    values ({type: value} of everything that is not a flag).
    """

    def __init__(self, template, shape, rule, security_officer=False):
        self.shape = shape
        self.given = 0
        self.flags = 0
        self.values = {}
        for kind, value in entries(template):
            if kind not in BY_TYPE:
                raise P11Error(CKR_ATTRIBUTE_TYPE_INVALID)
            row = BY_TYPE[kind]
            if not row[SHAPES] >> shape & 1:
                raise P11Error(CKR_ATTRIBUTE_TYPE_INVALID)
            if not row[RULES] & rule:
                raise P11Error(CKR_ATTRIBUTE_READ_ONLY)
            if not value_ok(row, value):
                raise P11Error(CKR_ATTRIBUTE_VALUE_INVALID)
            if row[KIND] != BOOL:
                self._keep(kind, value)
            elif value and row[RULES] & SO_ONLY and not security_officer:
                raise P11Error(CKR_ATTRIBUTE_READ_ONLY)
            else:
                self._flag(1 << row[CODE], value)

    def _flag(self, bit, value):
        if self.given & bit and bool(self.flags & bit) != value:
            raise P11Error(CKR_TEMPLATE_INCONSISTENT)
        self.given |= bit
        if value:
            self.flags |= bit

    def _keep(self, kind, value):
        if kind in self.values and not _same(self.values[kind], value):
            raise P11Error(CKR_TEMPLATE_INCONSISTENT)
        self.values[kind] = value

    def require(self):
        """Raise CKR_TEMPLATE_INCOMPLETE unless all attributes C_CreateObject needs are there."""
        for row in TABLE:
            if row[NEEDED] >> self.shape & 1 and row[TYPE] not in self.values:
                raise P11Error(CKR_TEMPLATE_INCOMPLETE)

    def fixed(self, object_class, key_type):
        """Check that CLASS and KEY_TYPE, where named, say what the mechanism makes."""
        for kind, wanted in ((CKA_CLASS, object_class), (CKA_KEY_TYPE, key_type)):
            if kind in self.values and self.values[kind] != wanted:
                raise P11Error(CKR_TEMPLATE_INCONSISTENT)

    def merged(self, base=None):
        """Return the flag word of the new object: named flags over base, or over the defaults.

        Keys with a secret are always private objects, private keys always sensitive: a template
        that says otherwise is inconsistent with what this token does.
        """
        if base is None:
            base = DEFAULT_FLAGS[self.shape]
        flags = (base & ~self.given | self.flags) & FLAGS_OF[self.shape]
        return checked(flags, self.shape)

    def sticky(self, flags):
        """Raise CKR_ATTRIBUTE_READ_ONLY when a flag of an existing object would turn back."""
        for row in TABLE:
            if row[KIND] == BOOL and self.given >> row[CODE] & 1:
                old = flags >> row[CODE] & 1
                new = self.flags >> row[CODE] & 1
                if old and not new and row[RULES] & ONLY_TRUE:
                    raise P11Error(CKR_ATTRIBUTE_READ_ONLY)
                if new and not old and row[RULES] & ONLY_FALSE:
                    raise P11Error(CKR_ATTRIBUTE_READ_ONLY)

    def stored(self):
        """Iterate over (row, value) of what goes into the TLV area."""
        for row in TABLE:
            if row[TYPE] in self.values and row[KIND] not in (FIXED, VALUE, SECRET):
                yield row, self.values[row[TYPE]]


def checked(flags, shape):
    """Return flags, or raise CKR_TEMPLATE_INCONSISTENT when this token never has such a key."""
    if FLAGS_OF[shape] & SENSITIVE:
        if not flags & PRIVATE:
            raise P11Error(CKR_TEMPLATE_INCONSISTENT)
        if not flags & SENSITIVE and shape != SECRET_KEY:
            raise P11Error(CKR_TEMPLATE_INCONSISTENT)
    return flags


def _same(one, other):
    if type(one) is int or type(other) is int:
        return type(one) is type(other) and one == other
    return bytes(one) == bytes(other)
