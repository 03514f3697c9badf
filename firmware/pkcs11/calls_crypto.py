# SPDX-License-Identifier: MIT
"""C_ functions that compute: digest, sign, verify, random numbers (v2.40 §5.10–5.12, §5.15).

Promises: arguments are checked before the state of the operation, and a bad one ends the operation
it hits; a size question (`room` too small) does not. One operation per session at a time.
"""

import p11crypto

from . import mechanisms
from .attributes import (
    ALWAYS_AUTHENTICATE,
    EC_PUBLIC,
    SIGN,
    VERIFY,
    is_buffer,
)
from .calls_general import fits
from .const import (
    CKF_DIGEST,
    CKF_SIGN,
    CKF_VERIFY,
    CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
    CKO_SECRET_KEY,
    CKR_ARGUMENTS_BAD,
    CKR_DEVICE_ERROR,
    CKR_HOST_MEMORY,
    CKR_KEY_FUNCTION_NOT_PERMITTED,
    CKR_KEY_HANDLE_INVALID,
    CKR_KEY_TYPE_INCONSISTENT,
    CKR_OPERATION_NOT_INITIALIZED,
    CKR_USER_NOT_LOGGED_IN,
)
from .errors import P11Error
from .session import DIGEST as DIGESTING
from .session import SIGN as SIGNING
from .session import VERIFY as VERIFYING

_CHUNK = 1024  # bytes per request to the DRBG
_RANDOM_MAX = 0x10000


def check_input(session, kind, *buffers):
    """Check data arguments; a bad one ends the session's operation if it is of this kind."""
    for data in buffers:
        if not is_buffer(data):
            operation = session.operation
            if operation is not None and operation.kind == kind:
                session.end()
            raise P11Error(CKR_ARGUMENTS_BAD)


def _whole(session, kind, data, room):
    """Do a one-shot call: digest or sign."""
    check_input(session, kind, data)
    operation = session.running(kind)
    if operation.started:  # the parts must be finished by C_…Final
        session.end()
        raise P11Error(CKR_OPERATION_NOT_INITIALIZED)
    if not operation.authorized:
        session.end()
        raise P11Error(CKR_USER_NOT_LOGGED_IN)
    if room is not None:
        fits(operation.size, room)
    try:
        return operation.result(data)
    finally:
        session.end()


def _part(session, kind, data):
    """Do an …Update call."""
    check_input(session, kind, data)
    operation = session.running(kind)
    if not operation.streams:
        session.end()
        raise P11Error(CKR_OPERATION_NOT_INITIALIZED)
    operation.started = True
    operation.update(data)


def _last(session, kind, room):
    """Do a …Final call of digest or sign."""
    operation = session.running(kind)
    if not operation.streams:
        session.end()
        raise P11Error(CKR_OPERATION_NOT_INITIALIZED)
    if not operation.authorized:
        session.end()
        raise P11Error(CKR_USER_NOT_LOGGED_IN)
    if room is not None:
        fits(operation.size, room)
    try:
        return operation.result(None)
    finally:
        session.end()


# --- digest ------------------------------------------------------------------------------------


def C_DigestInit(app, session, mechanism):
    """Start a digest."""
    session = app.session(session)
    kind, parameter = mechanisms.split(mechanism)
    session.idle()
    row = mechanisms.lookup(kind, parameter, CKF_DIGEST)
    session.start(DIGESTING, row[mechanisms.OPERATION](app.token, None, row[mechanisms.ALGORITHM]))


def C_Digest(app, session, data, room=None):
    """Return the digest of data and end the operation."""
    return _whole(app.session(session), DIGESTING, data, room)


def C_DigestUpdate(app, session, data):
    """Add data to the digest."""
    _part(app.session(session), DIGESTING, data)


def C_DigestFinal(app, session, room=None):
    """Return the digest and end the operation."""
    return _last(app.session(session), DIGESTING, room)


# --- sign and verify ---------------------------------------------------------------------------


