# SPDX-License-Identifier: MIT
"""Sign a message with a key of the token; print the signature as DER in hex.

Run with: mpremote connect PORT exec "MESSAGE = b'hello'" run sign.py
Variables: MESSAGE (bytes), LABEL ("Device Priv TLS Key"), PIN ("0000").
Check it with: openssl dgst -sha256 -verify public.pem -signature signature.der message
"""

import hashlib
from binascii import hexlify

import pkcs11 as p11


def main(message, label, pin):
    """Sign and print."""
    with p11.open(pin=bytearray(pin, "utf-8")) as token:
        kind = p11.CKO_PRIVATE_KEY
        found = token.find([(p11.CKA_LABEL, label.encode()), (p11.CKA_CLASS, kind)])
        if len(found) != 1:
            raise ValueError("%d private keys have the label %r" % (len(found), label))
        print(hexlify(found[0].sign_der(hashlib.sha256(message).digest())).decode())


main(
    globals().get("MESSAGE", b"hello"),
    globals().get("LABEL", "Device Priv TLS Key"),
    globals().get("PIN", "0000"),
)
