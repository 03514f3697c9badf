# SPDX-License-Identifier: MIT
"""An Application: its sessions, its login, its handles.

The program on the board is one Application, every host connection another. Promises: nothing of
one Application (login, session objects, handles, searches, operations) is visible to another;
closing its last session logs it out; handles to private objects die with the login (PKCS#11 v2.40
C_Logout). The C_ functions are attached to this class by api.py.
"""

import p11crypto

from .attributes import PRIVATE, TOKEN
from .const import (
    CKF_RW_SESSION,
    CKR_CRYPTOKI_ALREADY_INITIALIZED,
    CKR_CRYPTOKI_NOT_INITIALIZED,
    CKR_OBJECT_HANDLE_INVALID,
    CKR_SESSION_COUNT,
    CKR_SESSION_HANDLE_INVALID,
    CKR_SESSION_READ_ONLY,
    CKR_SESSION_READ_WRITE_SO_EXISTS,
    CKR_USER_NOT_LOGGED_IN,
    CKS_RO_PUBLIC_SESSION,
    CKS_RO_USER_FUNCTIONS,
    CKS_RW_PUBLIC_SESSION,
    CKS_RW_SO_FUNCTIONS,
    CKS_RW_USER_FUNCTIONS,
    CKU_SO,
    CKU_USER,
)
from .errors import P11Error
from .session import Session
from .settings import SESSIONS, SESSIONS_PER_APPLICATION
from .token import SESSION_ID


class Application:
    """State of one Cryptoki application. token: token.Token, or a function that returns one."""

    def __init__(self, token):
        self._token = token
        self.token = None  # set while initialised
        self.sessions = {}
        self.user = None  # CKU_USER, CKU_SO or None
        self.proved = False  # a user PIN was right since C_Initialize
        self.session_objects = []  # ids
        self._ids = {}  # handle: id
        self._handles = {}  # id: handle

    # --- life ----------------------------------------------------------------------------------

    def initialize(self):
        """Mount the token if nobody has and join it."""
        if self.token is not None:
            raise P11Error(CKR_CRYPTOKI_ALREADY_INITIALIZED)
        token = self._token() if callable(self._token) else self._token
        token.mount()
        self.token = token
        token.applications.append(self)

    def finalize(self):
        """Close all sessions and leave."""
        self.initialized()
        self.close_all()
        self.token.applications.remove(self)
        if not self.token.applications:
            p11crypto.wipe_all()  # whatever an interrupted call may have left in a slot
        self.token = None
        self.proved = False
        self._ids = {}
        self._handles = {}

    def initialized(self):
        """Raise CKR_CRYPTOKI_NOT_INITIALIZED before C_Initialize and after C_Finalize."""
        if self.token is None:
            raise P11Error(CKR_CRYPTOKI_NOT_INITIALIZED)

    # --- sessions ------------------------------------------------------------------------------

    def session(self, handle):
        """Return the Session of a handle."""
        if self.token is None:
            raise P11Error(CKR_CRYPTOKI_NOT_INITIALIZED)
        if type(handle) is int and handle in self.sessions:
            return self.sessions[handle]
        raise P11Error(CKR_SESSION_HANDLE_INVALID)

    def open(self, flags):
        """Open a session and return its handle."""
        rw = bool(flags & CKF_RW_SESSION)
        if not rw and self.user == CKU_SO:
            raise P11Error(CKR_SESSION_READ_WRITE_SO_EXISTS)
        if len(self.sessions) >= SESSIONS_PER_APPLICATION or self.token.sessions >= SESSIONS:
            raise P11Error(CKR_SESSION_COUNT)
        handle = self.token.handle()
        self.sessions[handle] = Session(handle, rw)
        self.token.sessions += 1
        return handle

    def close(self, session):
        """Close one session: its operations, its objects, and with the last one the login."""
        session.close()
        del self.sessions[session.handle]
        self.token.sessions -= 1
        for number in list(self.session_objects):
            if self.token.get(number).session == session.handle:
                self.token.destroy(number)
        if not self.sessions:
            self.logout()

    def close_all(self):
        """Close every session of this Application."""
        for session in list(self.sessions.values()):
            self.close(session)

    def state(self, session):
        """Return the CKS_ state of a session."""
        if self.user == CKU_SO:
            return CKS_RW_SO_FUNCTIONS
        if self.user == CKU_USER:
            return CKS_RW_USER_FUNCTIONS if session.rw else CKS_RO_USER_FUNCTIONS
        return CKS_RW_PUBLIC_SESSION if session.rw else CKS_RO_PUBLIC_SESSION

    # --- login ---------------------------------------------------------------------------------

    def is_user(self):
        """Return whether the normal user is logged in: only then private objects exist."""
        return self.user == CKU_USER

    def login(self, user, role, pin):
        """Log in after the checks of C_Login."""
        self.token.keyring.login(role, pin)
        self.user = user
        if user == CKU_USER:
            self.proved = True

    def logout(self):
        """Drop the login, if any: operations, private session objects, private handles.

        The master key goes first, so that nothing that fails later can keep it.
        """
        if self.user is None:
            return
        token = self.token
        was_user = self.is_user()
        self.user = None
        token.keyring.logout()
        seen = list(self._handles)
        for session in self.sessions.values():
            session.end()
            seen.extend(session.found or ())
        for number in list(self.session_objects):
            if token.hides(number):
                token.destroy(number)
        if was_user:
            for number in seen:
                if token.hides(number):
                    self.forget(number)

    # --- objects -------------------------------------------------------------------------------

    def handle_of(self, number):
        """Return this Application's handle for an id, making one at the first call."""
        if number in self._handles:
            return self._handles[number]
        handle = self.token.handle()
        self._handles[number] = handle
        self._ids[handle] = number
        return handle

    def forget(self, number):
        """Make the handle of an id invalid for good and drop it from running searches."""
        if number in self._handles:
            del self._ids[self._handles.pop(number)]
        for session in self.sessions.values():
            if session.found and number in session.found:
                session.found.remove(number)

    def forget_all(self):
        """Make all handles invalid: the token was initialised anew."""
        self._ids = {}
        self._handles = {}

    def object(self, handle, invalid=CKR_OBJECT_HANDLE_INVALID):
        """Return the Object of a handle this Application may use now."""
        if type(handle) is int and handle in self._ids:
            obj = self.token.get(self._ids[handle])
            if not obj.flags & PRIVATE or self.user == CKU_USER:
                return obj
        raise P11Error(invalid)

    def may_write(self, session, flags):
        """Raise unless this session may make or change an object with these flags."""
        if flags & TOKEN and not session.rw:
            raise P11Error(CKR_SESSION_READ_ONLY)
        if flags & PRIVATE and self.user != CKU_USER:
            raise P11Error(CKR_USER_NOT_LOGGED_IN)
        if flags & TOKEN and self.user is None:  # a public record needs a MAC, too
            raise P11Error(CKR_USER_NOT_LOGGED_IN)

    def may_destroy(self, session, obj):
        """Raise unless this session may destroy an object."""
        if obj.id < SESSION_ID:
            if not session.rw:
                raise P11Error(CKR_SESSION_READ_ONLY)
            if self.user is None:
                raise P11Error(CKR_USER_NOT_LOGGED_IN)
