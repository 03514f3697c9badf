# SPDX-License-Identifier: MIT
"""A user PIN that the chip makes itself, for boards that start unattended (docs/TLS.md).

    device_pin.adopt(bytearray(b"0000"))       once: the user PIN becomes the chip's own
    pkcs11.open(pin=device_pin.get())          at every start

Promises: the PIN is in no image and in no flash; the same chip makes the same one. It is only as good as
the chip's device secret and as what keeps others from running code here: whoever has the REPL has the PIN,
too. Boards without a device secret refuse (docs/BOARDS.md says which have one).
"""

from . import keys
from .const import CKR_FUNCTION_NOT_SUPPORTED
from .errors import P11Error


def get():
    """Return the PIN, a bytearray of 32 digits that its user wipes; CKR_FUNCTION_NOT_SUPPORTED without."""
    try:
        from p11crypto import device_pin
    except ImportError:
        raise P11Error(CKR_FUNCTION_NOT_SUPPORTED)
    pin = bytearray(32)
    if not device_pin(pin):
        raise P11Error(CKR_FUNCTION_NOT_SUPPORTED)
    return pin


def adopt(old, app=None):
    """Make the chip's PIN the user PIN. old: bytearray with the present one, wiped here. P11Error."""
    from . import application

    new = get()
    with keys.Token(app or application()) as token:
        token.app.C_SetPIN(token.session, old, new)
