# SPDX-License-Identifier: MIT
"""Answers of p11-kit's RPC protocol: results into a body.

Promises: writes into one buffer taken once and never beyond it; what does not fit raises
P11Error(CKR_DEVICE_MEMORY). Layout: docs/PROTOCOL.md section 7.
"""

from struct import pack_into

from micropython import const

from .const import CK_UNAVAILABLE_INFORMATION, CKR_BUFFER_TOO_SMALL, CKR_DEVICE_MEMORY
from .errors import P11Error
from .rpc_calls import CODING, DESTROYABLE, ULONG

_NONE = const(0xFFFFFFFF)  # as a length: no buffer at all
_UNAVAILABLE = b"\xff" * 8


class Answer:
    """One answer body, written into a buffer from `start` on. `at` is the next byte."""

    def __init__(self, buffer, view, start, end):
        self.buffer = buffer
        self.view = view
        self.start = start
        self.end = end
        self.at = start

    def begin(self, head):
        """Start the answer to a call. head: its call id and signature, as bytes."""
        at = self.start
        self.at = end = at + len(head)
        self.view[at:end][:] = head

    def error(self, ckr):
        """Make the answer ERROR with a CKR number."""
        pack_into(">IIBQ", self.buffer, self.start, 0, 1, ULONG, ckr)
        self.at = self.start + 17

    def numbers(self, form, size, head, result):
        """Make the answer of a call whose reply signature is all u.

        form, size: struct format and size of head and results. result: None, a number, a tuple.
        """
        start = self.start
        self.at = start + size
        if result is None:
            pack_into(form, self.buffer, start, head)
        elif type(result) is int:
            pack_into(form, self.buffer, start, head, result)
        else:
            pack_into(form, self.buffer, start, head, *result)

    def ulong(self, value):
        """Add a CK_ULONG; CK_UNAVAILABLE_INFORMATION of 32 bits becomes that of 64."""
        at = self.at
        if value == CK_UNAVAILABLE_INFORMATION:
            self.view[at : at + 8][:] = _UNAVAILABLE
        else:
            pack_into(">Q", self.buffer, at, value)
        self.at = at + 8

    def octets(self, value):
        """Add a length and bytes."""
        size = len(value)
        at = self.at + 4
        if at + size > self.end:
            raise P11Error(CKR_DEVICE_MEMORY)
        pack_into(">I", self.buffer, at - 4, size)
        self.view[at : at + size][:] = value
        self.at = at + size

    def data(self, value):
        """Add an `ay` with content."""
        self.buffer[self.at] = 1
        self.at += 1
        self.octets(value)

    def size(self, size):
        """Add an `ay` or `au` without content: only its length."""
        pack_into(">BI", self.buffer, self.at, 0, size)
        self.at += 5

    def ulongs(self, values):
        """Add an `au`."""
        buffer = self.buffer
        at = self.at
        if at + 5 + 8 * len(values) > self.end:
            raise P11Error(CKR_DEVICE_MEMORY)
        pack_into(">BI", buffer, at, 1, len(values))
        at += 5
        for value in values:
            pack_into(">Q", buffer, at, value)
            at += 8
        self.at = at

    def fields(self, values, widths):
        """Add a structure: a version (-1), a CK_ULONG (0) or text padded to a width."""
        for value, width in zip(values, widths):
            if width > 0:
                self.octets((bytes(value) + b" " * width)[:width])
            elif width:
                pack_into("BB", self.buffer, self.at, value[0], value[1])
                self.at += 2
            else:
                self.ulong(value)

    def attributes(self, asked, values, wide, problem):
        """Add an `aA` and its CK_RV: what C_GetAttributeValue found. Return the CK_ULONG width.

        asked: type, room, type, room, ... values: one for each type, None where there is none
        because of `problem` (a CKR number or 0). wide: bytes of the client's CK_ULONG as far as is
        known; a room of 4 for one shows that it is 4.
        """
        buffer = self.buffer
        view = self.view
        coding = CODING
        at = self.at
        if at + 4 + 17 * len(values) + 8 > self.end:
            raise P11Error(CKR_DEVICE_MEMORY)
        pack_into(">I", buffer, at, len(values))
        at += 4
        index = 0
        for value in values:
            kind = asked[index]
            room = asked[index + 1]
            index += 2
            code = coding[kind] if kind in coding else 0
            if value is None:
                pack_into(">IB", buffer, at, kind, 0)
                at += 5
            elif code == 8:
                if room == 4:
                    wide = 4
                if value == CK_UNAVAILABLE_INFORMATION:
                    value = -1  # the same of 64 bits
                pack_into(">IBIq", buffer, at, kind, 1, wide, value)
                at += 17
            elif code:
                pack_into(">IBIB", buffer, at, kind, 1, 1, value)
                at += 10
            else:
                if kind == DESTROYABLE:
                    value = b"\1" if value else b"\0"
                size = len(value)
                if not room:
                    pack_into(">IBII", buffer, at, kind, 1, size, _NONE)
                    at += 13
                elif room < size:
                    problem = CKR_BUFFER_TOO_SMALL
                    pack_into(">IB", buffer, at, kind, 0)
                    at += 5
                else:
                    if at + 21 + size > self.end:
                        raise P11Error(CKR_DEVICE_MEMORY)
                    pack_into(">IBII", buffer, at, kind, 1, size, size)
                    at += 13
                    view[at : at + size][:] = value
                    at += size
        self.at = at
        self.ulong(problem)
        return wide
