# SPDX-License-Identifier: MIT
"""List the objects in the token. Run with: mpremote connect PORT run list_objects.py

Variable: PIN ("0000").
"""

import pkcs11 as p11

CLASSES = {
    p11.CKO_DATA: "data",
    p11.CKO_CERTIFICATE: "certificate",
    p11.CKO_PUBLIC_KEY: "public key",
    p11.CKO_PRIVATE_KEY: "private key",
    p11.CKO_SECRET_KEY: "secret key",
}

with p11.open(pin=bytearray(globals().get("PIN", "0000"), "utf-8")) as token:
    found = token.find()
    for one in found:
        kind, label = one.get(p11.CKA_CLASS, p11.CKA_LABEL)
        print("%-12s %s" % (CLASSES.get(kind, "class %d" % kind), bytes(label).decode()))
    print("%d objects" % len(found))
