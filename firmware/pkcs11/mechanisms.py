# SPDX-License-Identifier: MIT
"""The mechanism table: number, name, key sizes, flags, key types, operation.

One row drives C_GetMechanismList, C_GetMechanismInfo, the checks of the *Init calls and the
documentation. A row whose C function p11crypto does not have is left out, so the table says what
this firmware can do and nothing else.
"""

import p11crypto
from micropython import const

from . import operations
from .attributes import is_buffer
from .const import (
    CKF_DECRYPT,
    CKF_DERIVE,
    CKF_DIGEST,
    CKF_EC_F_P,
    CKF_EC_NAMEDCURVE,
    CKF_EC_UNCOMPRESS,
    CKF_ENCRYPT,
    CKF_GENERATE,
    CKF_GENERATE_KEY_PAIR,
    CKF_SIGN,
    CKF_VERIFY,
    CKK_AES,
    CKK_EC,
    CKK_GENERIC_SECRET,
    CKK_RSA,
    CKK_SHA256_HMAC,
    CKM_AES_CBC_PAD,
    CKM_AES_CMAC,
    CKM_AES_ECB,
    CKM_AES_KEY_GEN,
    CKM_EC_KEY_PAIR_GEN,
    CKM_ECDH1_DERIVE,
    CKM_ECDSA,
    CKM_ECDSA_SHA1,
    CKM_ECDSA_SHA224,
    CKM_ECDSA_SHA256,
    CKM_ECDSA_SHA384,
    CKM_ECDSA_SHA512,
    CKM_GENERIC_SECRET_KEY_GEN,
    CKM_RSA_PKCS,
    CKM_RSA_X_509,
    CKM_SHA224,
    CKM_SHA256,
    CKM_SHA256_HMAC,
    CKM_SHA256_RSA_PKCS,
    CKM_SHA384,
    CKM_SHA512,
    CKM_SHA_1,
    CKR_ARGUMENTS_BAD,
    CKR_MECHANISM_INVALID,
    CKR_MECHANISM_PARAM_INVALID,
)
from .errors import P11Error

# columns
TYPE = const(0)
NAME = const(1)
MIN = const(
    2
)  # key size in the unit of the standard: bits for RSA, EC, generic secrets, else bytes
MAX = const(3)
FLAGS = const(4)
KEYS = const(5)  # key types it works with; () for none
OPERATION = const(6)  # class of operations.py, None where the call itself does the work
ALGORITHM = const(7)  # hash of p11crypto; bytes of the IV for ciphers
NEEDS = const(8)  # name in p11crypto without which the row is left out

_EC = CKF_EC_F_P | CKF_EC_NAMEDCURVE | CKF_EC_UNCOMPRESS
_SV = CKF_SIGN | CKF_VERIFY
_ED = CKF_ENCRYPT | CKF_DECRYPT
_HMAC = (CKK_GENERIC_SECRET, CKK_SHA256_HMAC)


def _offers(curve):
    try:
        p11crypto.ec_check(curve, b"")
        return True
    except ValueError:
        return False


CURVES = tuple(curve for curve in (1, 2) if _offers(curve))  # numbers of p11crypto and der
_BITS = 384 if 2 in CURVES else 256


def _ecdsa(number, name, operation, algorithm, needs):
    return (number, name, 256, _BITS, _SV | _EC, (CKK_EC,), operation, algorithm, needs)


def _rsa(number, name, operation, algorithm):
    return (number, name, 2048, 2048, _SV, (CKK_RSA,), operation, algorithm, "rsa_import")


def _digest(number, name, algorithm, needs):
    return (number, name, 0, 0, CKF_DIGEST, (), operations.Digest, algorithm, needs)


