# SPDX-License-Identifier: MIT
"""The two tokens of the comparison: ours on CPython, SoftHSM2 from Debian, one interface.

`call(name, *args)` returns (CKR_ code, comparable result): bytes, numbers and booleans where both
must agree, lengths and counts where the content differs by nature (signatures, handles). `names`
holds handles by the names of the scripts. `prepare` brings a token into a standard state.
"""

import os

import p11crypto
from memory_store import MemoryStore
from softhsm_c import SIGNATURES, SIZE, UNAVAILABLE, Library
from softhsm_templates import OBJECTS
from softhsm_values import SO_PIN, USER_PIN

from pal.pal import Pal
from pkcs11.application import Application
from pkcs11.attributes import BOOL, BY_TYPE, FIXED, KIND, TYPE, ULONG
from pkcs11.calls_object import length_of
from pkcs11.const import (
    CK_UNAVAILABLE_INFORMATION,
    CKA_LABEL,
    CKA_MODULUS_BITS,
    CKF_RW_SESSION,
    CKF_SERIAL_SESSION,
    CKR_ATTRIBUTE_SENSITIVE,
    CKR_ATTRIBUTE_TYPE_INVALID,
    CKR_BUFFER_TOO_SMALL,
    CKR_OK,
    CKU_SO,
    CKU_USER,
    name_of,
)
from pkcs11.errors import P11Error
from pkcs11.settings import Settings
from pkcs11.token import Token

# C_GetAttributeValue gives what it can with these codes
_PARTIAL = (CKR_OK, CKR_ATTRIBUTE_SENSITIVE, CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL)
RW = CKF_SERIAL_SESSION | CKF_RW_SESSION
RO = CKF_SERIAL_SESSION
STATES = ("off", "none", "public", "user", "so")


class Side:
    """What both have in common. Subclasses: `raw`, `factory`."""

    def __init__(self):
        self.names = {}
        self.slot = None
        self.last = None  # result of the latest call
        self.used = False  # a script changed PINs or more: make a new token

    def call(self, name, *args):
        """Call a function; keep what may serve as an argument later; return what to compare."""
        code, result = self.raw(name, *args)
        self.last = result if code == CKR_OK else None
        if name in ("C_InitToken", "C_InitPIN", "C_SetPIN", "C_Finalize", "C_Initialize"):
            self.used = True
        if code == CKR_OK and name in ("C_Sign", "C_SignFinal") and type(result) is bytes:
            self.names["$signature"] = result
        if code == CKR_OK and name in ("C_Encrypt",) and type(result) is bytes:
            self.names["$encrypted"] = result
        return code, _comparable(name, code, args, result)

    def keep(self, names):
        """Give the handles of the latest result names."""
        handles = self.last if isinstance(self.last, tuple) else (self.last,)
        self.names.update((name, handle) for name, handle in zip(names, handles) if handle)

    def must(self, name, *args):
        """Call a function that has to succeed; return its result."""
        code, result = self.raw(name, *args)
        assert code == CKR_OK, "%s: %s %s" % (type(self).__name__, name, name_of("CKR_", code))
        return result

    def prepare(self, state, objects):
        """Bring the token into a state of STATES with objects of OBJECTS, by name."""
        assert state in STATES, state
        if self.used or self.slot is None:
            self.factory()
            self.used = False
        self.must("C_CloseAllSessions", self.slot)
        self.names = {"slot": self.slot}
        rw = self._clean()
        for name in objects:
            self.names[name] = self.must("C_CreateObject", rw, OBJECTS[name])
        if state == "off":
            self.must("C_Finalize", None)
            self.used = True
        elif state == "none":
            self.must("C_CloseAllSessions", self.slot)
        elif state != "user":
            self.must("C_Logout", rw)
        if state in ("public", "user"):
            self.names["ro"] = self.must("C_OpenSession", self.slot, RO)
        if state == "so":
            self.must("C_Login", rw, CKU_SO, SO_PIN)
        if state in ("public", "user", "so"):
            self.names["rw2"] = self.must("C_OpenSession", self.slot, RW)
            self.names["closed"] = self.must("C_OpenSession", self.slot, RW)
            self.must("C_CloseSession", self.names["closed"])
        self.names["rw"] = rw

    def _clean(self):
        """Return a user session on a token without objects."""
        rw = self.must("C_OpenSession", self.slot, RW)
        self.must("C_Login", rw, CKU_USER, USER_PIN)
        self.must("C_FindObjectsInit", rw, [])
        for handle in self.must("C_FindObjects", rw, 200):
            self.must("C_DestroyObject", rw, handle)
        self.must("C_FindObjectsFinal", rw)
        return rw

    def equip(self):
        """Give a new token its PINs and label."""
        self.must("C_InitToken", self.slot, SO_PIN, b"two tokens")
        rw = self.must("C_OpenSession", self.slot, RW)
        self.must("C_Login", rw, CKU_SO, SO_PIN)
        self.must("C_InitPIN", rw, USER_PIN)
        self.must("C_CloseAllSessions", self.slot)


