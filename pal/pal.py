# SPDX-License-Identifier: MIT
"""The platform abstraction of the qualification guide, by its names, over `pal.store`.

Promises the PKCS11_PAL_ contract: SaveObject gives a handle or 0 and replaces an object of the
same label, FindObject gives a handle or 0, GetObjectValue a return code and the value, Cleanup
wipes, DestroyObject really destroys. Any label of 0..255 bytes can be stored; labels are compared
by length and bytes. Knows nothing of Cryptoki attributes: it stores bytes under an id and a label.

`Pal` is also the only door through which the token layer reaches the store: ids, info, read, find,
new_id, next_version, commit, attempt, success, fails, advance, value, free, health are the store's
own.
"""

from micropython import const

from .store import CRITICAL, SECRET, Store, StoreError

OK = const(0x00)  # the CK_RV values of the contract
HOST_MEMORY = const(0x02)
FUNCTION_FAILED = const(0x06)
ARGUMENTS_BAD = const(0x07)
OBJECT_HANDLE_INVALID = const(0x82)

RAW = const(0xFF)  # kind of an object that was saved through this contract
FIRST_ID = const(0x100)  # below are the token's own records
LABEL_MAX = const(255)

# labels of the guide whose value must never leave the token
PRIVATE_LABELS = (b"Device Priv TLS Key", b"Claim Key", b"HMAC Key", b"CMAC Key")


class Pal:
    """Objects by label and by id over one store."""

    CRITICAL = CRITICAL
    SECRET = SECRET
    StoreError = StoreError

    def __init__(self, store):
        self.store = store
        self.mounted = False
        self.after_mount = None  # called with this Pal after a mount that succeeded
        self.seed_error = None  # why a board without entropy source was not seeded
        self.error = None  # StoreError of the last failed mount
        self.ids = store.ids
        self.info = store.info
        self.read = store.read
        self.find = store.find
        self.candidates = getattr(store, "candidates", store.find)
        self.new_id = store.new_id
        self.next_version = store.next_version
        self.commit = store.commit
        self.attempt = store.attempt
        self.success = store.success
        self.fails = store.fails
        self.advance = store.advance
        self.value = store.value
        self.free = store.free
        self.health = store.health

    def mount(self):
        """Mount the store once. StoreError when the region is not a store this code can serve."""
        if not self.mounted:
            self.error = None
            try:
                self.store.mount()
            except StoreError as error:
                self.error = error
                raise
            self.mounted = True
            if self.after_mount:
                self.after_mount(self)

    # --- the contract --------------------------------------------------------------------------

    def initialize(self):
        """Return OK, or FUNCTION_FAILED when the store cannot be mounted."""
        try:
            self.mount()
        except StoreError:
            return FUNCTION_FAILED
        return OK

    def save_object(self, label, data, private=None):
        """Store data under label and return its handle, 0 on any failure.

        private None asks the list of the guide's private labels.
        """
        label = bytes(label)
        if len(label) > LABEL_MAX:
            return 0
        if private is None:
            private = label in PRIVATE_LABELS
        try:
            handle = self._raw(label) or self.new_id()
            self.commit([(handle, RAW, SECRET if private else 0, label, data)])
        except (StoreError, MemoryError):
            return 0
        return handle

    def find_object(self, label):
        """Return the handle of an object stored under exactly this label, else 0."""
        label = bytes(label)
        if len(label) > LABEL_MAX:
            return 0
        try:
            found = self._raw(label)
            if found:
                return found
            for handle in self.find(label):
                if handle >= FIRST_ID:
                    return handle
        except StoreError:
            pass
        return 0

    def get_object_value(self, handle):
        """Return (rv, value as bytearray or None, size, is_private)."""
        try:
            if not self._known(handle):
                return OBJECT_HANDLE_INVALID, None, 0, True
            _, flags, _, _ = self.info(handle)
            _, value = self.read(handle)
            return OK, value, len(value), bool(flags & SECRET)
        except StoreError:
            return FUNCTION_FAILED, None, 0, True
        except MemoryError:
            return HOST_MEMORY, None, 0, True

    def destroy_object(self, handle):
        """Destroy an object; a secret one leaves no copy behind."""
        try:
            if not self._known(handle):
                return OBJECT_HANDLE_INVALID
            self.commit((), (handle,))
        except StoreError:
            return FUNCTION_FAILED
        return OK

    def _raw(self, label):
        for handle in self.find(label):
            if handle >= FIRST_ID and self.info(handle)[0] == RAW:
                return handle
        return 0

    def _known(self, handle):
        return type(handle) is int and handle >= FIRST_ID and handle in self.ids()


_board = None


def board():
    """Return the Pal of this board, made at the first call."""
    global _board
    if _board is None:
        import geometry
        import p11crypto

        if hasattr(p11crypto, "has_source") and not p11crypto.has_source():
            from . import nv_seed

            _board = nv_seed.seeded_pal(geometry.device())
        else:
            _board = Pal(Store(geometry.device(), p11crypto.random))
    return _board


def use(pal):
    """Make pal the one that the PKCS11_PAL_ functions work on (tests, other devices)."""
    global _board
    _board = pal


def PKCS11_PAL_Initialize():
    """Mount the store of the board. Returns a CK_RV."""
    return board().initialize()


def PKCS11_PAL_SaveObject(label, data, size=None):
    """Store data[:size] under label. Returns a handle, 0 on failure."""
    return board().save_object(label, data if size is None else memoryview(data)[:size])


def PKCS11_PAL_FindObject(label, length=None):
    """Return the handle of the object stored under label[:length], 0 if there is none."""
    return board().find_object(label if length is None else memoryview(label)[:length])


def PKCS11_PAL_GetObjectValue(handle):
    """Return (rv, value, size, is_private). The caller gives value to ...Cleanup."""
    return board().get_object_value(handle)


def PKCS11_PAL_GetObjectValueCleanup(value, size=None):
    """Wipe a value that PKCS11_PAL_GetObjectValue returned; None is fine."""
    if value is not None:
        for at in range(len(value)):
            value[at] = 0


def PKCS11_PAL_DestroyObject(handle):
    """Destroy an object. Returns a CK_RV."""
    return board().destroy_object(handle)
