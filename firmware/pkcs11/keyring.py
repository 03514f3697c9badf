# SPDX-License-Identifier: MIT
"""The master key, the PINs that open it, and the counting of attempts.

Promises
- The AEAD tag of a wrapped master key is the only PIN verifier; no PIN or hash of one is stored.
- An attempt is durable before the PIN is looked at, a success is durable before anybody is logged
  in; so no sequence of power cuts gives more comparisons than the limit.
- Inside the delay that follows failures nothing is compared and nothing is counted.
- The master key is in its C slot only while at least one Application is logged in.
Assumes: attempt/success/fails and one-transaction commits of pal.store; p11crypto.master_*.

Default mode: a store without wraps behaves as if the user PIN were "0000" with no stretching; the
first writing call makes the master key and wraps it so. Records: docs/FORMAT.md §4.3.
"""

from struct import pack, unpack_from

import p11crypto
from micropython import const

from .const import (
    CKF_LOGIN_REQUIRED,
    CKF_RNG,
    CKF_SO_PIN_COUNT_LOW,
    CKF_SO_PIN_TO_BE_CHANGED,
    CKF_TOKEN_INITIALIZED,
    CKF_USER_PIN_COUNT_LOW,
    CKF_USER_PIN_INITIALIZED,
    CKF_USER_PIN_TO_BE_CHANGED,
    CKR_DEVICE_ERROR,
    CKR_FUNCTION_FAILED,
    CKR_PIN_INCORRECT,
    CKR_PIN_LEN_RANGE,
    CKR_PIN_LOCKED,
    CKR_USER_PIN_NOT_INITIALIZED,
)
from .errors import P11Error

USER = const(0)  # roles of the store's attempt counters
SO = const(1)

PIN_MIN = const(4)
PIN_MAX = const(64)
LABEL_SIZE = const(32)

_INFO = const(0x01)
_WRAP = const(0x02)  # + role
_LAYOUT = const(1)
_INITIALIZED = const(1)  # flag of the token info: C_InitToken was called
_INFO_FORM = "<BBH32s16sI"  # layout, flags, 0, label, uuid, generation
_INFO_SIZE = const(56)
_WRAP_FORM = "<BBBBII16s60s"  # layout, role, default, limit, iterations, generation, salt, key
_WRAP_SIZE = const(88)
_DELAY_MAX = const(30000)  # ms

DEFAULT_PIN = b"0000"
DEFAULT_LABEL = b"micropython-pkcs11"


