# SPDX-License-Identifier: MIT
"""C_Encrypt… and C_Decrypt… with secret keys (PKCS#11 v2.40 §5.8, §5.9).

Promises: too little room never ends an operation and never loses data; a wrong padding says
CKR_ENCRYPTED_DATA_INVALID and nothing more. Loaded only where p11crypto has AES.
"""

from . import mechanisms
from .attributes import DECRYPT, EC_PUBLIC, ENCRYPT, SECRET_KEY, is_buffer
from .calls_crypto import check_input
from .calls_general import fits
from .const import (
    CKF_DECRYPT,
    CKF_ENCRYPT,
    CKR_DEVICE_ERROR,
    CKR_KEY_FUNCTION_NOT_PERMITTED,
    CKR_KEY_HANDLE_INVALID,
    CKR_KEY_TYPE_INCONSISTENT,
    CKR_MECHANISM_INVALID,
    CKR_MECHANISM_PARAM_INVALID,
    CKR_OPERATION_NOT_INITIALIZED,
)
from .errors import P11Error
from .operations import Cipher
from .session import DECRYPT as DECRYPTING
from .session import ENCRYPT as ENCRYPTING


def _start(app, session, mechanism, handle, kind):
    session = app.session(session)
    what, parameter = mechanisms.split(mechanism)
    session.idle()
    obj = app.object(handle, CKR_KEY_HANDLE_INVALID)
    if obj.damaged:
        raise P11Error(CKR_DEVICE_ERROR)
    if obj.shape != SECRET_KEY:
        raise P11Error(
            CKR_KEY_TYPE_INCONSISTENT if obj.shape >= EC_PUBLIC else CKR_KEY_HANDLE_INVALID
        )
    encrypt = kind == ENCRYPTING
    row = mechanisms.BY_TYPE[what] if what in mechanisms.BY_TYPE else None
    if row is None or not row[mechanisms.FLAGS] & (CKF_ENCRYPT if encrypt else CKF_DECRYPT):
        raise P11Error(CKR_MECHANISM_INVALID)
    size = row[mechanisms.ALGORITHM]  # of the initialisation vector
    if size:
        if not is_buffer(parameter) or len(parameter) != size:
            raise P11Error(CKR_MECHANISM_PARAM_INVALID)
        iv = bytes(parameter)
    else:
        mechanisms.lookup(what, parameter, CKF_ENCRYPT)
        iv = None
    if obj.key_type not in row[mechanisms.KEYS]:
        raise P11Error(CKR_KEY_TYPE_INCONSISTENT)
    if not obj.flags & (ENCRYPT if encrypt else DECRYPT):
        raise P11Error(CKR_KEY_FUNCTION_NOT_PERMITTED)
    session.start(kind, Cipher(app.token, obj, iv, encrypt))


def _result(session, operation, room):
    """Return what the operation holds and end it, if it fits."""
    if room is not None:
        fits(len(operation.held), room)
    result = operation.held
    session.end()
    return result


def _whole(app, session, kind, data, room):
    session = app.session(session)
    check_input(session, kind, data)
    operation = session.running(kind)
    if operation.started:
        session.end()
        raise P11Error(CKR_OPERATION_NOT_INITIALIZED)
    if operation.held is None:
        try:
            operation.held = operation.update(data) + operation.final()
        except P11Error:
            session.end()
            raise
    return _result(session, operation, room)


def _part(app, session, kind, data, room):
    session = app.session(session)
    check_input(session, kind, data)
    operation = session.running(kind)
    if room is not None:
        fits(operation.ready(len(data)), room)
    operation.started = True
    return operation.update(data)


def _last(app, session, kind, room):
    session = app.session(session)
    operation = session.running(kind)
    if operation.held is None:
        try:
            operation.held = operation.final()
        except P11Error:
            session.end()
            raise
    operation.started = True
    return _result(session, operation, room)


def C_EncryptInit(app, session, mechanism, key):
    """Start an encryption."""
    _start(app, session, mechanism, key, ENCRYPTING)


def C_Encrypt(app, session, data, room=None):
    """Return data encrypted and end the operation."""
    return _whole(app, session, ENCRYPTING, data, room)


def C_EncryptUpdate(app, session, data, room=None):
    """Encrypt more; return the whole blocks that are ready."""
    return _part(app, session, ENCRYPTING, data, room)


def C_EncryptFinal(app, session, room=None):
    """Return the last block and end the operation."""
    return _last(app, session, ENCRYPTING, room)


def C_DecryptInit(app, session, mechanism, key):
    """Start a decryption."""
    _start(app, session, mechanism, key, DECRYPTING)


def C_Decrypt(app, session, data, room=None):
    """Return data decrypted and end the operation."""
    return _whole(app, session, DECRYPTING, data, room)


def C_DecryptUpdate(app, session, data, room=None):
    """Decrypt more; return the whole blocks that are certain."""
    return _part(app, session, DECRYPTING, data, room)


def C_DecryptFinal(app, session, room=None):
    """Return the last bytes and end the operation."""
    return _last(app, session, DECRYPTING, room)
