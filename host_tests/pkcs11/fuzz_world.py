# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""A token with objects, and arguments for calls of it that are nearly right half of the time."""

import random

import p11crypto
from fuzz_tables import FITTING, GOOD, KEY, KINDS, NUMBERS, SIZES
from memory_store import MemoryStore
from secret_kit import secret
from token_kit import *

from pal.pal import Pal
from pkcs11 import attributes, mechanisms
from pkcs11.application import Application
from pkcs11.settings import Settings
from pkcs11.token import Token

CERTIFICATE = guide_certificate(certificate(KEY))


class World:
    """A token with objects, and a source of arguments that fit it more or less."""

    def __init__(self, seed):
        self.choose = random.Random(seed)
        self.pending = None  # a session with a running operation, to go on with
        self.rebuild()

    def rebuild(self):
        p11crypto.test_reset()
        self.store = MemoryStore()
        self.app = Application(Token(Pal(self.store), Settings(iterations=1, clock=lambda: 0)))
        self.home()

    def home(self):
        """Have a user session again; a new token if the old one is locked or has another PIN."""
        app = self.app
        if app.token is None:
            app.C_Initialize()
            app.token.keyring._delay = lambda role: 0
        try:
            if len(app.sessions) > 12 or app.user == CKU_SO:
                app.C_CloseAllSessions(1)
            if not any(session.rw for session in app.sessions.values()) or app.user is None:
                self.session = app.C_OpenSession(1, RW)
                if app.user is None:
                    app.C_Login(self.session, CKU_USER, b"0000")
        except P11Error:
            self.rebuild()
            return
        if len(self.store.records) > 20 or len(app.session_objects) > 20:
            self.clear()
        if len(app._ids) < 4:
            self.stock()

    def stock(self):
        """Have a handle of one object of each kind."""
        session = self.app.C_OpenSession(1, RW)
        if len(find(self.app, session)) < 4:
            generate(self.app, session, None, guide_pair()[1] + [(CKA_DERIVE, True)])
            for template in (secret(CKK_AES, bytes(16)), secret(CKK_GENERIC_SECRET), CERTIFICATE):
                self.app.C_CreateObject(session, template)
            find(self.app, session)
        self.app.C_CloseSession(session)

    def clear(self):
        """Destroy every object that lets itself be destroyed."""
        session = self.app.C_OpenSession(1, RW)
        for handle in find(self.app, session):
            try:
                self.app.C_DestroyObject(session, handle)
            except P11Error as error:
                assert error.ckr == CKR_ACTION_PROHIBITED
                self.app.C_SetAttributeValue(session, handle, [(CKA_DESTROYABLE, True)])
                self.app.C_DestroyObject(session, handle)
        self.app.C_CloseSession(session)

    def objects(self):
        """All there is, in a form that can be compared."""
        session_objects = [
            (number, obj.flags, obj.label, obj.tlv, obj.value)
            for number in self.app.session_objects
            for obj in (self.app.token._cache[number],)
        ]
        records = {number: tuple(record) for number, record in self.store.records.items()}
        return {number: record for number, record in records.items() if number > 0xFF}, (
            session_objects
        )

    # --- arguments ------------------------------------------------------------------------------

    def any(self):
        choose = self.choose
        kind = choose.randrange(12)
        if kind < 3:
            return self.bytes()
        if kind < 6:
            return choose.choice(NUMBERS)
        if kind == 6:
            return self.template()
        return choose.choice((None, True, False, "text", 1.5, (), [], {}, object(), b"", [[[]]]))

    def bytes(self):
        size = self.choose.choice(SIZES)
        data = self.choose.randbytes(size)
        return self.choose.choice((bytes, bytearray, memoryview))(data)

    def handle(self):
        """A session mostly, now and then a closed one, an object or nonsense."""
        app, choose = self.app, self.choose
        pick = choose.randrange(10)
        if pick < 9 and self.pending is not None:
            return self.pending
        if pick < 8 and app.sessions:
            return choose.choice(list(app.sessions))
        return choose.choice((0, 1, choose.randrange(500), self.any()))

    def object(self):
        pick = self.choose.randrange(10)
        if pick < 7 and self.app._ids:
            return self.choose.choice(list(self.app._ids))
        return self.choose.choice((0, 1, self.choose.randrange(500), self.any()))

    def value(self, kind):
        row = attributes.BY_TYPE.get(kind) if type(kind) is int else None
        pick = self.choose.randrange(6)
        if pick == 0 or row is None:
            return self.any()
        if row[attributes.KIND] == attributes.BOOL:
            return self.choose.random() < 0.5
        if row[attributes.KIND] == attributes.ULONG:
            return self.choose.choice(NUMBERS)
        return self.choose.choice((self.bytes(), OID_P256, wrapped(KEY), b"20240101", b"label"))

    def template(self):
        """A good template, sometimes changed: an entry more, twice, nested or gone."""
        choose = self.choose
        entries = [tuple(entry) for entry in choose.choice(GOOD)]
        for _ in range(choose.choice((0, 0, 0, 1, 1, 2, 5))):
            kind = choose.choice((*KINDS, 0x7777, 0x40000211, 0x80000001, -1, 1 << 64, None))
            pick = choose.randrange(8)
            if pick == 0:
                entries.append(self.any_entry())
            elif pick == 1 and entries:
                entries.append(choose.choice(entries))
            elif pick == 2 and entries:
                entries.pop(choose.randrange(len(entries)))
            elif pick == 3:
                entries.append((kind, [(CKA_CLASS, CKO_DATA), (kind, [])]))
            else:
                entries.append((kind, self.value(kind)))
        return tuple(entries) if choose.random() < 0.2 else entries

    def any_entry(self):
        return self.choose.choice((None, 5, (), (1,), (1, 2, 3), [CKA_LABEL, b"x"], "x", (b"", 1)))

    def types(self):
        asked = self.choose.choices(KINDS + [0x7777, -1], k=self.choose.randrange(6))
        if self.choose.random() < 0.3:
            asked = [(kind, self.choose.choice((0, 1, 4, 65535, None, -1, "x"))) for kind in asked]
        return self.choose.choice((asked, asked, asked, self.any()))

    def mechanism(self):
        choose = self.choose
        number = choose.choice((*mechanisms.NUMBERS, 0, 0x7777, -1))
        parameter = choose.choice(
            (
                None,
                bytes(16),
                (CKD_NULL, None, point(KEY)),
                (CKD_NULL, b"x", point(KEY)),
                self.any(),
                (self.any(), self.any(), self.any()),
            )
        )
        return choose.choice(
            (number, number, (number, parameter), (number, bytes(16)), self.any())
        )

    def fitting(self, name, arguments):
        """Put a mechanism and a key into the arguments that go together."""
        mechanism, key_type, object_class = self.choose.choice(FITTING[name])
        handles = [
            handle
            for handle, number in self.app._ids.items()
            for obj in (self.app.token.get(number),)
            if (obj.key_type, obj.object_class) == (key_type, object_class)
        ]
        if name.endswith("Init") and handles:
            arguments[1:3] = mechanism, self.choose.choice(handles)
        elif name == "C_DeriveKey" and handles:
            arguments[1:4] = mechanism, self.choose.choice(handles), []
        elif name == "C_GenerateKey":
            arguments[1:3] = mechanism, [(CKA_VALUE_LEN, 16)]
        elif name == "C_GenerateKeyPair":
            arguments[1:4] = mechanism, *guide_pair()

    def data(self):
        return self.choose.choice((DIGEST, b"", bytes(64), bytes(48), self.bytes(), self.any()))

    def room(self):
        return self.choose.choice((None, None, 0, 1, 64, 65536, self.any()))

    def number(self):
        return self.choose.choice((1, 2, 4, 6, 8, 100, *NUMBERS, self.any()))

    def slot(self):
        return self.choose.choice((1, 1, 1, 1, 0, 2, self.any()))

    def pin(self):
        return self.choose.choice((b"0000", b"0000", b"0000", bytearray(b"0000"), self.any()))
