# SPDX-License-Identifier: MIT
"""The names of the module p11crypto and its numbers, for both implementations on CPython."""

P256, P384 = 1, 2
EC_P256, EC_P384, SECRET, MASTER, RSA_2048 = 1, 2, 3, 4, 5  # kinds of key slots
SHA1, SHA224, SHA256, SHA384, SHA512 = 1, 2, 3, 4, 5
HASHES = {SHA1: "sha1", SHA224: "sha224", SHA256: "sha256", SHA384: "sha384", SHA512: "sha512"}

RSA_NAMES = ("rsa_import", "rsa_private", "rsa_public")
SECRET_NAMES = (
    "Aes",
    "Cmac",
    "Hmac",
    "ecdh",
    "seal_bytes",
    "secret_export",
    "secret_generate",
    "secret_import",
    "secret_size",
    "unseal_bytes",
)
# for tests, not on the board
HOOKS = ("device_secret", "test_no_source", "test_reset", "test_source")
NAMES = (
    "EC_P256",
    "EC_P384",
    "Hash",
    "MASTER",
    "P256",
    "P384",
    "RSA_2048",
    "SECRET",
    "SHA1",
    "SHA224",
    "SHA256",
    "SHA384",
    "SHA512",
    "compare",
    "device_pin",
    "ec_check",
    "ec_generate",
    "ec_import",
    "ec_public",
    "ecdsa_sign",
    "ecdsa_verify",
    "entropy_info",
    "entropy_seed",
    "hardware_poll",
    "has_source",
    "mac",
    "master_new",
    "master_unwrap",
    "master_wrap",
    "random",
    "random_add",
    "release",
    "seal",
    "sha256",
    "slots_used",
    "unseal",
    "wipe",
    "wipe_all",
    *RSA_NAMES,
    *SECRET_NAMES,
    *HOOKS,
)
