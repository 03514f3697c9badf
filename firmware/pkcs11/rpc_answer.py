# SPDX-License-Identifier: MIT
"""Answers of p11-kit's RPC protocol: results into a body.

Promises: writes into one buffer taken once and never beyond it; what does not fit raises
P11Error(CKR_DEVICE_MEMORY). Layout: docs/PROTOCOL.md section 7.
"""

from struct import pack_into

from micropython import const

from .const import CK_UNAVAILABLE_INFORMATION, CKR_BUFFER_TOO_SMALL, CKR_DEVICE_MEMORY
from .errors import P11Error
from .rpc_calls import CODING, DESTROYABLE, REPLY, ULONG

_NONE = const(0xFFFFFFFF)  # as a length: no buffer at all
_UNAVAILABLE = b"\xff" * 8
_FORMATS = (None, ">Q", ">QQ", ">QQQ", ">QQQQ")


class Answer:
    """One answer body, written into a buffer from `start` on. `at` is the next byte."""

    def __init__(self, buffer, view, start, end):
        self.buffer = buffer
        self.view = view
        self.start = start
        self.end = end
        self.at = start

    def begin(self, call_id, call):
        """Start the answer to a call."""
        at = self.start
        reply = call[REPLY]
        size = len(reply)
        pack_into(">II", self.buffer, at, call_id, size)
        at += 8
        if size:
            self.view[at : at + size] = reply
        self.at = at + size

    def error(self, ckr):
        """Make the answer ERROR with a CKR number."""
        pack_into(">IIBQ", self.buffer, self.start, 0, 1, ULONG, ckr)
        self.at = self.start + 17

    def numbers(self, result, reply):
        """Add the results of a call whose reply signature is all u: None, a number, a tuple."""
        if result is None:
            return
        if type(result) is int:
            pack_into(">Q", self.buffer, self.at, result)
        else:
            pack_into(_FORMATS[len(reply)], self.buffer, self.at, *result)
        self.at += 8 * len(reply)

    def ulong(self, value):
        """Add a CK_ULONG; CK_UNAVAILABLE_INFORMATION of 32 bits becomes that of 64."""
        at = self.at
        if value == CK_UNAVAILABLE_INFORMATION:
            self.view[at : at + 8] = _UNAVAILABLE
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
        self.view[at : at + size] = value
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

    def attributes(self, pairs, values, wide, problem):
        """Add an `aA` and its CK_RV: what C_GetAttributeValue found for (type, room) pairs.

        values: one each, None where there is none because of `problem` (a CKR number or 0).
        """
        buffer = self.buffer
        at = self.at
        if at + 4 + 17 * len(pairs) + 8 > self.end:
            raise P11Error(CKR_DEVICE_MEMORY)
        pack_into(">I", buffer, at, len(pairs))
        self.at = at + 4
        index = 0
        for kind, room in pairs:
            value = values[index]
            index += 1
            at = self.at
            if value is None:
                pack_into(">IB", buffer, at, kind, 0)
                self.at = at + 5
                continue
            coding = CODING[kind] if kind in CODING else 0
            if coding:
                size = wide if coding == 8 else 1
            elif kind == DESTROYABLE:
                value = b"\1" if value else b"\0"
                size = 1
            else:
                size = len(value)
            if room and room < size:
                problem = CKR_BUFFER_TOO_SMALL
                pack_into(">IB", buffer, at, kind, 0)
                self.at = at + 5
            elif coding == 8:
                pack_into(">IBI", buffer, at, kind, 1, size)
                self.at = at + 9
                self.ulong(value)
            elif coding:
                pack_into(">IBIB", buffer, at, kind, 1, 1, value)
                self.at = at + 10
            elif not room:
                pack_into(">IBII", buffer, at, kind, 1, size, _NONE)
                self.at = at + 13
            else:
                pack_into(">IBI", buffer, at, kind, 1, size)
                self.at = at + 9
                self.octets(value)
        self.ulong(problem)
