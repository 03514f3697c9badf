// SPDX-License-Identifier: MIT
// A chip without an entropy source: nothing works until it is seeded, everything after.
#include "check.h"
#include "drbg.h"

static uint8_t seed[P11_SEED];

static int give(uint8_t first, const char *personal) {
    memset(seed, 0x31, sizeof(seed));
    seed[0] = first;
    return p11_entropy_seed(seed, sizeof(seed), (const uint8_t *)personal, strlen(personal));
}

static int power_on_without_source(void) {
    p11_test_no_source(true);
    p11_test_power_on();
    return 0;
}

static int draw(uint8_t out[32]) {
    return p11_random(out, 32);
}

static uint32_t state(void) {
    p11_entropy_info_t info;
    p11_entropy_info(&info);
    return info.state;
}

TEST(without_source_and_seed_everything_random_fails_and_leaves_zeros) {
    uint8_t out[32];
    uint8_t zeros[32] = { 0 };
    p11_slot_t slot;
    power_on_without_source();
    memset(out, 0x5a, sizeof(out));
    CHECK(draw(out) == P11_ENTROPY && memcmp(out, zeros, sizeof(out)) == 0);
    CHECK(p11_hardware_poll(out, 8) == P11_ENTROPY);
    CHECK(p11_random_add(out, 8) == P11_ENTROPY);
    CHECK(p11_ec_generate(&slot, P11_P256) == P11_ENTROPY);
    CHECK(p11_master_new(&slot) == P11_ENTROPY);
    CHECK(p11crypto_random(out, 8) == -1);
    CHECK(state() == 0 && p11_slots_used() == 0);
}

TEST(a_seed_is_wiped_and_brings_everything_to_life) {
    uint8_t out[32];
    p11_slot_t slot;
    power_on_without_source();
    CHECK(give(1, "") == P11_OK);
    CHECK(!contains(seed, sizeof(seed), "\x31", 1) && seed[0] == 0);
    CHECK(state() == 1 && draw(out) == P11_OK);
    CHECK(p11_ec_generate(&slot, P11_P256) == P11_OK);
    CHECK(p11_master_new(&slot) == P11_OK);
    CHECK(p11_hardware_poll(out, 8) == P11_ENTROPY); // there still is no source
    CHECK(draw(out) == P11_OK);
}

TEST(each_bit_of_seed_and_personalisation_counts) {
    uint8_t out[4][32];
    const char *personal[] = { "", "", "a", "b" };
    for (int i = 0; i < 4; i++) {
        power_on_without_source();
        CHECK(give(i == 0 ? 1 : 2, personal[i]) == P11_OK && draw(out[i]) == P11_OK);
        for (int j = 0; j < i; j++) {
            CHECK(memcmp(out[i], out[j], 32) != 0);
        }
    }
}

TEST(a_second_seed_is_mixed_and_replaces_nothing) {
    uint8_t out[2][32];
    for (int i = 0; i < 2; i++) {
        power_on_without_source();
        CHECK(give((uint8_t)(1 + i), "") == P11_OK && give(9, "") == P11_OK);
        CHECK(draw(out[i]) == P11_OK);
    }
    CHECK(memcmp(out[0], out[1], 32) != 0);
}

TEST(a_seed_beside_a_source_gives_no_control) {
    uint8_t out[2][32];
    for (int i = 0; i < 2; i++) {
        p11_test_power_on();
        CHECK(give(1, "") == P11_OK && draw(out[i]) == P11_OK);
    }
    CHECK(memcmp(out[0], out[1], 32) != 0);
}

TEST(a_soft_reset_forgets_the_seed) {
    uint8_t out[32];
    power_on_without_source();
    CHECK(give(1, "") == P11_OK);
    p11crypto_soft_reset();
    CHECK(draw(out) == P11_ENTROPY && state() == 0);
}

TEST(a_seeded_generator_outlives_every_reseed_interval) {
    static uint8_t big[3 * P11_RESEED_BYTES];
    uint8_t out[32];
    power_on_without_source();
    CHECK(give(1, "") == P11_OK);
    for (int i = 0; i < 3 * P11_RESEED_REQUESTS; i++) {
        CHECK(draw(out) == P11_OK);
    }
    CHECK(p11_random(big, sizeof(big)) == P11_OK);
    CHECK(!contains(big, sizeof(big), out, 16));
    CHECK(state() == 1);
}

TEST(a_seed_of_another_length_is_refused_and_wiped) {
    power_on_without_source();
    for (size_t len = 0; len < P11_SEED; len += 21) {
        memset(seed, 0x31, sizeof(seed));
        CHECK(p11_entropy_seed(seed, len, seed, 0) == P11_BAD_SEED);
        CHECK(len == 0 || seed[len - 1] == 0);
    }
    static const uint8_t longer[P11_PERSONAL_MAX + 1];
    CHECK(p11_entropy_seed(seed, sizeof(seed), longer, sizeof(longer)) == P11_BAD_CONTEXT);
    CHECK(state() == 0);
}

// clang-format off
SUITE(seed_suite,
    LIST(without_source_and_seed_everything_random_fails_and_leaves_zeros)
    LIST(a_seed_is_wiped_and_brings_everything_to_life)
    LIST(each_bit_of_seed_and_personalisation_counts)
    LIST(a_second_seed_is_mixed_and_replaces_nothing)
    LIST(a_seed_beside_a_source_gives_no_control)
    LIST(a_soft_reset_forgets_the_seed)
    LIST(a_seeded_generator_outlives_every_reseed_interval)
    LIST(a_seed_of_another_length_is_refused_and_wiped)
);
// clang-format on