class Ours(Side):
    """firmware/pkcs11 over a store in memory; a minute passes between two looks at the clock."""

    def factory(self):
        p11crypto.test_source()
        p11crypto.test_reset()
        now = [0]

        def clock():
            now[0] += 60000
            return now[0]

        token = Token(Pal(MemoryStore()), Settings(iterations=1, clock=clock))
        self.application = Application(token)
        self.slot = 1
        self.must("C_Initialize", None)
        self.equip()

    def raw(self, name, *args):
        asked = None
        if name == "C_GetAttributeValue" and args[2]:
            asked = args[2]
            given = [(e[0], None) if e.__class__ is tuple and e[1] == SIZE else e for e in asked]
            args = args[:2] + (given,)
        size = SIZE in args
        args = [0 if arg is SIZE else arg for arg in args]
        if name in ("C_GetSlotList",):
            args[0] = bool(args[0])
        try:
            result = getattr(self.application, name)(*args)
        except P11Error as error:
            if error.ckr == CKR_BUFFER_TOO_SMALL and asked is None:
                return (CKR_OK if size else error.ckr), error.length
            return error.ckr, _sized(asked, error.values)
        return CKR_OK, _sized(asked, result)


def _sized(asked, values):
    """Return attribute values with the length in the place of those only measured."""
    if asked is None or values is None:
        return values
    return [
        length_of(BY_TYPE[entry[0]], value)
        if type(entry) is tuple and entry[1] == SIZE and value is not None
        else value
        for entry, value in zip(asked, values)
    ]


class Theirs(Side):
    """SoftHSM2. folder: where its tokens live; path: of the library."""

    def __init__(self, path, folder):
        super().__init__()
        self.folder = folder
        self.count = 0
        self.on = False
        self.library = Library(path)

    def factory(self):
        if self.on:
            self.raw("C_Finalize", None)
        self.count += 1
        tokens = self.folder / str(self.count)
        tokens.mkdir()
        conf = self.folder / ("%d.conf" % self.count)
        conf.write_text(
            "directories.tokendir = %s\nobjectstore.backend = file\nlog.level = ERROR\n" % tokens
        )
        os.environ["SOFTHSM2_CONF"] = str(conf)
        self.must("C_Initialize", None)
        (self.slot,) = self.must("C_GetSlotList", 1, None)
        self.equip()
        self.names["slot"] = self.slot

    def raw(self, name, *args):
        code, result = self.library.call(name, *args)
        if name in ("C_Initialize", "C_Finalize") and code == CKR_OK:
            self.on = name == "C_Initialize"
            if self.on:  # the number of the slot is another one now
                self.slot = self.library.call("C_GetSlotList", 1, None)[1][0]
                self.names["slot"] = self.slot
        return code, result


def _comparable(name, code, args, result):
    """Return the part of a result that two tokens must have in common."""
    if name == "C_GetAttributeValue":
        if code not in _PARTIAL:
            return None
        return [_attribute(entry, value) for entry, value in zip(args[2], result)]
    if code == CKR_BUFFER_TOO_SMALL and SIGNATURES[name][-1] == "O":
        return result
    if code != CKR_OK:
        return None
    if name == "C_FindObjects":
        return len(result)
    if name == "C_GetSessionInfo":
        return list(result)[1:4]
    if name in ("C_Sign", "C_SignFinal") and type(result) is bytes:
        return len(result)
    if name.startswith(("C_Digest", "C_Encrypt", "C_Decrypt", "C_Sign")):
        return result
    if name == "C_GenerateRandom":
        return result if type(result) is int else len(result)
    return None


def _attribute(entry, value):
    kind, room = (entry, None) if type(entry) is int else entry
    if kind not in BY_TYPE or value is None:
        return None if value is None else "something"
    row = BY_TYPE[kind]
    number = (
        row[KIND] == ULONG
        or kind == CKA_MODULUS_BITS
        or (row[KIND] == FIXED and row[TYPE] != CKA_LABEL)
    )
    if room == SIZE:
        return "a number" if number else value
    if type(value) is not bytes:
        return value
    if row[KIND] == BOOL:
        return bool(value[0]) if value else None
    if not number:
        return value
    number = int.from_bytes(value, "little")
    return CK_UNAVAILABLE_INFORMATION if number == UNAVAILABLE else number
