# SPDX-License-Identifier: MIT
"""What the tests of a run stand on: sessions, labels of the run, checks, clearing up.

Promises: an object whose content was on the token before the run is never destroyed, even when
the token's search is broken; everything the run made under its labels goes. Checks raise
report.Failure. A test finds the library initialised and leaves it in any state.
"""

import p11crypto

from ..attributes import is_buffer
from ..const import (
    CKA_CLASS,
    CKA_EC_POINT,
    CKA_ID,
    CKA_KEY_TYPE,
    CKA_LABEL,
    CKA_MODULUS,
    CKA_VALUE,
    CKF_RW_SESSION,
    CKF_SERIAL_SESSION,
    CKM_ECDSA,
    CKO_CERTIFICATE,
    CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
    CKR_BUFFER_TOO_SMALL,
    CKR_CRYPTOKI_NOT_INITIALIZED,
    CKR_OK,
    CKR_USER_ALREADY_LOGGED_IN,
    CKU_USER,
    name_of,
)
from ..errors import P11Error
from . import objects
from .report import Failure
from .switches import GENERATE, IMPORT

RW = CKF_SERIAL_SESSION | CKF_RW_SESSION
FACTS = (CKA_CLASS, CKA_KEY_TYPE, CKA_LABEL, CKA_ID, CKA_EC_POINT, CKA_MODULUS, CKA_VALUE)
MANY = 100  # more objects than a token of this kind holds; bounds every loop


