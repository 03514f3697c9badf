# SPDX-License-Identifier: MIT
"""Store DER files copied to the board in the token, under the guide's labels, and remove them.

    mpremote connect PORT cp device.der root.der jitp.der code.der : + run provision.py

Files that are not there are skipped; a label that is taken is refused, and the file stays.
Variables: FILES (list of (file, class, label)), PIN ("0000").
"""

import os

import pkcs11 as p11

GUIDE = (
    ("device.der", p11.CKO_CERTIFICATE, "Device Cert"),
    ("root.der", p11.CKO_CERTIFICATE, "Root Cert"),
    ("jitp.der", p11.CKO_CERTIFICATE, "JITP Cert"),
    ("code.der", p11.CKO_PUBLIC_KEY, "Code Verify Key"),
)
P256 = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"  # OID prime256v1, DER
SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")  # before a point


def add_public_key(token, label, spki):
    """Store a P-256 public key given as SubjectPublicKeyInfo (DER, 91 bytes)."""
    if len(spki) != len(SPKI) + 65 or spki[: len(SPKI)] != SPKI:
        raise ValueError("not a P-256 public key (SubjectPublicKeyInfo, DER)")
    template = [
        (p11.CKA_CLASS, p11.CKO_PUBLIC_KEY),
        (p11.CKA_KEY_TYPE, p11.CKK_EC),
        (p11.CKA_EC_PARAMS, P256),
        (p11.CKA_EC_POINT, b"\x04\x41" + spki[len(SPKI) :]),
        (p11.CKA_LABEL, label.encode()),
        (p11.CKA_VERIFY, True),
        (p11.CKA_TOKEN, True),
    ]
    token.app.C_CreateObject(token.session, template)


def main(files, pin):
    """Store what is there; prints a line per file."""
    stored = 0
    with p11.open(pin=bytearray(pin, "utf-8")) as token:
        for name, kind, label in files:
            if name not in os.listdir():
                continue
            if token.find([(p11.CKA_CLASS, kind), (p11.CKA_LABEL, label.encode())]):
                print("%s: %r is taken, file kept" % (name, label))
                continue
            with open(name, "rb") as file:
                der = file.read()
            if kind == p11.CKO_CERTIFICATE:
                token.add_certificate(label, der)
            else:
                add_public_key(token, label, der)
            os.remove(name)
            print("%s: stored as %r, %d bytes" % (name, label, len(der)))
            stored += 1
    print("%d objects stored" % stored)


main(globals().get("FILES", GUIDE), globals().get("PIN", "0000"))