class Keyring:
    """PINs and master key of one token.

    pal: the door to the store. settings: see settings.Settings (iterations, limits, default mode,
    clock in ms).
    """

    def __init__(self, pal, settings):
        self.pal = pal
        self.settings = settings
        self.master = 0  # slot of the master key, 0 while nobody is logged in
        self._holders = 0
        self._failed_at = [None, None]  # clock of the latest failure seen, per role
        self.forget()

    def forget(self):
        """Go back to what a blank store says."""
        self._keyed = False
        self.initialized = False
        self.uuid = bytes(16)
        self.generation = 0
        self.label = DEFAULT_LABEL
        self._wrapped = [False, False]
        self._default = False
        self.limits = list(self.settings.limits)

    def load(self):
        """Read the token's records. Call after the store is mounted."""
        self.forget()
        present = [number for number in self.pal.ids() if number < 0x100]
        self._wrapped = [_WRAP + role in present for role in (USER, SO)]
        if _INFO in present:
            _, data = self.pal.read(_INFO)
            if len(data) != _INFO_SIZE or data[0] != _LAYOUT:
                raise P11Error(CKR_DEVICE_ERROR)
            _, flags, _, label, self.uuid, self.generation = unpack_from(_INFO_FORM, data)
            self._keyed = True
            self.initialized = bool(flags & _INITIALIZED)
            self.label = label.rstrip(b" ")
        for role in (USER, SO):
            if self._wrapped[role]:
                default, limit = self._read_wrap(role)[:2]
                self.limits[role] = limit
                if role == USER:
                    self._default = bool(default)
        now = self.settings.clock()
        for role in (USER, SO):  # a reset does not shorten the delay
            self._failed_at[role] = now if self.pal.fails(role) else None

    # --- state ---------------------------------------------------------------------------------

    def default_mode(self):
        """Return whether the user PIN is still "0000" of a token nobody initialised."""
        if self._keyed:
            return self._default
        return self.settings.default_mode

    def has_pin(self, role):
        """Return whether a role can log in at all."""
        return self._wrapped[role] or (role == USER and not self._keyed and self.default_mode())

    def tries_left(self, role):
        """Return the number of attempts a role has left."""
        return max(0, self.limits[role] - self.pal.fails(role))

    def seconds_left(self, role):
        """Return the seconds until a PIN of this role is looked at again, rounded up."""
        return (self._delay(role) + 999) // 1000

    def iterations(self, role):
        """Return the PBKDF2 iterations stored with a PIN, 0 when it is not stretched or not set."""
        return self._read_wrap(role)[2] if self._wrapped[role] else 0

    def flags(self):
        """Return the CKF_ bits of C_GetTokenInfo that concern PINs."""
        flags = CKF_RNG | CKF_LOGIN_REQUIRED
        if self._keyed or self.default_mode():
            flags |= CKF_TOKEN_INITIALIZED
            if not self.initialized:
                flags |= CKF_SO_PIN_TO_BE_CHANGED
        if self.has_pin(USER):
            flags |= CKF_USER_PIN_INITIALIZED
        if self.default_mode():
            flags |= CKF_USER_PIN_TO_BE_CHANGED
        for role, low in ((USER, CKF_USER_PIN_COUNT_LOW), (SO, CKF_SO_PIN_COUNT_LOW)):
            if self.has_pin(role):
                left = self.tries_left(role)
                if left < self.limits[role]:
                    flags |= low
                if left <= 1:  # FINAL_TRY and LOCKED are the next two bits
                    flags |= low << 1 if left else low << 2
        return flags

    # --- opening -------------------------------------------------------------------------------

    def login(self, role, pin):
        """Check a PIN and hold the master key for one more Application."""
        slot = self.check(role, pin)
        if self.master:
            p11crypto.release(slot)
        else:
            self.master = slot
        self._holders += 1

    def logout(self):
        """Let go of the master key for one Application; the last one wipes it."""
        self._holders -= 1
        if not self._holders:
            p11crypto.release(self.master)
            self.master = 0

    def check(self, role, pin):
        """Count an attempt, then try the PIN. Return a slot with the master key (caller's).

        CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_USER_PIN_NOT_INITIALIZED, CKR_FUNCTION_FAILED
        inside the delay, CKR_DEVICE_ERROR when the store cannot count.
        """
        if not self.has_pin(role):
            raise P11Error(CKR_USER_PIN_NOT_INITIALIZED)
        if not 1 <= len(pin) <= PIN_MAX:
            raise P11Error(CKR_PIN_INCORRECT)  # no stored PIN can have this length
        if not self.tries_left(role):
            raise P11Error(CKR_PIN_LOCKED)
        if self._delay(role):
            raise P11Error(CKR_FUNCTION_FAILED)
        self.create()
        before = self.pal.fails(role)
        self.pal.attempt(role)
        if self.pal.fails(role) <= before:
            raise P11Error(CKR_DEVICE_ERROR)
        _, _, iterations, salt, blob = self._read_wrap(role)
        slot = p11crypto.master_unwrap(pin, salt, iterations, self._aad(role), blob)
        if slot is None:
            self._failed_at[role] = self.settings.clock()
            raise P11Error(CKR_PIN_INCORRECT)
        try:
            self.pal.success(role)
            if self.pal.fails(role):
                raise P11Error(CKR_DEVICE_ERROR)
        except BaseException:
            p11crypto.release(slot)
            raise
        self._failed_at[role] = None
        return slot

    def _delay(self, role):
        failed_at = self._failed_at[role]
        if failed_at is None:
            return 0
        fails = self.pal.fails(role)
        delay = 0 if not fails else _DELAY_MAX if fails > 4 else ((1 << fails) - 1) * 1000
        passed = self.settings.since(failed_at)
        if 0 <= passed < delay:
            return delay - passed
        self._failed_at[role] = None
        return 0

    # --- making --------------------------------------------------------------------------------

    def create(self):
        """Make the master key of a blank token in default mode; nothing if there is one.

        Assumes has_pin(USER), so that a token without a master key is in default mode.
        """
        if self._keyed:
            return
        self.uuid = _random(16)
        self.generation = 1
        master = p11crypto.master_new()
        try:
            self._commit(
                [self._info(0, DEFAULT_LABEL), self._wrap(USER, master, DEFAULT_PIN, 0)], ()
            )
        finally:
            p11crypto.release(master)
        self.load()

    def initialize(self, pin, label, objects, allowed):
        """Do what C_InitToken does: new master key, SO PIN, no user PIN, no objects.

        objects: ids to destroy. allowed: whether the user PIN was proved; it stands in for the SO
        PIN while there is none, unless there is nothing to destroy.
        """
        if not PIN_MIN <= len(pin) <= PIN_MAX:
            raise P11Error(CKR_PIN_INCORRECT if self.initialized else CKR_PIN_LEN_RANGE)
        if self.initialized:
            p11crypto.release(self.check(SO, pin))
        elif not allowed and (objects or (self._keyed and not self._default)):
            raise P11Error(CKR_PIN_INCORRECT)
        deletes = list(objects)
        if self._wrapped[USER]:
            deletes.append(_WRAP + USER)
        if not self._keyed:
            self.uuid = _random(16)
        self.generation += 1
        master = p11crypto.master_new()
        try:
            wrap = self._wrap(SO, master, pin, self._stretching(master))
            self._commit([self._info(_INITIALIZED, label), wrap], deletes)
        finally:
            p11crypto.release(master)
            self.load()
        self.pal.success(USER)
        self.pal.success(SO)
        self._failed_at = [None, None]

    def set_pin(self, role, old, new):
        """Replace a PIN by its holder. The old one is checked and counted like at login."""
        if not PIN_MIN <= len(new) <= PIN_MAX:
            raise P11Error(CKR_PIN_LEN_RANGE)
        slot = self.check(role, old)
        try:
            self._commit([self._wrap(role, slot, new, self._stretching(slot))], ())
        finally:
            p11crypto.release(slot)
        self.load()

    def init_pin(self, new):
        """Give the user a PIN; the security officer is logged in, so the master key is here."""
        if not PIN_MIN <= len(new) <= PIN_MAX:
            raise P11Error(CKR_PIN_LEN_RANGE)
        wrap = self._wrap(USER, self.master, new, self._stretching(self.master))
        self._commit([wrap], ())
        self.pal.success(USER)
        self.load()

    # --- records -------------------------------------------------------------------------------

    def _aad(self, role):
        return self.uuid + pack("<BI", role, self.generation)

    def _info(self, flags, label):
        label = bytes(label) + b" " * (LABEL_SIZE - len(label))
        data = pack(_INFO_FORM, _LAYOUT, flags, 0, label, self.uuid, self.generation)
        return _INFO, self.pal.CRITICAL, data

    def _stretching(self, master):
        def run(count):
            p11crypto.master_wrap(master, DEFAULT_PIN, bytes(16), count, b"")

        return self.settings.stretching(run)

    def _wrap(self, role, master, pin, iterations):
        salt = _random(16)
        blob = p11crypto.master_wrap(master, pin, salt, iterations, self._aad(role))
        limit = self.settings.limits[role]
        fields = (role, 0 if iterations else 1, limit, iterations, self.generation, salt, blob)
        data = pack(_WRAP_FORM, _LAYOUT, *fields)
        return _WRAP + role, self.pal.SECRET | self.pal.CRITICAL, data

    def _read_wrap(self, role):
        """Return (default, limit, iterations, salt, wrapped key) of a role."""
        _, data = self.pal.read(_WRAP + role)
        if len(data) != _WRAP_SIZE or data[0] != _LAYOUT or data[1] != role:
            raise P11Error(CKR_DEVICE_ERROR)
        fields = unpack_from(_WRAP_FORM, data)
        if fields[5] != self.generation:
            raise P11Error(CKR_DEVICE_ERROR)
        return fields[2], fields[3], fields[4], fields[6], fields[7]

    def _commit(self, records, deletes):
        puts = [(number, 0, flags, b"", data) for number, flags, data in records]
        self.pal.commit(puts, deletes)


def _random(size):
    data = bytearray(size)
    p11crypto.random(data)
    return bytes(data)
