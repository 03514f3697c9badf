# SPDX-License-Identifier: MIT
"""Group Full_PKCS11_RSA: listed as ignored, because RSA is not in this version.

Promises the guide's names, so that a report shows what was not tested.
"""


def tests(bench):
    """Return [(group, [(name, None)])]."""
    names = (
        "AFQP_CreateObjectFindObject",
        "AFQP_FindObjectMultiThread",
        "AFQP_CreateObjectGetAttributeValue",
        "AFQP_Sign",
    )
    return [("Full_PKCS11_RSA", [(name, None) for name in names])]
