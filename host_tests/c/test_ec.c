// SPDX-License-Identifier: MIT
#include "arena.h"
#include "check.h"
#include "ec.h"
#include "slots.h"

static const char *const orders[] = {
    [P11_P256] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
    [P11_P384] = "ffffffffffffffffffffffffffffffffffffffffffffffff"
                 "c7634d81f4372ddf581a0db248b0a77aecec196accc52973",
};
// Base points: the public points of scalar 1.
static const char *const bases[] = {
    [P11_P256] = "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                 "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
    [P11_P384] = "04aa87ca22be8b05378eb1c71ef320ad746e1d3b628ba79b9859f741e082542a38"
                 "5502f25dbf55296c3a545e3872760ab73617de4a96262c6f5d9e98bf9292dc29"
                 "f8f41dbd289a147ce9da3113b5f0b8c00a60b1ce1d7e819d7a431d7c90ea0e5f",
};

static p11_slot_t import(int curve, const char *text) {
    uint8_t scalar[P11_SCALAR_MAX];
    p11_slot_t slot;
    size_t len = strlen(text) / 2;
    memcpy(scalar, hex(text), len);
    int status = p11_ec_import(&slot, curve, scalar, len);
    for (size_t i = 0; i < len; i++) {
        if (scalar[i] != 0) {
            return 0; // not wiped
        }
    }
    return status == P11_OK ? slot : 0;
}

TEST(a_generated_key_signs_what_verifies_and_nothing_else) {
    for (int curve = P11_P256; curve <= P11_P384; curve++) {
        uint8_t point[P11_POINT_MAX];
        uint8_t signature[P11_SIGNATURE_MAX];
        uint8_t digest[32] = "digest of thirty-two bytes long";
        size_t point_len;
        size_t len;
        p11_slot_t slot;
        CHECK(p11_ec_generate(&slot, curve) == P11_OK);
        CHECK(p11_ec_public(point, &point_len, slot) == P11_OK);
        CHECK(p11_ec_check(curve, point, point_len) == P11_OK);
        CHECK(p11_ecdsa_sign(signature, &len, slot, digest, 32) == P11_OK);
        CHECK(len == 2 * p11_ec_size(curve));
        CHECK(p11_ecdsa_verify(curve, point, point_len, digest, 32, signature, len) == P11_OK);
        digest[31] ^= 1;
        CHECK(p11_ecdsa_verify(curve, point, point_len, digest, 32, signature, len) == P11_NO);
        digest[31] ^= 1;
        signature[len - 1] ^= 1;
        CHECK(p11_ecdsa_verify(curve, point, point_len, digest, 32, signature, len) == P11_NO);
    }
}

TEST(scalars_outside_one_to_order_minus_one_are_refused_and_wiped) {
    for (int curve = P11_P256; curve <= P11_P384; curve++) {
        size_t size = p11_ec_size(curve);
        uint8_t scalar[P11_SCALAR_MAX + 1];
        p11_slot_t slot;
        // 0, order, order + 1, all ones, too short, too long
        for (int i = 0; i < 6; i++) {
            size_t len = i == 4 ? size - 1 : i == 5 ? size + 1
                                                    : size;
            memset(scalar, 0, sizeof(scalar));
            if (i == 1 || i == 2) {
                memcpy(scalar, hex(orders[curve]), size);
                scalar[size - 1] += (uint8_t)(i - 1);
            } else if (i == 3) {
                memset(scalar, 0xff, size);
            } else if (i >= 4) {
                memset(scalar, 1, len);
            }
            CHECK(p11_ec_import(&slot, curve, scalar, len) == P11_BAD_SCALAR && slot == 0);
            for (size_t j = 0; j < len; j++) {
                CHECK(scalar[j] == 0);
            }
        }
        CHECK(p11_slots_used() == 0);
    }
}

TEST(scalar_one_has_the_base_point_and_order_minus_one_its_negative) {
    for (int curve = P11_P256; curve <= P11_P384; curve++) {
        size_t size = p11_ec_size(curve);
        uint8_t point[P11_POINT_MAX];
        uint8_t scalar[P11_SCALAR_MAX] = { 0 };
        size_t len;
        p11_slot_t slot;
        scalar[size - 1] = 1;
        CHECK(p11_ec_import(&slot, curve, scalar, size) == P11_OK);
        CHECK(p11_ec_public(point, &len, slot) == P11_OK && len == 1 + 2 * size);
        CHECK(memcmp(point, hex(bases[curve]), len) == 0);
        memcpy(scalar, hex(orders[curve]), size);
        scalar[size - 1] -= 1;
        CHECK(p11_ec_import(&slot, curve, scalar, size) == P11_OK);
        CHECK(p11_ec_public(point, &len, slot) == P11_OK);
        CHECK(memcmp(point, hex(bases[curve]), 1 + size) == 0);
        CHECK(memcmp(point + 1 + size, hex(bases[curve]) + 1 + size, size) != 0);
    }
}

