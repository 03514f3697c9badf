# SPDX-License-Identifier: MIT
"""The short way to the token for programs on the board.

    with pkcs11.open(pin="0000") as token:
        key = token.key("Device Priv TLS Key")
        signature = key.sign(digest)
        der = token.certificate("Device Cert").value

Promises: thin wrappers of the C_ calls with the same errors (P11Error); labels are text or bytes.
Assumes the caller closes the Token (or uses `with`) when done.
"""

from . import der
from .const import (
    CKA_CERTIFICATE_TYPE,
    CKA_CLASS,
    CKA_EC_PARAMS,
    CKA_EC_POINT,
    CKA_ID,
    CKA_LABEL,
    CKA_PRIVATE,
    CKA_SIGN,
    CKA_TOKEN,
    CKA_VALUE,
    CKA_VERIFY,
    CKC_X_509,
    CKF_RW_SESSION,
    CKF_SERIAL_SESSION,
    CKM_EC_KEY_PAIR_GEN,
    CKM_ECDSA,
    CKO_CERTIFICATE,
    CKO_PRIVATE_KEY,
    CKO_PUBLIC_KEY,
    CKR_OBJECT_HANDLE_INVALID,
    CKR_SIGNATURE_INVALID,
    CKR_SIGNATURE_LEN_RANGE,
    CKU_USER,
)
from .errors import P11Error

_SLOT = 1


def _bytes(label):
    return label.encode() if isinstance(label, str) else label


class Object:
    """One object of the token by its handle."""

    def __init__(self, token, handle):
        self.token = token
        self.handle = handle

    def get(self, *types):
        """Return the value of one attribute type, or the list of several."""
        values = self.token.app.C_GetAttributeValue(self.token.session, self.handle, types)
        return values[0] if len(types) == 1 else values

    @property
    def label(self):
        """CKA_LABEL as bytes."""
        return self.get(CKA_LABEL)

    @property
    def id(self):
        """CKA_ID as bytes."""
        return self.get(CKA_ID)

    @property
    def value(self):
        """CKA_VALUE of a certificate or data object."""
        return self.get(CKA_VALUE)

    @property
    def point(self):
        """The public point 04 || X || Y of an EC key."""
        value = self.get(CKA_EC_POINT)
        return value[2:] if value[1] < 0x80 else value[3:]

    def destroy(self):
        """Destroy the object."""
        self.token.app.C_DestroyObject(self.token.session, self.handle)

    def sign(self, digest, mechanism=CKM_ECDSA):
        """Return the signature r || s of a digest."""
        app, session = self.token.app, self.token.session
        app.C_SignInit(session, mechanism, self.handle)
        return app.C_Sign(session, digest)

    def sign_der(self, digest):
        """Return the signature as ECDSA-Sig-Value, as TLS and X.509 want it."""
        return der.signature_encode(self.sign(digest))

    def verify(self, digest, signature, mechanism=CKM_ECDSA):
        """Return whether r || s is a good signature of a digest."""
        app, session = self.token.app, self.token.session
        app.C_VerifyInit(session, mechanism, self.handle)
        try:
            app.C_Verify(session, digest, signature)
        except P11Error as error:
            if error.ckr in (CKR_SIGNATURE_INVALID, CKR_SIGNATURE_LEN_RANGE):
                return False
            raise
        return True


class Token:
    """An Application with one read/write session."""

    def __init__(self, app, pin=None):
        self.app = app
        app.C_Initialize()
        try:
            self.session = app.C_OpenSession(_SLOT, CKF_SERIAL_SESSION | CKF_RW_SESSION)
            if pin is not None:
                app.C_Login(self.session, CKU_USER, pin)
        except P11Error:
            app.C_Finalize()
            raise

    def close(self):
        """Log out and leave."""
        self.app.C_Finalize()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def find(self, template=()):
        """Return the Objects that match a template."""
        self.app.C_FindObjectsInit(self.session, template)
        handles = []
        while True:
            found = self.app.C_FindObjects(self.session, 16)
            if not found:
                break
            handles.extend(found)
        self.app.C_FindObjectsFinal(self.session)
        return [Object(self, handle) for handle in handles]

    def one(self, label, object_class):
        """Return the first object of a class and label; CKR_OBJECT_HANDLE_INVALID if none."""
        found = self.find(((CKA_CLASS, object_class), (CKA_LABEL, _bytes(label))))
        if not found:
            raise P11Error(CKR_OBJECT_HANDLE_INVALID)
        return found[0]

    def key(self, label):
        """Return the private key of a label."""
        return self.one(label, CKO_PRIVATE_KEY)

    def public_key(self, label):
        """Return the public key of a label."""
        return self.one(label, CKO_PUBLIC_KEY)

    def certificate(self, label):
        """Return the certificate of a label."""
        return self.one(label, CKO_CERTIFICATE)

    def generate(self, label, public_label=None, key_id=None, curve=der.OID_P256, replaced=()):
        """Make a key pair in the token and return (public, private). curve: DER of its OID.

        replaced: handles of objects that the pair takes the place of, in one transaction.
        """
        shared = [] if key_id is None else [(CKA_ID, key_id)]
        public = [
            (CKA_VERIFY, True),
            (CKA_EC_PARAMS, curve),
            (CKA_TOKEN, True),
            (CKA_LABEL, _bytes(label if public_label is None else public_label)),
        ]
        private = [
            (CKA_TOKEN, True),
            (CKA_PRIVATE, True),
            (CKA_SIGN, True),
            (CKA_LABEL, _bytes(label)),
        ]
        pair = self.app.C_GenerateKeyPair(
            self.session, CKM_EC_KEY_PAIR_GEN, public + shared, private + shared, replaced
        )
        return Object(self, pair[0]), Object(self, pair[1])

    def add_certificate(self, label, value):
        """Store a DER certificate and return it."""
        template = [
            (CKA_CLASS, CKO_CERTIFICATE),
            (CKA_CERTIFICATE_TYPE, CKC_X_509),
            (CKA_TOKEN, True),
            (CKA_LABEL, _bytes(label)),
            (CKA_VALUE, value),
        ]
        return Object(self, self.app.C_CreateObject(self.session, template))

    def random(self, length):
        """Return random bytes."""
        return self.app.C_GenerateRandom(self.session, length)


class Guest(Token):
    """One session more of an Application that is in use already; closing it leaves the login."""

    def __init__(self, app):
        self.app = app
        self.session = app.C_OpenSession(_SLOT, CKF_SERIAL_SESSION | CKF_RW_SESSION)

    def close(self):
        """Close the session."""
        self.app.C_CloseSession(self.session)