def _start(app, session, mechanism, handle, kind, half, flag, permission):
    """Do C_SignInit or C_VerifyInit. half: the class of key pairs that may do it."""
    session = app.session(session)
    what, parameter = mechanisms.split(mechanism)
    session.idle()
    obj = app.object(handle, CKR_KEY_HANDLE_INVALID)
    if obj.damaged:
        raise P11Error(CKR_DEVICE_ERROR)
    if obj.object_class != half and obj.object_class != CKO_SECRET_KEY:
        if obj.shape < EC_PUBLIC:
            raise P11Error(CKR_KEY_HANDLE_INVALID)  # not a key at all
        raise P11Error(CKR_KEY_TYPE_INCONSISTENT)
    row = mechanisms.lookup(what, parameter, flag)
    if obj.key_type not in row[mechanisms.KEYS]:
        raise P11Error(CKR_KEY_TYPE_INCONSISTENT)
    if not obj.flags & permission:
        raise P11Error(CKR_KEY_FUNCTION_NOT_PERMITTED)
    operation = row[mechanisms.OPERATION](app.token, obj, row[mechanisms.ALGORITHM])
    if obj.flags & ALWAYS_AUTHENTICATE and obj.object_class == CKO_PRIVATE_KEY:
        operation.authorized = False
    session.start(kind, operation)


def C_SignInit(app, session, mechanism, key):
    """Start a signature with a private or secret key."""
    _start(app, session, mechanism, key, SIGNING, CKO_PRIVATE_KEY, CKF_SIGN, SIGN)


def C_Sign(app, session, data, room=None):
    """Return the signature of data and end the operation."""
    return _whole(app.session(session), SIGNING, data, room)


def C_SignUpdate(app, session, data):
    """Add data to be signed; only mechanisms that hash or MAC themselves have parts."""
    _part(app.session(session), SIGNING, data)


def C_SignFinal(app, session, room=None):
    """Return the signature and end the operation."""
    return _last(app.session(session), SIGNING, room)


def C_VerifyInit(app, session, mechanism, key):
    """Start a verification with a public or secret key."""
    _start(app, session, mechanism, key, VERIFYING, CKO_PUBLIC_KEY, CKF_VERIFY, VERIFY)


def C_Verify(app, session, data, signature):
    """Return None if the signature of data is good, else raise; ends the operation."""
    session = app.session(session)
    check_input(session, VERIFYING, data, signature)
    operation = session.running(VERIFYING)
    try:
        if operation.started:
            raise P11Error(CKR_OPERATION_NOT_INITIALIZED)
        operation.check(data, signature)
    finally:
        session.end()


def C_VerifyUpdate(app, session, data):
    """Add data to be verified."""
    _part(app.session(session), VERIFYING, data)


def C_VerifyFinal(app, session, signature):
    """Return None if the signature of all parts is good, else raise; ends the operation."""
    session = app.session(session)
    check_input(session, VERIFYING, signature)
    operation = session.running(VERIFYING)
    try:
        if not operation.streams:
            raise P11Error(CKR_OPERATION_NOT_INITIALIZED)
        operation.check(None, signature)
    finally:
        session.end()


# --- random ------------------------------------------------------------------------------------


def C_SeedRandom(app, session, seed):
    """Mix seed into the generator; it never replaces the hardware source."""
    session = app.session(session)
    if not is_buffer(seed):
        raise P11Error(CKR_ARGUMENTS_BAD)
    p11crypto.random_add(seed)


def C_GenerateRandom(app, session, length):
    """Return length random bytes (1..65536), or fill a bytearray or writable memoryview."""
    session = app.session(session)
    if type(length) is int:
        if length < 1:
            raise P11Error(CKR_ARGUMENTS_BAD)
        if length > _RANDOM_MAX:
            raise P11Error(CKR_HOST_MEMORY)
        out = bytearray(length)
    elif is_buffer(length) and type(length) is not bytes and len(length):
        out = length
    else:
        raise P11Error(CKR_ARGUMENTS_BAD)
    view = memoryview(out)
    try:
        for at in range(0, len(view), _CHUNK):
            p11crypto.random(view[at : at + _CHUNK])
    except TypeError:  # a view of immutable bytes
        raise P11Error(CKR_ARGUMENTS_BAD)
    return out
