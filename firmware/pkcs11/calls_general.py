# SPDX-License-Identifier: MIT
"""C_ functions about the library, the slot, the token, PINs and sessions (PKCS#11 v2.40 §5.4–5.6).

Each function takes the Application and then the standard's arguments without output pointers; it
returns the result. `room` stands for the caller's buffer: too small a one raises
CKR_BUFFER_TOO_SMALL with the needed length in the error; None means there is room enough.
Promises: PINs given as bytearray or writable memoryview are wiped before the call returns.
"""

from collections import namedtuple

import p11crypto
from micropython import const

from . import mechanisms
from .attributes import is_buffer
from .const import (
    CKF_DONT_BLOCK,
    CKF_HW_SLOT,
    CKF_LIBRARY_CANT_CREATE_OS_THREADS,
    CKF_OS_LOCKING_OK,
    CKF_RW_SESSION,
    CKF_SERIAL_SESSION,
    CKF_TOKEN_PRESENT,
    CKF_WRITE_PROTECTED,
    CKR_ARGUMENTS_BAD,
    CKR_BUFFER_TOO_SMALL,
    CKR_FUNCTION_NOT_SUPPORTED,
    CKR_MECHANISM_INVALID,
    CKR_NO_EVENT,
    CKR_OPERATION_NOT_INITIALIZED,
    CKR_SESSION_EXISTS,
    CKR_SESSION_PARALLEL_NOT_SUPPORTED,
    CKR_SESSION_READ_ONLY,
    CKR_SESSION_READ_ONLY_EXISTS,
    CKR_SLOT_ID_INVALID,
    CKR_USER_ALREADY_LOGGED_IN,
    CKR_USER_ANOTHER_ALREADY_LOGGED_IN,
    CKR_USER_NOT_LOGGED_IN,
    CKR_USER_TYPE_INVALID,
    CKU_CONTEXT_SPECIFIC,
    CKU_SO,
    CKU_USER,
)
from .errors import P11Error
from .keyring import LABEL_SIZE, PIN_MAX, PIN_MIN, SO, USER
from .settings import SESSIONS_PER_APPLICATION

SLOT = const(1)
MANUFACTURER = b"micropython-pkcs11"

# fields in the order of the standard's structures; text is bytes without padding
Info = namedtuple("Info", "cryptokiVersion manufacturerID flags libraryDescription libraryVersion")
SlotInfo = namedtuple(
    "SlotInfo", "slotDescription manufacturerID flags hardwareVersion firmwareVersion"
)
TokenInfo = namedtuple(
    "TokenInfo",
    "label manufacturerID model serialNumber flags ulMaxSessionCount ulSessionCount"
    " ulMaxRwSessionCount ulRwSessionCount ulMaxPinLen ulMinPinLen ulTotalPublicMemory"
    " ulFreePublicMemory ulTotalPrivateMemory ulFreePrivateMemory hardwareVersion"
    " firmwareVersion utcTime",
)
SessionInfo = namedtuple("SessionInfo", "slotID state flags ulDeviceError")
MechanismInfo = namedtuple("MechanismInfo", "ulMinKeySize ulMaxKeySize flags")


def fits(length, room):
    """Raise CKR_BUFFER_TOO_SMALL with the needed length unless it fits."""
    if room is not None and (type(room) is not int or room < length):
        if type(room) is not int:
            raise P11Error(CKR_ARGUMENTS_BAD)
        raise P11Error(CKR_BUFFER_TOO_SMALL, length)


def _slot(app, slot):
    app.initialized()
    if slot != SLOT or type(slot) is not int:
        raise P11Error(CKR_SLOT_ID_INVALID)


def _pin(pin):
    """Return the buffer of a PIN argument: bytes-like or text."""
    if type(pin) is str:
        return bytearray(pin.encode())
    if not is_buffer(pin):
        raise P11Error(CKR_ARGUMENTS_BAD)
    return pin


def wipe(buffer):
    """Zeroise a buffer that can be written; immutable ones cannot be helped."""
    if is_buffer(buffer) and type(buffer) is not bytes:
        try:
            p11crypto.wipe(buffer)
        except TypeError:  # a view of immutable bytes
            pass


# --- library and slot --------------------------------------------------------------------------


def C_Initialize(app, args=None):
    """Join the token. args: None or the flags of CK_C_INITIALIZE_ARGS."""
    known = CKF_LIBRARY_CANT_CREATE_OS_THREADS | CKF_OS_LOCKING_OK
    if args is not None and (type(args) is not int or args & ~known):
        raise P11Error(CKR_ARGUMENTS_BAD)
    app.initialize()


def C_Finalize(app, reserved=None):
    """Leave the token: sessions closed, login dropped, slots wiped."""
    app.initialized()
    if reserved is not None:
        raise P11Error(CKR_ARGUMENTS_BAD)
    app.finalize()


def C_GetInfo(app):
    """Return Info."""
    app.initialized()
    version = app.token.settings.version
    return Info((2, 40), MANUFACTURER, 0, b"PKCS#11 token on MicroPython", version)


def C_GetSlotList(app, token_present=True, room=None):
    """Return [1]; room counts slots."""
    app.initialized()
    if token_present is not True and token_present is not False:
        raise P11Error(CKR_ARGUMENTS_BAD)
    fits(1, room)
    return [SLOT]


def C_GetSlotInfo(app, slot):
    """Return SlotInfo."""
    _slot(app, slot)
    version = app.token.settings.version
    flags = CKF_TOKEN_PRESENT | CKF_HW_SLOT
    return SlotInfo(b"micropython-pkcs11 slot", MANUFACTURER, flags, (0, 0), version)


