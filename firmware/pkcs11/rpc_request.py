# SPDX-License-Identifier: MIT
"""Requests of p11-kit's RPC protocol: arguments out of a body.

Promises: decodes in place; bytes reach the caller as memoryviews of the receive buffer (nobody
keeps them, PINs can be wiped where they lie); no length or count is believed before it is compared
with what is there. A body that cannot be right raises P11Error(CKR_DEVICE_ERROR), as p11-kit's own
server answers. Layout: docs/PROTOCOL.md section 7.
"""

from struct import unpack_from

from micropython import const

from .const import (
    CKR_ATTRIBUTE_TYPE_INVALID,
    CKR_ATTRIBUTE_VALUE_INVALID,
    CKR_DEVICE_ERROR,
    CKR_MECHANISM_INVALID,
)
from .errors import P11Error
from .mechanisms import BY_TYPE
from .rpc_calls import (
    BYTE,
    CODING,
    DATA,
    DESTROYABLE,
    MECHANISM,
    PARAMETER,
    REQUEST,
    ROOM,
    TEMPLATE,
    TYPES,
    ULONG,
)

_NONE = const(0xFFFFFFFF)  # as a length: no buffer at all
_ATTRIBUTE = const(5)  # shortest attribute: type and "not valid"
_WIDE = const(8)
_FORMS = const(16)


class Request:
    """One request body. Attributes: buffer, view, at (next byte), end, new (new mechanisms)."""

    def __init__(self):
        self.buffer = None
        self.view = None
        self.at = 0
        self.end = 0
        self.new = False
        self.narrow = False  # a CK_ULONG of 4 bytes was seen
        self._forms = [None] * _FORMS  # struct formats by number of attributes asked for

    def load(self, buffer, view, at, end):
        """Point at the body in buffer[at:end]; view is a memoryview of the whole buffer."""
        self.buffer = buffer
        self.view = view
        self.at = at
        self.end = end

    def begin(self, call):
        """Check the signature and step behind it."""
        buffer = self.buffer
        at = self.at + 8
        wanted = call[REQUEST]
        size = len(wanted)
        if buffer[at - 4] | buffer[at - 3] | buffer[at - 2] or buffer[at - 1] != size:
            raise P11Error(CKR_DEVICE_ERROR)
        if self.view[at : at + size] != wanted:
            raise P11Error(CKR_DEVICE_ERROR)
        self.at = at + size

    def arguments(self, head, tail):
        """Return the arguments of a call as a list; see HEAD and TAIL in the call table.

        Each reader of TAIL checks that it ends inside the body, so HEAD needs no check of its own.
        """
        arguments = list(unpack_from(head, self.buffer, self.at))
        self.at += 8 * (len(head) - 1)
        for letter in tail:
            if letter == DATA:
                arguments.append(self.data())
            elif letter == ROOM:
                arguments.append(self.room())
            elif letter == MECHANISM:
                arguments.append(self.mechanism())
            elif letter == TEMPLATE:
                arguments.append(self.template())
            elif letter == ULONG:
                arguments.append(self.ulong())
            elif letter == TYPES:
                arguments.append(self.types())
            elif letter == BYTE:
                arguments.append(self.byte())
            else:
                arguments.append(self.string(self.length()))
        return arguments

    def ulong(self):
        """Return a CK_ULONG."""
        at = self.at
        if at + 8 > self.end:
            raise P11Error(CKR_DEVICE_ERROR)
        self.at = at + 8
        return unpack_from(">Q", self.buffer, at)[0]

    def byte(self):
        """Return a byte."""
        at = self.at
        if at >= self.end:
            raise P11Error(CKR_DEVICE_ERROR)
        self.at = at + 1
        return self.buffer[at]

    def length(self):
        """Return a u32."""
        at = self.at
        if at + 4 > self.end:
            raise P11Error(CKR_DEVICE_ERROR)
        self.at = at + 4
        return unpack_from(">I", self.buffer, at)[0]

    def room(self):
        """Return the size of the caller's buffer, 0 when it only wants to know the length."""
        room = self.length()
        return 0 if room == _NONE else room

    def string(self, size):
        """Return the next size bytes as a memoryview."""
        at = self.at
        if size > self.end - at:
            raise P11Error(CKR_DEVICE_ERROR)
        self.at = at + size
        return self.view[at : at + size]

    def data(self):
        """Return an `ay` argument: memoryview, b"" for nothing, None for NULL with a length."""
        valid = self.buffer[self.at]
        self.at += 1
        size = self.length()
        if valid and size < _NONE:
            return self.string(size)
        return None if size and not valid else b""

    def count(self, least):
        """Return a count of items of at least `least` bytes each."""
        count = self.length()
        if count * least > self.end - self.at:
            raise P11Error(CKR_DEVICE_ERROR)
        return count

    def types(self):
        """Return the list type, room, type, room, ... of C_GetAttributeValue."""
        buffer = self.buffer
        at = self.at + 4
        count = unpack_from(">I", buffer, at - 4)[0]
        end = at + 8 * count
        if end > self.end:
            raise P11Error(CKR_DEVICE_ERROR)
        self.at = end
        form = self._forms[count] if count < _FORMS else None
        if form is None:
            form = ">%dI" % (2 * count)
            if count < _FORMS:
                self._forms[count] = form
        return list(unpack_from(form, buffer, at)) if count else []

    def template(self):
        """Return a list of (type, value) as the C_ functions take it."""
        template = []
        for _ in range(self.count(_ATTRIBUTE)):
            kind = self.length()
            valid = self.buffer[self.at]
            self.at += 1
            template.append((kind, self.value(kind) if valid else None))
            if self.at > self.end:
                raise P11Error(CKR_DEVICE_ERROR)
        return template

    def value(self, kind):
        """Return an attribute's value: int, bool or memoryview."""
        size = self.length()
        coding = CODING[kind] if kind in CODING else 0
        if coding == 0:
            return self._octets(kind, size)
        if coding == 8:
            value = self.ulong()
            if size != _WIDE:
                if size != 4:
                    raise P11Error(CKR_ATTRIBUTE_VALUE_INVALID)
                self.narrow = True
            return value
        if coding == 1:
            value = self.byte()
            if size != 1 or value > 1:
                raise P11Error(CKR_ATTRIBUTE_VALUE_INVALID)
            return value == 1
        raise P11Error(CKR_ATTRIBUTE_TYPE_INVALID)  # attributes or mechanisms inside

    def _octets(self, kind, size):
        given = self.length()
        if given == _NONE:
            given = 0
        value = self.string(given)
        if given != size:
            raise P11Error(CKR_ATTRIBUTE_VALUE_INVALID)
        if kind == DESTROYABLE:
            if given != 1 or value[0] > 1:
                raise P11Error(CKR_ATTRIBUTE_VALUE_INVALID)
            return value[0] == 1
        return value

    def mechanism(self):
        """Return a mechanism: number, (number, parameter), or None for C's NULL pointer."""
        kind = self.length()
        if kind == _NONE:
            return None
        if kind not in BY_TYPE:
            raise P11Error(CKR_MECHANISM_INVALID)
        if kind not in PARAMETER:
            if self.new:
                return kind
            parameter = self._parameter()
            return kind if parameter is None else (kind, parameter)
        if self.new:
            if not self.byte():
                return kind
        if PARAMETER[kind] == 1:
            return kind, self._parameter()
        kdf = self.ulong()
        shared = self._parameter()
        return kind, (kdf, shared, self._parameter())

    def _parameter(self):
        size = self.length()
        return None if size == _NONE else self.string(size)