class Bench:
    """app: Application of the run. Attributes: app, switches, labels (by role), before,
    paths (different walks of the model so far)."""

    def __init__(self, app, pin, switches):
        self.app = app
        self.switches = switches
        self.labels = dict(switches.labels)
        self.before = None  # facts of the objects before the run
        self.paths = 0
        self._pin = pin

    # --- before, between and after the tests -----------------------------------------------------

    def prepare(self):
        """Look at what is on the token and choose labels that are free. Raises P11Error."""
        self.app.C_Initialize()
        try:
            session = self.start()
            handles = self.all(session)
            self.before = sorted([self.facts(session, handle) for handle in handles])
            if not self.switches.preprovisioned:
                self._choose({bytes(self._read(session, one, CKA_LABEL)) for one in handles})
        finally:
            self.app.C_Finalize()

    def _choose(self, taken):
        prefix = b""
        attempt = 0
        while any(prefix + label in taken for label in self.switches.labels.values()):
            attempt += 1
            prefix = b"qualification %d " % attempt
        for role, label in self.switches.labels.items():
            self.labels[role] = prefix + label

    def set_up(self):
        """Initialise the library, freshly."""
        self.tear_down()
        self.expect(CKR_OK, self.app.C_Initialize)

    def tear_down(self):
        """Finalise the library if it is not."""
        code = self.code(self.app.C_Finalize)
        if code != CKR_CRYPTOKI_NOT_INITIALIZED:
            self.equal(CKR_OK, code, "C_Finalize")

    def leave(self):
        """Destroy what the run made, whatever happened; the last test has said if that failed."""
        try:
            self.set_up()
            self.clear(self.start())
        except (Failure, P11Error):
            pass
        self.code(self.app.C_Finalize)

    # --- the guide's helpers -------------------------------------------------------------------

    def start(self):
        """Open a read/write session, log in if need be, and return it."""
        session = self.app.C_OpenSession(self.app.C_GetSlotList(True)[0], RW)
        code = self.code(self.app.C_Login, session, CKU_USER, bytearray(self._pin))
        if code not in (CKR_OK, CKR_USER_ALREADY_LOGGED_IN):
            raise P11Error(code)
        return session

    def all(self, session, template=()):
        """Return every handle that matches."""
        app = self.app
        handles = []
        app.C_FindObjectsInit(session, list(template))
        while len(handles) < 10 * MANY:
            more = app.C_FindObjects(session, 8)
            if not more:
                break
            handles.extend(more)
        app.C_FindObjectsFinal(session)
        return handles

    def find(self, session, label, object_class):
        """Return the handle of the first object of a label and class, 0 if there is none."""
        app = self.app
        app.C_FindObjectsInit(session, [(CKA_LABEL, label), (CKA_CLASS, object_class)])
        found = app.C_FindObjects(session, 1)
        app.C_FindObjectsFinal(session)
        return found[0] if found else 0

    def get(self, session, handle, kind):
        """Return an attribute, asked as C does: its length first, then the value."""
        length = self.length(self.app.C_GetAttributeValue, session, handle, [(kind, 0)])
        return self.app.C_GetAttributeValue(session, handle, [(kind, length)])[0]

    def provision(self, session, method, kind):
        """Bring keys and certificate onto the device; return (private, public, certificate)."""
        if method == IMPORT or method == GENERATE:
            self.clear(session)
            make = kind.imported if method == IMPORT else kind.generated
            private, public = make(self, session)
            certificate = kind.certificate(self, session, "certificate")
            return private, public, certificate
        labels = self.labels
        return (
            self.find(session, labels["private"], CKO_PRIVATE_KEY),
            self.find(session, labels["public"], CKO_PUBLIC_KEY),
            self.find(session, labels["certificate"], CKO_CERTIFICATE),
        )

    def sign(self, session, private, data, mechanism=CKM_ECDSA, room=64):
        """Return the signature: r || s, unless another mechanism is named."""
        self.app.C_SignInit(session, mechanism, private)
        return self.app.C_Sign(session, data, room)

    def verify(self, session, public, data, signature, mechanism=CKM_ECDSA):
        """Raise P11Error unless the signature is good."""
        self.app.C_VerifyInit(session, mechanism, public)
        self.app.C_Verify(session, data, signature)

    # --- objects -------------------------------------------------------------------------------

    def _read(self, session, handle, kind):
        try:
            return self.app.C_GetAttributeValue(session, handle, [kind])[0]
        except P11Error as error:
            return error.name

    def facts(self, session, handle):
        """Return 32 bytes that identify an object by what can be read of it."""
        digest = p11crypto.Hash(3)
        for kind in FACTS:
            value = self._read(session, handle, kind)
            if not is_buffer(value):
                value = str(value).encode()
            digest.update(b"%d %d " % (kind, len(value)))
            digest.update(value)
        return digest.digest()

    def clear(self, session):
        """Destroy the objects under the labels of the run, duplicates one by one."""
        if self.switches.preprovisioned:
            return
        for role, label in self.labels.items():
            for object_class in objects.CLASSES[role]:
                self.destroy(session, label, object_class)

    def destroy(self, session, label, object_class):
        """The guide's helper: find and destroy until nothing is found."""
        for _ in range(MANY):
            handle = self.find(session, label, object_class)
            if not handle:
                return
            if self.facts(session, handle) in self.before:
                raise Failure(None, None, "the search gave an object that is not of this run")
            self.expect(CKR_OK, self.app.C_DestroyObject, session, handle)
        raise Failure(None, None, "a destroyed object is found again and again")

    # --- checks --------------------------------------------------------------------------------

    def code(self, call, *args):
        """Return the CKR_ code of a call."""
        try:
            call(*args)
        except P11Error as error:
            return error.ckr
        return CKR_OK

    def expect(self, code, call, *args):
        """Check the CKR_ code of a call; return its result, or its P11Error."""
        try:
            result = call(*args)
            was = CKR_OK
        except P11Error as error:
            result = error
            was = error.ckr
        self.equal(code, was, "" if was == code else name_of("CKR_", was))
        return result

    def length(self, call, *args):
        """Return the length that a call names when there is no room for the result."""
        return self.expect(CKR_BUFFER_TOO_SMALL, call, *args).length

    def equal(self, expected, was, message=""):
        """Check a number or bytes."""
        if expected != was:
            if type(expected) is int and type(was) is int:
                raise Failure(expected, was, message)
            raise Failure(None, None, message or "the value is not the expected one")

    def true(self, condition, message):
        """Check a condition."""
        if not condition:
            raise Failure(None, None, message)
