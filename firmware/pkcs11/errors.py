# SPDX-License-Identifier: MIT
"""The one exception of the PKCS#11 layer.

Promises that a failed call of this package raises `P11Error` and nothing else. The text is made
only when somebody looks at it, because several error answers (BUFFER_TOO_SMALL, attribute not
present) are part of normal work.
"""

from .const import name_of


class P11Error(Exception):
    """A CK_RV other than CKR_OK.

    Attributes: ckr (int), length (needed size in bytes with CKR_BUFFER_TOO_SMALL, else None),
    values (what C_GetAttributeValue could still read, None where it could not; else None).
    """

    def __init__(self, ckr, length=None, values=None):
        super().__init__(ckr)
        self.ckr = ckr
        self.length = length
        self.values = values

    @property
    def name(self):
        """The standard's name, e.g. "CKR_PIN_INCORRECT"."""
        return name_of("CKR_", self.ckr)

    def __str__(self):
        return "%s (0x%X)" % (self.name, self.ckr)

    def __repr__(self):  # MicroPython prints this one in a traceback
        return "P11Error: " + str(self)