_ALL = (
    _rsa(CKM_RSA_PKCS, "CKM_RSA_PKCS", operations.RsaPkcs, 0),
    _rsa(CKM_RSA_X_509, "CKM_RSA_X_509", operations.Rsa, 0),
    _rsa(CKM_SHA256_RSA_PKCS, "CKM_SHA256_RSA_PKCS", operations.HashedRsa, 3),
    (
        CKM_EC_KEY_PAIR_GEN,
        "CKM_EC_KEY_PAIR_GEN",
        256,
        _BITS,
        CKF_GENERATE_KEY_PAIR | _EC,
        (CKK_EC,),
        None,
        0,
        "ec_generate",
    ),
    _ecdsa(CKM_ECDSA, "CKM_ECDSA", operations.Ecdsa, 0, "ecdsa_sign"),
    _ecdsa(CKM_ECDSA_SHA1, "CKM_ECDSA_SHA1", operations.HashedEcdsa, 1, "SHA1"),
    _ecdsa(CKM_ECDSA_SHA224, "CKM_ECDSA_SHA224", operations.HashedEcdsa, 2, "SHA224"),
    _ecdsa(CKM_ECDSA_SHA256, "CKM_ECDSA_SHA256", operations.HashedEcdsa, 3, "SHA256"),
    _ecdsa(CKM_ECDSA_SHA384, "CKM_ECDSA_SHA384", operations.HashedEcdsa, 4, "SHA384"),
    _ecdsa(CKM_ECDSA_SHA512, "CKM_ECDSA_SHA512", operations.HashedEcdsa, 5, "SHA512"),
    (
        CKM_ECDH1_DERIVE,
        "CKM_ECDH1_DERIVE",
        256,
        _BITS,
        CKF_DERIVE | _EC,
        (CKK_EC,),
        None,
        0,
        "ecdh",
    ),
    _digest(CKM_SHA_1, "CKM_SHA_1", 1, "SHA1"),
    _digest(CKM_SHA224, "CKM_SHA224", 2, "SHA224"),
    _digest(CKM_SHA256, "CKM_SHA256", 3, "SHA256"),
    _digest(CKM_SHA384, "CKM_SHA384", 4, "SHA384"),
    _digest(CKM_SHA512, "CKM_SHA512", 5, "SHA512"),
    (CKM_SHA256_HMAC, "CKM_SHA256_HMAC", 1, 64, _SV, _HMAC, operations.Mac, 3, "Hmac"),
    (CKM_AES_CMAC, "CKM_AES_CMAC", 16, 32, _SV, (CKK_AES,), operations.Mac, 0, "Cmac"),
    (CKM_AES_ECB, "CKM_AES_ECB", 16, 32, _ED, (CKK_AES,), operations.Cipher, 0, "Aes"),
    (CKM_AES_CBC_PAD, "CKM_AES_CBC_PAD", 16, 32, _ED, (CKK_AES,), operations.Cipher, 16, "Aes"),
    (
        CKM_GENERIC_SECRET_KEY_GEN,
        "CKM_GENERIC_SECRET_KEY_GEN",
        8,
        512,
        CKF_GENERATE,
        (CKK_GENERIC_SECRET,),
        None,
        0,
        "secret_generate",
    ),
    (
        CKM_AES_KEY_GEN,
        "CKM_AES_KEY_GEN",
        16,
        32,
        CKF_GENERATE,
        (CKK_AES,),
        None,
        0,
        "secret_generate",
    ),
)

TABLE = tuple(row for row in _ALL if hasattr(p11crypto, row[NEEDS]))
BY_TYPE = {row[TYPE]: row for row in TABLE}
NUMBERS = tuple(row[TYPE] for row in TABLE)


def split(mechanism):
    """Return (number, parameter) of a mechanism argument: a number or a pair of both.

    Raise CKR_ARGUMENTS_BAD for anything else; None stands for C's NULL pointer.
    """
    if type(mechanism) is int:
        return mechanism, None
    if type(mechanism) is not tuple and type(mechanism) is not list:
        raise P11Error(CKR_ARGUMENTS_BAD)
    if len(mechanism) != 2 or type(mechanism[0]) is not int:
        raise P11Error(CKR_ARGUMENTS_BAD)
    return mechanism[0], mechanism[1]


def lookup(number, parameter, flag):
    """Return the row of a mechanism that offers flag and takes no parameter."""
    if number in BY_TYPE:
        row = BY_TYPE[number]
        if row[FLAGS] & flag:
            if parameter is not None and not (is_buffer(parameter) and not len(parameter)):
                raise P11Error(CKR_MECHANISM_PARAM_INVALID)
            return row
    raise P11Error(CKR_MECHANISM_INVALID)
