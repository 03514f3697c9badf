# SPDX-License-Identifier: MIT
"""Make a P-256 key pair on the board and print its public key as PEM.

Run with: mpremote connect PORT run keygen.py
Variables: LABEL, PUBLIC_LABEL (the guide's labels), PIN ("0000").  A label that is taken is
refused: a key is never replaced by accident.
"""

from binascii import b2a_base64

import pkcs11 as p11

GUIDE = ("Device Priv TLS Key", "Device Pub TLS Key")
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")  # before a point


def main(label, public_label, pin):
    """Generate the pair and print the public key."""
    with p11.open(pin=bytearray(pin, "utf-8")) as token:
        for name, kind in ((label, p11.CKO_PRIVATE_KEY), (public_label, p11.CKO_PUBLIC_KEY)):
            if token.find([(p11.CKA_LABEL, name.encode()), (p11.CKA_CLASS, kind)]):
                raise ValueError("%r is taken: give another LABEL" % name)
        public, _ = token.generate(label, public_label)
        text = b2a_base64(SPKI + public.point).strip().decode()
    print("-----BEGIN PUBLIC KEY-----")
    for start in range(0, len(text), 64):
        print(text[start : start + 64])
    print("-----END PUBLIC KEY-----")


private = globals().get("LABEL", GUIDE[0])
main(
    private,
    globals().get("PUBLIC_LABEL", GUIDE[1] if private == GUIDE[0] else private),
    globals().get("PIN", "0000"),
)
