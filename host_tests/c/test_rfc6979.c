// SPDX-License-Identifier: MIT
// Deterministic signatures: built with P11_RFC6979=1.
#include "check.h"

static bool signs(int curve, const char *scalar_text, int algorithm, const char *message,
    const char *signature_text) {
    uint8_t scalar[P11_SCALAR_MAX];
    uint8_t digest[P11_HASH_MAX];
    uint8_t signature[P11_SIGNATURE_MAX];
    p11_hash_t hash;
    p11_slot_t slot;
    size_t len;
    size_t size = p11_ec_size(curve);
    memcpy(scalar, hex(scalar_text), size);
    return p11_ec_import(&slot, curve, scalar, size) == P11_OK
           && p11_hash_start(&hash, algorithm) == P11_OK
           && p11_hash_update(&hash, (const uint8_t *)message, strlen(message)) == P11_OK
           && p11_hash_digest(digest, &hash) == P11_OK
           && p11_ecdsa_sign(signature, &len, slot, digest, p11_hash_size(algorithm)) == P11_OK
           && memcmp(signature, hex(signature_text), len) == 0;
}

TEST(p256_signatures_are_those_of_rfc_6979_a_2_5) {
    const char *scalar = "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721";
    CHECK(signs(P11_P256, scalar, P11_SHA256, "sample",
        "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
        "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"));
    CHECK(signs(P11_P256, scalar, P11_SHA256, "test",
        "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
        "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"));
}

TEST(p384_signatures_are_those_of_rfc_6979_a_2_6) {
    const char *scalar = "6b9d3dad2e1b8c1c05b19875b6659f4de23c3b667bf297ba"
                         "9aa47740787137d896d5724e4c70a825f872c9ea60d2edf5";
    CHECK(signs(P11_P384, scalar, P11_SHA384, "sample",
        "94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c"
        "81a648152e44acf96e36dd1e80fabe46"
        "99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94f"
        "a329c145786e679e7b82c71a38628ac8"));
}

// clang-format off
SUITE(rfc6979_suite,
    LIST(p256_signatures_are_those_of_rfc_6979_a_2_5)
    LIST(p384_signatures_are_those_of_rfc_6979_a_2_6)
);
// clang-format on
