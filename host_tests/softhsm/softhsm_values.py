# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""What the words of the scripts mean: mechanisms, data, PINs, flags, attributes, templates."""

from softhsm_c import SIZE
from softhsm_templates import KEY, OTHER, TEMPLATES
from token_kit import *

USER_PIN = b"1234"
SO_PIN = b"12345678"
ATTRIBUTES = {
    "a-class": [CKA_CLASS],
    "a-label": [CKA_LABEL],
    "a-value": [CKA_VALUE],
    "a-common": [CKA_CLASS, CKA_TOKEN, CKA_PRIVATE, CKA_MODIFIABLE, CKA_LABEL],
    "a-copyable": [CKA_COPYABLE, CKA_DESTROYABLE],
    "a-key": [CKA_KEY_TYPE, CKA_ID, CKA_LOCAL, CKA_DERIVE, CKA_START_DATE, CKA_END_DATE],
    "a-generated-by": [CKA_KEY_GEN_MECHANISM],
    "a-flags": [CKA_SENSITIVE, CKA_EXTRACTABLE, CKA_SIGN],
    "a-history": [CKA_ALWAYS_SENSITIVE, CKA_NEVER_EXTRACTABLE],
    "a-verify": [CKA_VERIFY, CKA_ENCRYPT, CKA_WRAP, CKA_TRUSTED],
    "a-decrypt": [CKA_DECRYPT, CKA_UNWRAP, CKA_ALWAYS_AUTHENTICATE],
    "a-params": [CKA_EC_PARAMS],
    "a-point": [CKA_EC_POINT],
    "a-length": [CKA_VALUE_LEN],
    "a-certificate": [CKA_CERTIFICATE_TYPE, CKA_SUBJECT, CKA_CERTIFICATE_CATEGORY],
    "a-application": [CKA_APPLICATION, CKA_OBJECT_ID],
    "a-unknown": [0x7777],
    "a-mixed": [CKA_CLASS, 0x7777, CKA_LABEL],
    "a-modulus": [CKA_MODULUS],
    "a-rsa": [CKA_KEY_TYPE, CKA_MODULUS, CKA_PUBLIC_EXPONENT],
    "a-bits": [CKA_MODULUS_BITS],
    "a-exponent": [CKA_PRIVATE_EXPONENT, CKA_PRIME_1, CKA_COEFFICIENT],
    "a-value-label": [CKA_VALUE, CKA_LABEL],
    "a-size": [(CKA_LABEL, SIZE), (CKA_TOKEN, SIZE), (CKA_CLASS, SIZE)],
    "a-value-size": [(CKA_VALUE, SIZE)],
    "a-short": [(CKA_LABEL, 1)],
    "a-short-bool": [(CKA_TOKEN, 0)],
    "a-short-both": [(CKA_LABEL, 1), (CKA_VALUE, 1)],
    "a-empty": [],
}
ECDH1 = CKM_ECDH1_DERIVE
WORDS = {
    "null": None,
    "size": SIZE,
    "all": None,
    "reserved": b"x",
    # mechanisms
    "UNKNOWN": 0x7777,
    "CBC": (CKM_AES_CBC_PAD, bytes(16)),
    "CBC-no-iv": CKM_AES_CBC_PAD,
    "CBC-short-iv": (CKM_AES_CBC_PAD, bytes(8)),
    "ECB-iv": (CKM_AES_ECB, bytes(16)),
    "ECDSA-parameter": (CKM_ECDSA, b"x"),
    "SHA256-parameter": (CKM_SHA256, b"x"),
    "PAIR-parameter": (CKM_EC_KEY_PAIR_GEN, b"x"),
    "ECDH": (ECDH1, (CKD_NULL, None, point(OTHER))),
    "ECDH-wrapped": (ECDH1, (CKD_NULL, None, wrapped(OTHER))),
    "ECDH-no-parameter": ECDH1,
    "ECDH-bytes": (ECDH1, b"junk"),
    "ECDH-kdf": (ECDH1, (2, None, point(OTHER))),
    "ECDH-shared": (ECDH1, (CKD_NULL, b"shared", point(OTHER))),
    "ECDH-no-point": (ECDH1, (CKD_NULL, None, b"")),
    "ECDH-off-curve": (ECDH1, (CKD_NULL, None, point(OTHER)[:-1] + b"\0")),
    "AES_KEY_WRAP": 0x2109,
    # data
    "empty": b"",
    "text": b"The quick brown fox jumps over the lazy dog",
    "digest": DIGEST,
    "block": bytes(16),
    "blocks": bytes(48),
    "digest-64": bytes(64),
    "zeros-64": bytes(64),
    "zeros-32": bytes(32),
    "zeros-16": bytes(16),
    "short-signature": bytes(63),
    "block-245": bytes(range(245)),
    "block-246": bytes(range(246)),
    "block-256": bytes(range(256)),
    "ones-256": b"\xff" * 256,
    "own-signature": sign(KEY, DIGEST),
    # PINs and labels
    "user-pin": USER_PIN,
    "so-pin": SO_PIN,
    "wrong-pin": b"9999",
    "new-pin": b"abcd",
    "short-pin": b"1",
    "long-pin": bytes(b"x" * 300),
    "label": b"label",
    # flags, users, slots
    "RW": RW,
    "RO": RO,
    "PARALLEL": CKF_RW_SESSION,
    "SO": CKU_SO,
    "USER": CKU_USER,
    "CONTEXT": CKU_CONTEXT_SPECIFIC,
    "bad-slot": 99,
}
WORDS.update(TEMPLATES, **ATTRIBUTES)


def meaning(word):
    """Return the value of a word: of the tables above, a CKM_ name, or a number."""
    if word in WORDS:
        return WORDS[word]
    number = globals().get("CKM_" + word)
    return int(word, 0) if number is None else number
