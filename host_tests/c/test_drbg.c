// SPDX-License-Identifier: MIT
#include "check.h"
#include "drbg.h"

static uint32_t given;

static bool good(uint8_t *out, size_t len) {
    given += (uint32_t)len;
    host_bytes(out, len);
    return true;
}

static uint32_t reseeds(void) {
    p11_entropy_info_t info;
    p11_entropy_info(&info);
    return info.reseeds;
}

static void start(void) {
    given = 0;
    host_source(good);
}

TEST(instantiation_takes_the_start_up_samples_and_128_bytes) {
    uint8_t out[32];
    start();
    CHECK(p11_random(out, sizeof(out)) == P11_OK);
    CHECK(given == 1024 + 128);
}

TEST(it_reseeds_after_1024_requests) {
    uint8_t out[1];
    uint32_t before = reseeds();
    start();
    for (int i = 0; i < 1024; i++) {
        CHECK(p11_random(out, 1) == P11_OK);
    }
    CHECK(given == 1024 + 128 && reseeds() == before);
    CHECK(p11_random(out, 1) == P11_OK);
    CHECK(given == 1024 + 256 && reseeds() == before + 1);
}

TEST(it_reseeds_after_64_kib_inside_one_call) {
    static uint8_t out[65536 + 1];
    start();
    CHECK(p11_random(out, sizeof(out)) == P11_OK);
    CHECK(given == 1024 + 256);
}

TEST(each_long_term_key_is_drawn_after_a_fresh_seed) {
    p11_slot_t slot;
    uint8_t out[1];
    start();
    CHECK(p11_random(out, 1) == P11_OK);
    uint32_t before = reseeds();
    CHECK(p11_ec_generate(&slot, P11_P256) == P11_OK && reseeds() == before + 1);
    CHECK(p11_master_new(&slot) == P11_OK && reseeds() == before + 2);
}

TEST(additional_input_changes_the_output_and_takes_nothing_from_the_source) {
    uint8_t plain[32];
    uint8_t mixed[32];
    start();
    CHECK(p11_random(plain, 1) == P11_OK && p11_random(plain, 32) == P11_OK);

    p11_test_power_on();
    host_seed(1);
    start();
    CHECK(p11_random_add((const uint8_t *)"seed", 4) == P11_OK);
    CHECK(p11_random(mixed, 32) == P11_OK && given == 1024 + 128);
    CHECK(memcmp(plain, mixed, 32) != 0);
}

TEST(the_same_additional_input_gives_no_control_over_the_output) {
    uint8_t first[32];
    uint8_t second[32];
    for (int i = 0; i < 2; i++) {
        p11_test_power_on();
        host_source(NULL);
        CHECK(p11_random_add((const uint8_t *)"seed", 4) == P11_OK);
        CHECK(p11_random(i == 0 ? first : second, 32) == P11_OK);
    }
    CHECK(memcmp(first, second, 32) != 0);
}

TEST(a_soft_reset_repeats_nothing) {
    uint8_t seen[50][32];
    for (int i = 0; i < 50; i++) {
        p11crypto_soft_reset();
        CHECK(p11_random(seen[i], 32) == P11_OK);
        for (int j = 0; j < i; j++) {
            CHECK(memcmp(seen[i], seen[j], 32) != 0);
        }
    }
}

TEST(the_callback_fills_any_length) {
    static uint8_t out[3000];
    CHECK(p11_drbg_callback(NULL, out, sizeof(out)) == 0);
    uint8_t zeros[64] = { 0 };
    CHECK(!contains(out, sizeof(out), zeros, 8));
}

// clang-format off
SUITE(drbg_suite,
    LIST(instantiation_takes_the_start_up_samples_and_128_bytes)
    LIST(it_reseeds_after_1024_requests)
    LIST(it_reseeds_after_64_kib_inside_one_call)
    LIST(each_long_term_key_is_drawn_after_a_fresh_seed)
    LIST(additional_input_changes_the_output_and_takes_nothing_from_the_source)
    LIST(the_same_additional_input_gives_no_control_over_the_output)
    LIST(a_soft_reset_repeats_nothing)
    LIST(the_callback_fills_any_length)
);
// clang-format on
