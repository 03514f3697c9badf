# SPDX-License-Identifier: MIT
"""What a board holds, read from the board: each thing once until something changes.

Promise: nothing is remembered from an earlier run, and reading changes nothing, not even a blank
store (which the first login would create).
"""

from cryptography import x509

from p11board.errors import TokenError
from p11board.keys import CERTIFICATE, PRIVATE_KEY, PUBLIC_KEY


class Holdings:
    """The objects and facts of one connected Board."""

    def __init__(self, board):
        self.board = board
        self._objects = None
        self._values = {}
        self._touched = False

    @property
    def facts(self):
        """The board's own account of itself (`p11board info`)."""
        return self.board.info()

    @property
    def token(self):
        """The facts of its token. Raises TokenError where the store cannot be served."""
        if not self.facts["token"]:
            store = self.facts["store"]
            raise TokenError(store["error"], store.get("code"), store.get("hint", ""))
        return self.facts["token"]

    def changed(self):
        """Forget what was read: the board was told to change something."""
        self._objects = None
        self._values = {}
        self._touched = True

    def objects(self):
        """All objects, private ones too; without a login where there are none."""
        if self._objects is None:
            empty = not self._touched and not self.facts["objects"]
            self._objects = [] if empty else self.board.objects()
        return self._objects

    def has(self, label, kind):
        """True if an object of that label and class is there."""
        return any(o["label"] == label and o["class"] == kind for o in self.objects())

    def labels(self, kind):
        """The labels of the objects of a class."""
        return [o["label"] for o in self.objects() if o["class"] == kind]

    def identifier(self, label, kind):
        """The CKA_ID (bytes) of an object that is there."""
        for one in self.objects():
            if one["label"] == label and one["class"] == kind:
                return bytes.fromhex(one.get("id") or "")
        raise KeyError(label)

    def value(self, label, kind):
        """The bytes of a readable object (a public key's point), or None."""
        if not self.has(label, kind):
            return None
        if (label, kind) not in self._values:
            self._values[label, kind] = self.board.read(label, kind)["value"]
        return self._values[label, kind]

    def certificate(self, label):
        """The x509.Certificate of that label; None where there is none, or no X.509."""
        der = self.value(label, CERTIFICATE)
        try:
            return None if der is None else x509.load_der_x509_certificate(der)
        except ValueError:
            return None

    def pair(self, private, public):
        """The public point of a pair of which both halves are there, or None."""
        return self.value(public, PUBLIC_KEY) if self.has(private, PRIVATE_KEY) else None
