# SPDX-License-Identifier: MIT
"""What `cryptography` says about a signature."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, utils

PREHASHED = ec.ECDSA(utils.Prehashed(hashes.SHA256()))


def accepted(public_key, digest, signature):
    """Whether `cryptography` accepts r || s."""
    r, s = (int.from_bytes(signature[i : i + 32], "big") for i in (0, 32))
    try:
        public_key.verify(utils.encode_dss_signature(r, s), digest, PREHASHED)
    except InvalidSignature:
        return False
    return True
