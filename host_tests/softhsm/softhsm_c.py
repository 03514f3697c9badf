# SPDX-License-Identifier: MIT
"""A PKCS#11 library in C, called through its function list with the arguments of our layer.

PyKCS11 lacks 15 of the 68 functions and python-pkcs11 cannot pass NULL or a wrong length, so this
is ctypes over C_GetFunctionList. `Library.call` takes Python values as Application's methods do and
returns (CKR_ code, result). One table gives the kinds of arguments of every function:

    h u   handle, number             m   mechanism: number, (number, parameter) or None for NULL
    d p   data, PIN; None is NULL    t   template; None is NULL, a bool or int gets its C size
    l     token label of 32 bytes    g   attribute types, or pairs of type and room
    O     caller's buffer: None large enough, SIZE a NULL pointer, else its length
    r     a reserved pointer         L   as O, counted in numbers
    >     the result is a handle     #   the result is a number

Assumes CK_ULONG and pointers of 8 bytes and no packing, as on Linux.
"""

import ctypes
from ctypes import POINTER, byref, c_ubyte, c_ulong, c_void_p

from pkcs11.api import FUNCTIONS
from pkcs11.const import CKA_LABEL, CKM_ECDH1_DERIVE, CKR_BUFFER_TOO_SMALL, CKR_OK

SIZE = "size"  # instead of a room: ask for the length only
LARGE = 8192
UNAVAILABLE = c_ulong(-1).value

SIGNATURES = {
    "C_Initialize": "r",
    "C_Finalize": "r",
    "C_GetInfo": "i",
    "C_GetSlotList": "uL",
    "C_GetSlotInfo": "hi",
    "C_GetTokenInfo": "hi",
    "C_GetMechanismList": "hL",
    "C_GetMechanismInfo": "hui",
    "C_InitToken": "hpl",
    "C_InitPIN": "hp",
    "C_SetPIN": "hpp",
    "C_OpenSession": "hu00>",
    "C_CloseSession": "h",
    "C_CloseAllSessions": "h",
    "C_GetSessionInfo": "hi",
    "C_GetOperationState": "hO",
    "C_SetOperationState": "hdhh",
    "C_Login": "hup",
    "C_Logout": "h",
    "C_CreateObject": "ht>",
    "C_CopyObject": "hht>",
    "C_DestroyObject": "hh",
    "C_GetObjectSize": "hh#",
    "C_GetAttributeValue": "hhg",
    "C_SetAttributeValue": "hht",
    "C_FindObjectsInit": "ht",
    "C_FindObjects": "hf",
    "C_FindObjectsFinal": "h",
    "C_EncryptInit": "hmh",
    "C_Encrypt": "hdO",
    "C_EncryptUpdate": "hdO",
    "C_EncryptFinal": "hO",
    "C_DecryptInit": "hmh",
    "C_Decrypt": "hdO",
    "C_DecryptUpdate": "hdO",
    "C_DecryptFinal": "hO",
    "C_DigestInit": "hm",
    "C_Digest": "hdO",
    "C_DigestUpdate": "hd",
    "C_DigestKey": "hh",
    "C_DigestFinal": "hO",
    "C_SignInit": "hmh",
    "C_Sign": "hdO",
    "C_SignUpdate": "hd",
    "C_SignFinal": "hO",
    "C_SignRecoverInit": "hmh",
    "C_SignRecover": "hdO",
    "C_VerifyInit": "hmh",
    "C_Verify": "hdd",
    "C_VerifyUpdate": "hd",
    "C_VerifyFinal": "hd",
    "C_VerifyRecoverInit": "hmh",
    "C_VerifyRecover": "hdO",
    "C_DigestEncryptUpdate": "hdO",
    "C_DecryptDigestUpdate": "hdO",
    "C_SignEncryptUpdate": "hdO",
    "C_DecryptVerifyUpdate": "hdO",
    "C_GenerateKey": "hmt>",
    "C_GenerateKeyPair": "hmtt>>",
    "C_WrapKey": "hmhhO",
    "C_UnwrapKey": "hmhdt>",
    "C_DeriveKey": "hmht>",
    "C_SeedRandom": "hd",
    "C_GenerateRandom": "hn",
    "C_GetFunctionStatus": "h",
    "C_CancelFunction": "h",
    "C_WaitForSlotEvent": "u#r",
}


