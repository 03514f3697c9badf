# SPDX-License-Identifier: MIT
"""C_ functions that compute: digest, sign, verify, generate, derive, random (v2.40 §5.8–5.16).

Promises: arguments are checked before the state of the operation, and a bad one ends the operation
it hits; a size question (`room` too small) does not. One operation per session at a time.
"""

import p11crypto

from . import builder, mechanisms
from .attributes import (
    ALWAYS_AUTHENTICATE,
    DERIVE,
    EC_PRIVATE,
    EC_PUBLIC,
    GENERATE,
    SECRET_KEY,
    SIGN,
    TOKEN,
    VERIFY,
    is_buffer,
)
from .calls_general import fits
from .calls_object import place
from .const import (
    CKA_EC_PARAMS,
    CKA_KEY_TYPE,
    CKA_VALUE_LEN,
    CKD_NULL,
    CKF_DERIVE,
    CKF_DIGEST,
    CKF_GENERATE,
    CKF_GENERATE_KEY_PAIR,
    CKF_SIGN,
    CKF_VERIFY,
    CKK_AES,
    CKK_EC,
    CKK_GENERIC_SECRET,
    CKK_SHA256_HMAC,
    CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
    CKO_SECRET_KEY,
    CKR_ARGUMENTS_BAD,
    CKR_DEVICE_ERROR,
    CKR_HOST_MEMORY,
    CKR_KEY_FUNCTION_NOT_PERMITTED,
    CKR_KEY_HANDLE_INVALID,
    CKR_KEY_TYPE_INCONSISTENT,
    CKR_MECHANISM_PARAM_INVALID,
    CKR_OPERATION_NOT_INITIALIZED,
    CKR_TEMPLATE_INCOMPLETE,
    CKR_TEMPLATE_INCONSISTENT,
    CKR_USER_NOT_LOGGED_IN,
    CKU_SO,
)
from .errors import P11Error
from .session import DIGEST as DIGESTING
from .session import SIGN as SIGNING
from .session import VERIFY as VERIFYING
from .templates import Template, entries, number

_CHUNK = 1024  # bytes per request to the DRBG
_RANDOM_MAX = 0x10000


def _input(session, *buffers):
    """Check data arguments; a bad one ends the session's operation."""
    for data in buffers:
        if not is_buffer(data):
            session.end()
            raise P11Error(CKR_ARGUMENTS_BAD)


def _whole(session, kind, data, room):
    """Do a one-shot call: digest or sign."""
    _input(session, data)
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
    _input(session, data)
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
    _input(session, data, signature)
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
    _input(session, signature)
    operation = session.running(VERIFYING)
    try:
        if not operation.streams:
            raise P11Error(CKR_OPERATION_NOT_INITIALIZED)
        operation.check(None, signature)
    finally:
        session.end()


# --- keys --------------------------------------------------------------------------------------


def C_GenerateKeyPair(app, session, mechanism, public, private):
    """Return (public handle, private handle) of a new pair.

    If the private half becomes a token object and the public template says nothing of CKA_TOKEN,
    the public half becomes one, too.
    """
    session = app.session(session)
    kind, parameter = mechanisms.split(mechanism)
    public, private = entries(public), entries(private)
    mechanisms.lookup(kind, parameter, CKF_GENERATE_KEY_PAIR)
    so = app.user == CKU_SO
    one = Template(private, EC_PRIVATE, GENERATE, so)
    one.fixed(CKO_PRIVATE_KEY, CKK_EC)
    private_flags = one.merged()
    other = Template(public, EC_PUBLIC, GENERATE, so)
    other.fixed(CKO_PUBLIC_KEY, CKK_EC)
    public_flags = other.merged()
    if not other.given & TOKEN:
        public_flags |= private_flags & TOKEN
    if CKA_EC_PARAMS not in other.values:
        raise P11Error(CKR_TEMPLATE_INCOMPLETE)
    app.may_write(session, private_flags)
    app.may_write(session, public_flags)
    drafts = builder.pair(other, one, public_flags, private_flags)
    return tuple(place(app, session, drafts))


