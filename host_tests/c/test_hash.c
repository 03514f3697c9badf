// SPDX-License-Identifier: MIT
#include "check.h"

static const char *const of_abc[] = {
    [P11_SHA1] = "a9993e364706816aba3e25717850c26c9cd0d89d",
    [P11_SHA224] = "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7",
    [P11_SHA256] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    [P11_SHA384] = "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed"
                   "8086072ba1e7cc2358baeca134c825a7",
    [P11_SHA512] = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
                   "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
};

TEST(every_hash_gives_its_vector_in_any_pieces) {
    for (int algorithm = P11_SHA1; algorithm <= P11_SHA512; algorithm++) {
        uint8_t out[P11_HASH_MAX];
        p11_hash_t hash;
        CHECK(p11_hash_start(&hash, algorithm) == P11_OK);
        for (size_t i = 0; i < 3; i++) {
            CHECK(p11_hash_update(&hash, (const uint8_t *)"abc" + i, 1) == P11_OK);
            CHECK(p11_hash_update(&hash, NULL, 0) == P11_OK);
        }
        for (int twice = 0; twice < 2; twice++) { // the state is kept
            CHECK(p11_hash_digest(out, &hash) == P11_OK);
            CHECK(memcmp(out, hex(of_abc[algorithm]), p11_hash_size(algorithm)) == 0);
        }
    }
}

TEST(a_copy_goes_its_own_way) {
    uint8_t out[P11_HASH_MAX];
    p11_hash_t hash;
    CHECK(p11_hash_start(&hash, P11_SHA384) == P11_OK);
    CHECK(p11_hash_update(&hash, (const uint8_t *)"ab", 2) == P11_OK);
    p11_hash_t copy = hash;
    CHECK(p11_hash_update(&hash, (const uint8_t *)"x", 1) == P11_OK);
    CHECK(p11_hash_update(&copy, (const uint8_t *)"c", 1) == P11_OK);
    CHECK(p11_hash_digest(out, &copy) == P11_OK && memcmp(out, hex(of_abc[P11_SHA384]), 48) == 0);
}

TEST(unknown_and_wiped_hashes_are_refused) {
    uint8_t out[P11_HASH_MAX];
    p11_hash_t hash;
    CHECK(p11_hash_start(&hash, 0) == P11_BAD_HASH && p11_hash_start(&hash, 6) == P11_BAD_HASH);
    CHECK(p11_hash_update(&hash, out, 1) == P11_BAD_HASH);
    CHECK(p11_hash_start(&hash, P11_SHA1) == P11_OK);
    p11_wipe(&hash, sizeof(hash));
    CHECK(p11_hash_update(&hash, out, 1) == P11_BAD_HASH);
    CHECK(p11_hash_digest(out, &hash) == P11_BAD_HASH);
    CHECK(p11_hash_size(0) == 0 && p11_hash_size(6) == 0 && p11_hash_size(-1) == 0);
}

// clang-format off
SUITE(hash_suite,
    LIST(every_hash_gives_its_vector_in_any_pieces)
    LIST(a_copy_goes_its_own_way)
    LIST(unknown_and_wiped_hashes_are_refused)
);
// clang-format on