def C_GetTokenInfo(app, slot):
    """Return TokenInfo. Memory is the space for new data in the store, in bytes."""
    _slot(app, slot)
    token = app.token
    sessions = list(app.sessions.values())
    health = token.pal.health()
    free = health["free"]
    total = free + health["live"]
    return TokenInfo(
        token.keyring.label,
        MANUFACTURER,
        b"MicroPython",
        token.settings.serial,
        token.keyring.flags() | (CKF_WRITE_PROTECTED if health["read_only"] else 0),
        SESSIONS_PER_APPLICATION,
        len(sessions),
        SESSIONS_PER_APPLICATION,
        sum([1 for session in sessions if session.rw]),
        PIN_MAX,
        PIN_MIN,
        total,
        free,
        total,
        free,
        (0, 0),
        token.settings.version,
        b"",
    )


def C_WaitForSlotEvent(app, flags, reserved=None):
    """Raise CKR_NO_EVENT: the token never leaves its slot. Waiting is not offered."""
    app.initialized()
    if type(flags) is not int or reserved is not None:
        raise P11Error(CKR_ARGUMENTS_BAD)
    raise P11Error(CKR_NO_EVENT if flags & CKF_DONT_BLOCK else CKR_FUNCTION_NOT_SUPPORTED)


def C_GetMechanismList(app, slot, room=None):
    """Return the mechanism numbers; room counts mechanisms."""
    _slot(app, slot)
    fits(len(mechanisms.NUMBERS), room)
    return mechanisms.NUMBERS


def C_GetMechanismInfo(app, slot, mechanism):
    """Return MechanismInfo."""
    _slot(app, slot)
    if type(mechanism) is not int or mechanism not in mechanisms.BY_TYPE:
        raise P11Error(CKR_MECHANISM_INVALID)
    row = mechanisms.BY_TYPE[mechanism]
    return MechanismInfo(row[mechanisms.MIN], row[mechanisms.MAX], row[mechanisms.FLAGS])


# --- token and PINs ----------------------------------------------------------------------------


def C_InitToken(app, slot, pin, label):
    """Destroy everything and set the SO PIN. label: up to 32 bytes, or text."""
    try:
        _slot(app, slot)
        secret = _pin(pin)
        if type(label) is str:
            label = label.encode()
        if not is_buffer(label) or len(label) > LABEL_SIZE:
            raise P11Error(CKR_ARGUMENTS_BAD)
        token = app.token
        if token.sessions:
            raise P11Error(CKR_SESSION_EXISTS)
        token.keyring.initialize(secret, label, token.ids(), app.proved)
        token.erased()
    finally:
        wipe(pin)


def C_InitPIN(app, session, pin):
    """Set the user PIN; the security officer is logged in."""
    try:
        session = app.session(session)
        secret = _pin(pin)
        if app.user != CKU_SO:
            raise P11Error(CKR_USER_NOT_LOGGED_IN)
        app.token.keyring.init_pin(secret)
    finally:
        wipe(pin)


def C_SetPIN(app, session, old, new):
    """Change the PIN of whoever is logged in, of the user if nobody is."""
    try:
        session = app.session(session)
        before, after = _pin(old), _pin(new)
        if not session.rw:
            raise P11Error(CKR_SESSION_READ_ONLY)
        app.token.keyring.set_pin(SO if app.user == CKU_SO else USER, before, after)
    finally:
        wipe(old)
        wipe(new)


def C_Login(app, session, user, pin):
    """Log the Application in. A context-specific login frees one use of a key that asks for it."""
    try:
        session = app.session(session)
        if user not in (CKU_SO, CKU_USER, CKU_CONTEXT_SPECIFIC) or type(user) is not int:
            raise P11Error(CKR_USER_TYPE_INVALID)
        secret = _pin(pin)
        if user == CKU_CONTEXT_SPECIFIC:
            _reauthenticate(app, session, secret)
            return
        if app.user == user:
            raise P11Error(CKR_USER_ALREADY_LOGGED_IN)
        if app.user is not None:
            raise P11Error(CKR_USER_ANOTHER_ALREADY_LOGGED_IN)
        if user == CKU_SO:
            for other in app.sessions.values():
                if not other.rw:
                    raise P11Error(CKR_SESSION_READ_ONLY_EXISTS)
        app.login(user, SO if user == CKU_SO else USER, secret)
    finally:
        wipe(pin)


def _reauthenticate(app, session, pin):
    operation = session.operation
    if operation is None or operation.authorized:
        raise P11Error(CKR_OPERATION_NOT_INITIALIZED)
    p11crypto.release(app.token.keyring.check(USER, pin))
    operation.authorized = True


def C_Logout(app, session):
    """Log the Application out; its running operations end."""
    app.session(session)
    if app.user is None:
        raise P11Error(CKR_USER_NOT_LOGGED_IN)
    app.logout()


# --- sessions ----------------------------------------------------------------------------------


def C_OpenSession(app, slot, flags, application=None, notify=None):
    """Return a session handle. application and notify are ignored: there are no callbacks."""
    _slot(app, slot)
    if type(flags) is not int or flags < 0:
        raise P11Error(CKR_ARGUMENTS_BAD)
    if not flags & CKF_SERIAL_SESSION:
        raise P11Error(CKR_SESSION_PARALLEL_NOT_SUPPORTED)
    return app.open(flags)


def C_CloseSession(app, session):
    """Close a session."""
    app.close(app.session(session))


def C_CloseAllSessions(app, slot):
    """Close all sessions of this Application."""
    _slot(app, slot)
    app.close_all()


def C_GetSessionInfo(app, session):
    """Return SessionInfo."""
    session = app.session(session)
    flags = CKF_SERIAL_SESSION | (CKF_RW_SESSION if session.rw else 0)
    return SessionInfo(SLOT, app.state(session), flags, 0)