def _secret_type(template, default):
    """Return the key type a template asks for; CKR_TEMPLATE_INCONSISTENT if it cannot be."""
    key_type = number(template, CKA_KEY_TYPE)
    if key_type is None:
        return default
    if default == CKK_AES and key_type != CKK_AES:
        raise P11Error(CKR_TEMPLATE_INCONSISTENT)
    if key_type not in (CKK_GENERIC_SECRET, CKK_SHA256_HMAC, CKK_AES):
        raise P11Error(CKR_TEMPLATE_INCONSISTENT)
    return key_type


def C_GenerateKey(app, session, mechanism, template):
    """Return the handle of a new random secret key of CKA_VALUE_LEN bytes."""
    session = app.session(session)
    kind, parameter = mechanisms.split(mechanism)
    template = entries(template)
    row = mechanisms.lookup(kind, parameter, CKF_GENERATE)
    made = row[mechanisms.KEYS][0]
    key_type = _secret_type(template, made)
    if made == CKK_GENERIC_SECRET and key_type == CKK_AES:
        raise P11Error(CKR_TEMPLATE_INCONSISTENT)
    checked = Template(template, SECRET_KEY, GENERATE, app.user == CKU_SO)
    checked.fixed(CKO_SECRET_KEY, key_type)
    flags = checked.merged()
    if CKA_VALUE_LEN not in checked.values:
        raise P11Error(CKR_TEMPLATE_INCOMPLETE)
    size = checked.values[CKA_VALUE_LEN]
    builder.check_secret(key_type, size)
    app.may_write(session, flags)
    slot = p11crypto.secret_generate(size)
    return place(app, session, [builder.secret(key_type, checked, flags, slot, kind)])[0]


def C_DeriveKey(app, session, mechanism, base, template):
    """Return the handle of a secret key derived by CKM_ECDH1_DERIVE.

    The mechanism's parameter is (CKD_NULL, None, point); the point is 04 || X || Y or wrapped in
    an OCTET STRING. CKA_VALUE_LEN shorter than the curve's size drops leading bytes.
    """
    session = app.session(session)
    kind, parameter = mechanisms.split(mechanism)
    template = entries(template)
    obj = app.object(base, CKR_KEY_HANDLE_INVALID)
    mechanisms.lookup(kind, None, CKF_DERIVE)
    if obj.damaged:
        raise P11Error(CKR_DEVICE_ERROR)
    if obj.shape != EC_PRIVATE:
        raise P11Error(CKR_KEY_TYPE_INCONSISTENT)
    if not obj.flags & DERIVE:
        raise P11Error(CKR_KEY_FUNCTION_NOT_PERMITTED)
    point = _peer(parameter, obj.curve)
    key_type = _secret_type(template, CKK_GENERIC_SECRET)
    checked = Template(template, SECRET_KEY, GENERATE, app.user == CKU_SO)
    checked.fixed(CKO_SECRET_KEY, key_type)
    flags = checked.merged()
    full = 32 if obj.curve == 1 else 48
    size = checked.values.get(CKA_VALUE_LEN) or full
    if size > full:
        raise P11Error(CKR_TEMPLATE_INCONSISTENT)
    builder.check_secret(key_type, size)
    app.may_write(session, flags)
    taken = app.token.take(obj)
    try:
        slot = p11crypto.ecdh(taken, point, size)
    except ValueError:
        raise P11Error(CKR_MECHANISM_PARAM_INVALID)
    finally:
        app.token.give(obj, taken)
    return place(app, session, [builder.secret(key_type, checked, flags, slot, None)])[0]


def _peer(parameter, curve):
    """Return 04 || X || Y of an ECDH1 parameter, or raise CKR_MECHANISM_PARAM_INVALID."""
    if type(parameter) not in (tuple, list) or len(parameter) != 3:
        raise P11Error(CKR_MECHANISM_PARAM_INVALID)
    kdf, shared, point = parameter
    if kdf != CKD_NULL or (shared is not None and not (is_buffer(shared) and not len(shared))):
        raise P11Error(CKR_MECHANISM_PARAM_INVALID)
    if not is_buffer(point):
        raise P11Error(CKR_MECHANISM_PARAM_INVALID)
    point = bytes(point)
    if len(point) and point[0] == 4 and len(point) & 1:
        return point
    try:
        return builder.der.point_decode(point, curve)
    except ValueError:
        raise P11Error(CKR_MECHANISM_PARAM_INVALID)


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
    for at in range(0, len(view), _CHUNK):
        p11crypto.random(view[at : at + _CHUNK])
    return out


