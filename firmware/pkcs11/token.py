# SPDX-License-Identifier: MIT
"""The token: objects, their keys and the registry of who uses it.

Promises
- The token is shared by all Applications; handles and sessions are numbered here, once each.
- A private or secret value is ciphertext whenever it is outside a C slot. Sealing binds it to its
  store id, the version of its record and all its attributes.
- Public objects carry a MAC under the master key; it is checked at the first use after somebody
  logged in, and whenever a value is read from flash while somebody is logged in. An object that
  fails is damaged: listed, deletable, CKR_DEVICE_ERROR on use.
Assumes: `pal` is the only door to storage; one commit is one transaction.
"""

import p11crypto
from micropython import const

from . import objects
from .attributes import (
    EC_PRIVATE,
    PRIVATE,
    SECRET_KEY,
)
from .const import (
    CKO_SECRET_KEY,
    CKR_DEVICE_ERROR,
    CKR_DEVICE_MEMORY,
    CKR_FUNCTION_FAILED,
    CKR_USER_NOT_LOGGED_IN,
)
from .errors import P11Error
from .keyring import Keyring
from .reading import Reading, marks_of
from .settings import SESSION_OBJECTS, Settings

FIRST_ID = const(0x100)
SESSION_ID = const(0x10000)  # ids from here on are session objects, never reused
_CACHE = const(96)  # records kept in RAM


