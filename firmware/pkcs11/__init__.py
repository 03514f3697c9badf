# SPDX-License-Identifier: MIT
"""A PKCS#11 v2.40 token for MicroPython.

Two ways in, over the same token:

    import pkcs11                              the standard's calls, bound to one Application
    pkcs11.C_Initialize()
    session = pkcs11.C_OpenSession(1, pkcs11.CKF_SERIAL_SESSION | pkcs11.CKF_RW_SESSION)

    token = pkcs11.open(pin="0000")            the short way
    signature = token.key("Device Priv TLS Key").sign(digest)

Promises: a failed call raises P11Error and nothing else; importing touches no hardware and no
flash, the first C_Initialize does. `Application` gives further, independent users of the token.
"""

from . import const
from .api import FUNCTIONS
from .application import Application
from .errors import P11Error as P11Error

_token = None


def board_token():
    """Return the one Token of this board, made at the first call."""
    global _token
    if _token is None:
        from pal import pal

        from .settings import of_board
        from .token import Token

        _token = Token(pal.board(), of_board())
    return _token


def application():
    """Return a new Application of this board's token."""
    return Application(board_token)


default = application()

for _name in FUNCTIONS:
    globals()[_name] = getattr(default, _name)


def __getattr__(name):
    """Give the numbers of const.py (pkcs11.CKA_LABEL) and the submodules without loading all.

    Two hundred names copied into this module would cost 5 KB of RAM.
    """
    if name.startswith("CK"):
        return getattr(const, name)
    if name[0] != "_":
        try:
            return __import__("pkcs11." + name, None, None, (name,))
        except ImportError:
            pass
    raise AttributeError(name)


def open(pin=None, app=None):
    """Return a keys.Token: initialised, one read/write session, logged in if a PIN is given."""
    from .keys import Token

    return Token(app or application(), pin)