TEST(points_off_the_curve_or_badly_encoded_are_refused) {
    uint8_t point[P11_POINT_MAX];
    uint8_t signature[64] = { 1 };
    for (int curve = P11_P256; curve <= P11_P384; curve++) {
        size_t len = 1 + 2 * p11_ec_size(curve);
        memcpy(point, hex(bases[curve]), len);
        CHECK(p11_ec_check(curve, point, len) == P11_OK);
        point[len - 1] ^= 1;
        CHECK(p11_ec_check(curve, point, len) == P11_NO);
        point[len - 1] ^= 1;
        CHECK(p11_ec_check(curve, point, len - 1) == P11_NO);
        CHECK(p11_ec_check(curve, point, 0) == P11_NO);
        CHECK(p11_ec_check(curve == P11_P256 ? P11_P384 : P11_P256, point, len) == P11_NO);
        point[0] = 2;
        CHECK(p11_ec_check(curve, point, len) == P11_NO);
        point[0] = 0;
        CHECK(p11_ec_check(curve, point, 1) == P11_NO);
        memset(point, 0xff, len);
        point[0] = 4;
        CHECK(p11_ec_check(curve, point, len) == P11_NO);
        memset(point + 1, 0, len - 1);
        CHECK(p11_ec_check(curve, point, len) == P11_NO);
    }
    CHECK(p11_ecdsa_verify(P11_P256, point, 65, point, 32, signature, 64) == P11_BAD_POINT);
}

TEST(wrong_arguments_are_named) {
    uint8_t point[P11_POINT_MAX];
    uint8_t signature[P11_SIGNATURE_MAX] = { 1 };
    size_t len;
    p11_slot_t slot;
    p11_slot_t master;
    memcpy(point, hex(bases[P11_P256]), 65);
    CHECK(p11_ec_generate(&slot, 0) == P11_BAD_CURVE && p11_ec_generate(&slot, 3) == P11_BAD_CURVE);
    CHECK(p11_ec_check(-1, point, 65) == P11_BAD_CURVE);
    CHECK(p11_ecdsa_verify(7, point, 65, point, 32, signature, 64) == P11_BAD_CURVE);
    CHECK(p11_ecdsa_verify(P11_P256, point, 65, point, 0, signature, 64) == P11_BAD_DIGEST);
    CHECK(p11_ecdsa_verify(P11_P256, point, 65, point, 32, signature, 63) == P11_BAD_SIGNATURE);
    CHECK(p11_ecdsa_verify(P11_P256, point, 64, point, 32, signature, 64) == P11_BAD_POINT);
    CHECK(p11_ec_generate(&slot, P11_P256) == P11_OK && p11_master_new(&master) == P11_OK);
    CHECK(p11_ecdsa_sign(signature, &len, slot, point, 0) == P11_BAD_DIGEST && len == 0);
    CHECK(p11_ecdsa_sign(signature, &len, master, point, 32) == P11_BAD_SLOT);
    CHECK(p11_ec_public(point, &len, master) == P11_BAD_SLOT && len == 0);
}

TEST(signature_halves_out_of_range_are_bad_signatures) {
    uint8_t digest[32] = { 7 };
    for (int curve = P11_P256; curve <= P11_P384; curve++) {
        size_t size = p11_ec_size(curve);
        uint8_t good[P11_SIGNATURE_MAX];
        uint8_t bad[P11_SIGNATURE_MAX];
        uint8_t point[P11_POINT_MAX];
        size_t len;
        size_t point_len;
        p11_slot_t slot;
        CHECK(p11_ec_generate(&slot, curve) == P11_OK);
        CHECK(p11_ec_public(point, &point_len, slot) == P11_OK);
        CHECK(p11_ecdsa_sign(good, &len, slot, digest, 32) == P11_OK);
        for (int half = 0; half < 2; half++) {
            for (int i = 0; i < 3; i++) {
                memcpy(bad, good, len);
                if (i == 0) {
                    memset(bad + half * size, 0, size);
                } else if (i == 1) {
                    memcpy(bad + half * size, hex(orders[curve]), size);
                } else {
                    memset(bad + half * size, 0xff, size);
                }
                CHECK(p11_ecdsa_verify(curve, point, point_len, digest, 32, bad, len) == P11_NO);
            }
        }
    }
}