class Token(Reading):
    """One token in one slot.

    pal: pal.pal.Pal (or the same interface). settings: settings.Settings.
    """

    def __init__(self, pal, settings=None):
        self.pal = pal
        self.settings = settings or Settings()
        self.keyring = Keyring(pal, self.settings)
        self.applications = []
        self.sessions = 0
        self.session_objects = 0
        self._mounted = False
        self._cache = {}  # id: Object, session objects too
        self._handle = 0
        self._session_id = SESSION_ID

    def mount(self):
        """Mount the store and read the PIN records; nothing when that was done before.

        CKR_FUNCTION_FAILED when the region is not a store this code can serve; pal.error has why.
        """
        if self._mounted:
            return
        try:
            self.pal.mount()
            self.keyring.load()
        except (self.pal.StoreError, P11Error):
            raise P11Error(CKR_FUNCTION_FAILED)
        self._mounted = True

    def handle(self):
        """Return a number that was never a handle before: for sessions and objects."""
        self._handle += 1
        return self._handle

    # --- looking -------------------------------------------------------------------------------

    def ids(self):
        """Return the ids of all token objects."""
        info = self.pal.info
        return [
            number
            for number in self.pal.ids()
            if number >= FIRST_ID and info(number)[0] <= CKO_SECRET_KEY
        ]

    def get(self, number):
        """Return the Object of an id that exists."""
        if number in self._cache:
            obj = self._cache[number]
            if obj.trusted or not self.keyring.master:
                return obj
        return self._load(number)

    def _load(self, number):
        kind, flags, _, version = self.pal.info(number)
        try:
            label, data = self.pal.read(number)
            obj = objects.load(number, kind, version, label, data)
            if not obj.seals():
                obj.trusted = bool(self.keyring.master)
                if obj.trusted and not self.genuine(obj, data):
                    obj = objects.damaged(number, kind, False)
                elif obj.size:
                    end = len(data) - objects.MAC
                    obj.marks = marks_of(obj, memoryview(data)[end - obj.size : end])
        except (self.pal.StoreError, P11Error):
            obj = objects.damaged(number, kind, flags & self.pal.SECRET)
        if len(self._cache) >= _CACHE:
            self._cache = {n: o for n, o in self._cache.items() if n >= SESSION_ID}
        self._cache[number] = obj
        return obj

    def find(self, query, application):
        """Return the ids an Application can see and that match, token objects first."""
        if query.never:
            return []
        found = []
        pal = self.pal
        cache = self._cache
        unchecked = self.keyring.master  # with a master key, MACs are looked at
        hidden = 0 if application.is_user() else PRIVATE
        for number in pal.ids() if query.label is None else pal.candidates(query.label):
            if number in cache:
                obj = cache[number]
                if unchecked and not obj.trusted:
                    obj = self._load(number)
            elif number >= FIRST_ID and pal.info(number)[0] <= CKO_SECRET_KEY:
                obj = self._load(number)
                cache = self._cache
            else:
                continue
            if not obj.flags & hidden and query.matches(obj, self.readable):
                found.append(number)
        for number in application.session_objects:
            obj = cache[number]
            if not obj.flags & hidden and query.matches(obj, self.readable):
                found.append(number)
        return found

    # --- size and keys -------------------------------------------------------------------------

    def size_of(self, obj):
        """Return the bytes an object takes: its record, or its attributes and value in RAM."""
        if obj.id < SESSION_ID:
            return self.pal.info(obj.id)[2] + len(obj.label)
        return objects.HEAD + len(obj.label) + len(obj.tlv) + obj.size

    def take(self, obj):
        """Return a slot with the key of obj, which is not damaged; give() returns it."""
        if obj.slot:
            obj.uses += 1
            return obj.slot
        try:
            return p11crypto.unseal(
                self.keyring.master, obj.tail, obj.context, obj.aad, slot_kind(obj)
            )
        except ValueError:  # the tag is wrong: the flash was changed
            raise P11Error(CKR_DEVICE_ERROR)

    def give(self, obj, slot):
        """Release a slot got from take()."""
        if slot == obj.slot:
            obj.uses -= 1
            if obj.uses or not obj.gone:
                return
            obj.slot = 0
        p11crypto.release(slot)

    def twin(self, obj):
        """Return a slot of its own with the key of obj."""
        if not obj.slot:
            return self.take(obj)
        master = self.keyring.master
        blob = p11crypto.seal(master, obj.slot, b"copy", b"")
        return p11crypto.unseal(master, blob, b"copy", b"", slot_kind(obj))

    # --- changing ------------------------------------------------------------------------------

    def add(self, drafts, gone=()):
        """Store new token objects and destroy those with the ids `gone`, in one transaction.

        Drafts carry slot or value; their slots are released whatever happens. Needs the master key.
        """
        try:
            used = []
            for obj in drafts:
                number = self.pal.new_id()
                while number in used:  # two ids of one transaction must differ
                    number += 1
                    if number in self.pal.ids():
                        used.append(number)
                used.append(number)
                obj.bind(number, self.pal.next_version(number))
            self.pal.commit([self._record(obj, obj.value) for obj in drafts], gone)
        finally:
            for obj in drafts:
                if obj.slot:
                    p11crypto.release(obj.slot)
                    obj.slot = 0
        for obj in drafts:
            obj.value = None
            self._cache[obj.id] = obj
        for number in gone:
            self._gone(number)

    def remove(self, numbers):
        """Destroy token objects in one transaction."""
        self.pal.commit((), numbers)
        for number in numbers:
            self._gone(number)

    def replace(self, obj, draft):
        """Put draft (new attributes, no value) in the place of the token object obj."""
        self.exchange(((obj, draft),))

    def exchange(self, pairs, gone=()):
        """Put drafts in the place of token objects and destroy others, in one transaction.

        pairs: (object, draft with its new attributes, no value); gone: ids. Needs the master key.
        """
        taken = []
        puts = []
        try:
            for obj, draft in pairs:
                draft.size = obj.size
                value = None
                draft.bind(obj.id, self.pal.next_version(obj.id))
                if obj.secret:
                    draft.slot = self.take(obj)
                    taken.append(draft)
                else:
                    value = self.value(obj)
                puts.append(self._record(draft, value))
            self.pal.commit(puts, gone)
        finally:
            for draft in taken:
                p11crypto.release(draft.slot)
                draft.slot = 0
        for obj, draft in pairs:
            self._cache[obj.id] = draft
        for number in gone:
            self._gone(number)

    def _record(self, obj, value):
        """Return the store record of a bound object, sealed or with its MAC."""
        master = self.keyring.master
        if not obj.seals():
            if value:
                obj.marks = marks_of(obj, value)
            tag = p11crypto.mac(master, obj.context, obj.aad + value)
            data = b"".join((obj.payload_head(), value, tag))
            return obj.id, obj.object_class, 0, obj.label, data
        if obj.slot:
            obj.tail = p11crypto.seal(master, obj.slot, obj.context, obj.aad)
        else:
            obj.tail = p11crypto.seal_bytes(master, obj.context, obj.aad, value)
        data = obj.payload_head() + obj.tail
        return obj.id, obj.object_class, self.pal.SECRET, obj.label, data

    def ready(self):
        """Raise CKR_USER_NOT_LOGGED_IN unless the master key is here to protect a new record."""
        if not self.keyring.master:
            raise P11Error(CKR_USER_NOT_LOGGED_IN)

    def keep(self, obj, application, session):
        """Take a session object in; its slot or value stays in RAM until forget()."""
        if self.session_objects >= SESSION_OBJECTS:
            raise P11Error(CKR_DEVICE_MEMORY)
        self.session_objects += 1
        obj.id = self._session_id
        self._session_id += 1
        obj.owner = application
        obj.session = session
        application.session_objects.append(obj.id)
        self._cache[obj.id] = obj

    def destroy(self, number):
        """Destroy an object of either kind; nobody's handle to it is valid afterwards."""
        if number < SESSION_ID:
            self.pal.commit((), (number,))
            self._gone(number)
            return
        obj = self._cache.pop(number)
        self.session_objects -= 1
        obj.owner.session_objects.remove(number)
        obj.owner.forget(number)
        obj.owner = None
        obj.gone = True
        if obj.slot and not obj.uses:
            p11crypto.release(obj.slot)
            obj.slot = 0

    def _gone(self, number):
        """Forget a token object that was destroyed, and every handle to it."""
        self._cache.pop(number, None)
        for application in self.applications:
            application.forget(number)

    def erased(self):
        """Forget all token objects and every handle to them: C_InitToken has destroyed them."""
        self._cache = {}
        for application in self.applications:
            application.forget_all()

    def reborn(self):
        """As `erased`, after the store itself was reset: the next use mounts it again."""
        self.erased()
        self._mounted = False
        self.pal.mounted = False

    def hides(self, number):
        """Return whether an object must not be seen without login; if in doubt, yes."""
        try:
            return bool(self.get(number).flags & PRIVATE)
        except self.pal.StoreError:
            return True


def slot_kind(obj):
    """Return the kind of C slot that holds the key of obj."""
    if obj.shape == EC_PRIVATE:
        return obj.curve  # kinds of EC slots are curve numbers; 0 is no kind
    if obj.shape == SECRET_KEY:
        return p11crypto.SECRET
    return getattr(p11crypto, "RSA_2048", 0)
