# SPDX-License-Identifier: MIT
"""C_ functions that make keys: generate, derive (PKCS#11 v2.40 §5.14).

Promises: a key that cannot be stored is not kept in a slot either; private and secret keys never
exist outside C slots. Functions whose C part this firmware lacks find no mechanism.
"""

import p11crypto

from . import builder, mechanisms
from .attributes import DERIVE, EC_PRIVATE, EC_PUBLIC, GENERATE, SECRET_KEY, TOKEN, is_buffer
from .calls_object import place
from .const import (
    CKA_EC_PARAMS,
    CKA_KEY_TYPE,
    CKA_VALUE_LEN,
    CKD_NULL,
    CKF_DERIVE,
    CKF_GENERATE,
    CKF_GENERATE_KEY_PAIR,
    CKK_AES,
    CKK_EC,
    CKK_GENERIC_SECRET,
    CKK_SHA256_HMAC,
    CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
    CKO_SECRET_KEY,
    CKR_DEVICE_ERROR,
    CKR_KEY_FUNCTION_NOT_PERMITTED,
    CKR_KEY_HANDLE_INVALID,
    CKR_KEY_TYPE_INCONSISTENT,
    CKR_MECHANISM_PARAM_INVALID,
    CKR_TEMPLATE_INCOMPLETE,
    CKR_TEMPLATE_INCONSISTENT,
    CKU_SO,
)
from .errors import P11Error
from .operations import COORDINATE
from .templates import Template, entries, number


def C_GenerateKeyPair(app, session, mechanism, public, private, replaced=()):
    """Return (public handle, private handle) of a new pair.

    If the private half becomes a token object and the public template says nothing of CKA_TOKEN,
    the public half becomes one, too. replaced: as of C_CreateObject.
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
    return tuple(place(app, session, drafts, replaced))


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
    if obj.shape < EC_PUBLIC:
        raise P11Error(CKR_KEY_HANDLE_INVALID)  # not a key at all
    if obj.shape != EC_PRIVATE:
        raise P11Error(CKR_KEY_TYPE_INCONSISTENT)
    if not obj.flags & DERIVE:
        raise P11Error(CKR_KEY_FUNCTION_NOT_PERMITTED)
    point = _peer(parameter, obj.curve)
    key_type = _secret_type(template, CKK_GENERIC_SECRET)
    checked = Template(template, SECRET_KEY, GENERATE, app.user == CKU_SO)
    checked.fixed(CKO_SECRET_KEY, key_type)
    flags = checked.merged()
    full = COORDINATE[obj.curve]
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
    if len(point) == 1 + 2 * COORDINATE[curve]:
        return point
    try:
        return builder.der.point_decode(point, curve)
    except ValueError:
        raise P11Error(CKR_MECHANISM_PARAM_INVALID)