TEST(a_long_digest_counts_by_its_leftmost_bytes_a_short_one_as_a_number) {
    uint8_t digest[64];
    uint8_t padded[32] = { 0 };
    uint8_t signature[P11_SIGNATURE_MAX];
    uint8_t point[P11_POINT_MAX];
    size_t len;
    size_t point_len;
    p11_slot_t slot = import(P11_P256,
        "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721");
    CHECK(slot != 0);
    host_bytes(digest, sizeof(digest));
    CHECK(p11_ec_public(point, &point_len, slot) == P11_OK);
    CHECK(p11_ecdsa_sign(signature, &len, slot, digest, 64) == P11_OK);
    CHECK(p11_ecdsa_verify(P11_P256, point, point_len, digest, 32, signature, len) == P11_OK);
    memcpy(padded + 12, digest, 20);
    CHECK(p11_ecdsa_sign(signature, &len, slot, digest, 20) == P11_OK);
    CHECK(p11_ecdsa_verify(P11_P256, point, point_len, padded, 32, signature, len) == P11_OK);
}

TEST(two_signatures_never_share_their_secret_number) {
    uint8_t one[P11_SIGNATURE_MAX];
    uint8_t two[P11_SIGNATURE_MAX];
    uint8_t digest[32] = { 1 };
    size_t len;
    p11_slot_t slot;
    CHECK(p11_ec_generate(&slot, P11_P256) == P11_OK);
    CHECK(p11_ecdsa_sign(one, &len, slot, digest, 32) == P11_OK);
    CHECK(p11_ecdsa_sign(two, &len, slot, digest, 32) == P11_OK);
    CHECK(memcmp(one, two, 32) != 0);
}

TEST(the_arena_is_empty_after_every_operation_and_large_enough) {
    uint8_t zeros[64] = { 0 };
    size_t len;
    const uint8_t *memory = p11_test_arena(&len);
    p11_test_arena_deepest();
    a_generated_key_signs_what_verifies_and_nothing_else();
    for (size_t i = 0; i + sizeof(zeros) <= len; i += sizeof(zeros)) {
        CHECK(memcmp(memory + i, zeros, sizeof(zeros)) == 0);
    }
    size_t deepest = p11_test_arena_deepest();
    printf("  deepest use of the arena: %zu of %zu bytes\n", deepest, len);
    CHECK(deepest > 512 && deepest <= len * 3 / 4);
}

TEST(an_exhausted_arena_is_an_error_not_a_crash) {
    uint8_t signature[P11_SIGNATURE_MAX];
    uint8_t digest[32] = { 1 };
    size_t len;
    p11_slot_t slot;
    CHECK(p11_ec_generate(&slot, P11_P384) == P11_OK);
    for (size_t taken = 0; taken < P11_ARENA_BYTES; taken += 64) {
        void *hole = p11_calloc(1, P11_ARENA_BYTES - 64 - taken);
        int status = p11_ecdsa_sign(signature, &len, slot, digest, 32);
        CHECK(hole == NULL || status == P11_INTERNAL); // the hole itself counts as a leak
        p11_arena_wipe();
    }
    CHECK(p11_ecdsa_sign(signature, &len, slot, digest, 32) == P11_OK);
}

// clang-format off
SUITE(ec_suite,
    LIST(a_generated_key_signs_what_verifies_and_nothing_else)
    LIST(scalars_outside_one_to_order_minus_one_are_refused_and_wiped)
    LIST(scalar_one_has_the_base_point_and_order_minus_one_its_negative)
    LIST(points_off_the_curve_or_badly_encoded_are_refused)
    LIST(wrong_arguments_are_named)
    LIST(signature_halves_out_of_range_are_bad_signatures)
    LIST(a_long_digest_counts_by_its_leftmost_bytes_a_short_one_as_a_number)
    LIST(two_signatures_never_share_their_secret_number)
    LIST(the_arena_is_empty_after_every_operation_and_large_enough)
    LIST(an_exhausted_arena_is_an_error_not_a_crash)
);
// clang-format on