class Mechanism(ctypes.Structure):
    _fields_ = [("mechanism", c_ulong), ("parameter", c_void_p), ("length", c_ulong)]


class Attribute(ctypes.Structure):
    _fields_ = [("type", c_ulong), ("value", c_void_p), ("length", c_ulong)]


class Ecdh1(ctypes.Structure):
    _fields_ = [
        ("kdf", c_ulong),
        ("shared_length", c_ulong),
        ("shared", c_void_p),
        ("public_length", c_ulong),
        ("public", c_void_p),
    ]


def _value(value):
    """Return the C encoding of a template value, or None for NULL."""
    if value is None:
        return None
    if value is True or value is False:
        return bytes((value,))
    if type(value) is int:
        return value.to_bytes(8, "little")
    return bytes(value)


class Library:
    """A loaded library. path: of the shared object."""

    def __init__(self, path):
        self._library = ctypes.CDLL(path)
        table = c_void_p()
        assert self._library.C_GetFunctionList(byref(table)) == CKR_OK
        pointers = (c_void_p * 68).from_address(table.value + 8)  # after the version
        function = ctypes.CFUNCTYPE(c_ulong)  # arguments are converted below
        self._functions = {
            name: ctypes.cast(pointer, function) for name, pointer in zip(FUNCTIONS, pointers)
        }
        self._kept = []

    def call(self, name, *args):
        """Call a function. Return (code, result); the result is None where the code is an error."""
        self._kept = []  # what must outlive the call
        arguments = []
        results = []
        left = list(args)
        for kind in SIGNATURES[name]:
            getattr(self, "_add_" + _KINDS.get(kind, kind))(arguments, results, left)
        assert not left, (name, args)
        code = self._functions[name](*arguments)
        if name == "C_GetAttributeValue":
            return code, results[0](code)
        if code == CKR_BUFFER_TOO_SMALL and SIGNATURES[name][-1] in "OL":
            return code, results[0](code)
        values = [result(code) for result in results] if code == CKR_OK else []
        return code, values[0] if len(values) == 1 else tuple(values) or None

    # --- arguments, by kind --------------------------------------------------------------------

    def _buffer(self, data):
        buffer = ctypes.create_string_buffer(bytes(data), len(data) + 1)
        self._kept.append(buffer)
        return ctypes.addressof(buffer)

    def _add_number(self, arguments, results, left):
        arguments.append(c_ulong(left.pop(0)))

    def _add_null(self, arguments, results, left):
        arguments.append(c_void_p(None))

    def _add_reserved(self, arguments, results, left):
        pointer = left.pop(0)
        arguments.append(c_void_p(None if pointer is None else self._buffer(bytes(64))))

    def _add_data(self, arguments, results, left):
        data = left.pop(0)
        if data is None:
            arguments.extend((c_void_p(None), c_ulong(4)))
        else:
            arguments.extend((c_void_p(self._buffer(data)), c_ulong(len(data))))

    def _add_label(self, arguments, results, left):
        arguments.append(c_void_p(self._buffer(left.pop(0).ljust(32))))

    def _add_mechanism(self, arguments, results, left):
        given = left.pop(0)
        if given is None:
            arguments.append(c_void_p(None))
            return
        number, parameter = given if type(given) is tuple else (given, None)
        if number == CKM_ECDH1_DERIVE and type(parameter) is tuple:
            kdf, shared, public = parameter
            record = Ecdh1(kdf, len(shared or b""), None, len(public), self._buffer(public))
            if shared is not None:
                record.shared = self._buffer(shared)
            parameter = bytes(record)
        record = Mechanism(number, None, 0)
        if parameter is not None:
            record.parameter = self._buffer(parameter)
            record.length = len(parameter)
        self._kept.append(record)
        arguments.append(byref(record))

    def _add_template(self, arguments, results, left):
        entries = left.pop(0)
        if entries is None:
            arguments.extend((c_void_p(None), c_ulong(1)))
            return
        records = (Attribute * (len(entries) or 1))()
        for record, (kind, value) in zip(records, entries):
            value = _value(value)
            record.type = kind
            if value is not None:
                record.value = self._buffer(value)
                record.length = len(value)
            elif kind == CKA_LABEL:  # NULL with a length
                record.length = 4
        self._kept.append(records)
        arguments.extend((records, c_ulong(len(entries))))

    def _add_room(self, arguments, results, left):
        room = left.pop(0)
        length = c_ulong(LARGE if room is None or room == SIZE else room)
        buffer = None if room == SIZE else (c_ubyte * LARGE)()
        self._kept.extend((buffer, length))
        arguments.extend((buffer, byref(length)))
        results.append(
            lambda code: length.value if buffer is None or code else bytes(buffer)[: length.value]
        )

    def _add_list(self, arguments, results, left):
        room = left.pop(0)
        count = c_ulong(256 if room is None or room == SIZE else room)
        numbers = None if room == SIZE else (c_ulong * 256)()
        self._kept.extend((numbers, count))
        arguments.extend((numbers, byref(count)))
        results.append(
            lambda code: count.value if numbers is None or code else numbers[: count.value]
        )

    def _add_random(self, arguments, results, left):
        length = left.pop(0)
        buffer = (c_ubyte * (length or 1))()
        self._kept.append(buffer)
        arguments.extend((buffer, c_ulong(length)))
        results.append(lambda code: len(buffer))

    def _add_result(self, arguments, results, left):
        number = c_ulong(0)
        self._kept.append(number)
        arguments.append(byref(number))
        results.append(lambda code: number.value)

    def _add_found(self, arguments, results, left):
        maximum = left.pop(0)
        handles = (c_ulong * (maximum or 1))()
        count = c_ulong(0)
        self._kept.extend((handles, count))
        arguments.extend((handles, c_ulong(maximum), byref(count)))
        results.append(lambda code: handles[: count.value])

    def _add_info(self, arguments, results, left):
        buffer = (c_ulong * 64)()
        self._kept.append(buffer)
        arguments.append(buffer)
        results.append(lambda code: list(buffer))

    def _add_attributes(self, arguments, results, left):
        asked = left.pop(0)
        if asked is None:
            arguments.extend((c_void_p(None), c_ulong(1)))
            results.append(lambda code: None)
            return
        records = (Attribute * (len(asked) or 1))()
        for record, entry in zip(records, asked):
            record.type, room = (entry, None) if type(entry) is int else entry
            if room != SIZE:
                record.length = LARGE if room is None else room
                record.value = self._buffer(bytes(LARGE))
        self._kept.append(records)
        arguments.extend((ctypes.cast(records, POINTER(Attribute)), c_ulong(len(asked))))

        def values(code):
            return [
                None
                if record.length == UNAVAILABLE
                else record.length
                if record.value is None
                else ctypes.string_at(record.value, record.length)
                for record in records[: len(asked)]
            ]

        results.append(values)


_KINDS = {
    "h": "number",
    "u": "number",
    "0": "null",
    "r": "reserved",
    "d": "data",
    "p": "data",
    "l": "label",
    "m": "mechanism",
    "t": "template",
    "g": "attributes",
    "O": "room",
    "L": "list",
    "n": "random",
    ">": "result",
    "#": "result",
    "f": "found",
    "i": "info",
}
