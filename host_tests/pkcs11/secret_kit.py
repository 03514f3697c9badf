# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""What the tests of secret keys share: a value, a text, a template."""

import p11crypto
import pytest
from token_kit import *

VALUE = bytes(range(32))
TEXT = b"The quick brown fox jumps over the lazy dog. " * 3
IV = bytes(range(16))


def needs(name):
    return pytest.mark.skipif(not hasattr(p11crypto, name), reason="p11crypto has no " + name)


def secret(key_type=CKK_AES, value=VALUE, *more):
    return [
        (CKA_CLASS, CKO_SECRET_KEY),
        (CKA_KEY_TYPE, key_type),
        (CKA_LABEL, b"secret"),
        (CKA_TOKEN, True),
        (CKA_SIGN, True),
        (CKA_VERIFY, True),
        (CKA_VALUE, value),
    ] + list(more)
