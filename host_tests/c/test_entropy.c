// SPDX-License-Identifier: MIT
#include "check.h"
#include "entropy.h"

static uint32_t calls;      // of the source
static uint32_t given;      // bytes the source gave
static uint32_t dies_after; // bytes

static bool good(uint8_t *out, size_t len) {
    calls++;
    given += (uint32_t)len;
    host_bytes(out, len);
    return true;
}

static bool stuck_at_zero(uint8_t *out, size_t len) {
    memset(out, 0, len);
    given += (uint32_t)len;
    return true;
}

// 3 of 8 samples are 0xa5, spread so that no run is long: about 1.4 bits per sample.
static bool biased(uint8_t *out, size_t len) {
    good(out, len);
    for (size_t i = 0; i < len; i++) {
        if (host_number() % 8 < 3) {
            out[i] = 0xa5;
        }
    }
    return true;
}

static bool dying(uint8_t *out, size_t len) {
    return given >= dies_after ? stuck_at_zero(out, len) : good(out, len);
}

static bool reports_fault(uint8_t *out, size_t len) {
    (void)out;
    given += (uint32_t)len;
    return false;
}

// Stuck through the first start-up test, good from the restart on.
static bool recovers(uint8_t *out, size_t len) {
    calls++;
    return calls == 1 ? stuck_at_zero(out, len) : good(out, len);
}

static uint32_t next_sample;
static uint32_t repeats;

// Runs of `repeats` equal samples.
static bool runs(uint8_t *out, size_t len) {
    for (size_t i = 0; i < len; i++) {
        out[i] = (uint8_t)(next_sample++ / repeats);
    }
    return true;
}

// One value `repeats` times in each window of 512, first in the window, never twice in a row.
static bool proportion(uint8_t *out, size_t len) {
    for (size_t i = 0; i < len; i++) {
        uint32_t place = next_sample++ % P11_APT_WINDOW;
        out[i] = place % 2 == 0 && place / 2 < repeats ? 0xee : (uint8_t)(place % 200);
    }
    return true;
}

static p11_entropy_info_t info(void) {
    p11_entropy_info_t out;
    p11_entropy_info(&out);
    return out;
}

static int poll_from(host_source_t source, size_t len) {
    static uint8_t out[4096];
    calls = given = next_sample = 0;
    p11_test_power_on();
    host_source(source);
    memset(out, 0x5a, sizeof(out));
    int status = p11_hardware_poll(out, len);
    // On failure nothing of the source's bytes comes out.
    for (size_t i = 0; status != P11_OK && i < len; i++) {
        if (out[i] != 0) {
            return P11_INTERNAL;
        }
    }
    return status;
}

TEST(the_first_1024_samples_are_tested_and_discarded) {
    uint8_t expected[1024 + 16];
    uint8_t out[16];
    host_bytes(expected, sizeof(expected));
    host_seed(1);
    given = 0;
    host_source(good);
    CHECK(p11_hardware_poll(out, sizeof(out)) == P11_OK);
    CHECK(given == 1024 + 16 && memcmp(out, expected + 1024, 16) == 0);
    CHECK(info().state == 1 && info().samples == 1040 && info().restarts == 0);
}

TEST(a_stuck_source_fails_after_one_restart) {
    CHECK(poll_from(stuck_at_zero, 32) == P11_ENTROPY);
    CHECK(info().state == 2 && info().rct_alarms == 2 && info().restarts == 1);
    CHECK(info().samples == 2 * P11_RCT_CUTOFF);
}

TEST(a_biased_source_fails) {
    CHECK(poll_from(biased, 4096) == P11_ENTROPY);
    CHECK(info().state == 2 && info().apt_alarms == 2 && info().rct_alarms == 0);
}

TEST(a_source_that_dies_later_fails_at_its_first_stuck_run) {
    uint8_t out[64];
    given = 0;
    dies_after = 4096;
    host_source(dying);
    while (p11_hardware_poll(out, sizeof(out)) == P11_OK) {
        CHECK(given <= dies_after);
    }
    // At most ten stuck samples were examined before the alarm; the restart found them at once.
    CHECK(info().state == 2 && info().rct_alarms == 2 && info().samples <= 4096 + 2 * 11);
}

TEST(a_source_that_reports_a_fault_fails_after_one_restart) {
    CHECK(poll_from(reports_fault, 16) == P11_ENTROPY);
    CHECK(info().state == 2 && info().samples == 0 && info().restarts == 1);
}

TEST(a_source_that_recovers_in_its_restart_is_used) {
    CHECK(poll_from(recovers, 64) == P11_OK);
    CHECK(info().state == 1 && info().restarts == 1 && info().rct_alarms == 1);
}

TEST(the_second_alarm_is_final_however_late) {
    CHECK(poll_from(recovers, 64) == P11_OK);
    uint8_t out[16];
    for (int i = 0; i < 1000; i++) {
        CHECK(p11_hardware_poll(out, sizeof(out)) == P11_OK);
    }
    host_source(stuck_at_zero);
    CHECK(p11_hardware_poll(out, sizeof(out)) == P11_ENTROPY && info().state == 2);
}

TEST(a_failed_source_is_not_asked_again_and_stays_failed_after_a_soft_reset) {
    CHECK(poll_from(stuck_at_zero, 32) == P11_ENTROPY);
    uint8_t out[16];
    host_source(good);
    calls = 0;
    CHECK(p11_hardware_poll(out, sizeof(out)) == P11_ENTROPY);
    p11crypto_soft_reset();
    CHECK(p11_hardware_poll(out, sizeof(out)) == P11_ENTROPY && calls == 0);
    p11_test_power_on();
    CHECK(p11_hardware_poll(out, sizeof(out)) == P11_OK);
}

TEST(ten_equal_samples_pass_and_eleven_do_not) {
    repeats = P11_RCT_CUTOFF - 1;
    CHECK(poll_from(runs, 2000) == P11_OK);
    repeats = P11_RCT_CUTOFF;
    CHECK(poll_from(runs, 2000) == P11_ENTROPY && info().rct_alarms == 2);
}

TEST(seventy_seven_of_512_pass_and_seventy_eight_do_not) {
    repeats = P11_APT_CUTOFF - 1;
    CHECK(poll_from(proportion, 2000) == P11_OK && info().apt_alarms == 0);
    repeats = P11_APT_CUTOFF; // after the restart the windows lie elsewhere and pass
    CHECK(poll_from(proportion, 2000) == P11_OK && info().apt_alarms == 1);
    CHECK(info().restarts == 1 && info().rct_alarms == 0);
}

TEST(the_start_up_test_runs_again_after_a_soft_reset) {
    uint8_t out[16];
    host_source(good);
    CHECK(p11_hardware_poll(out, sizeof(out)) == P11_OK);
    p11crypto_soft_reset();
    CHECK(info().state == 0);
    given = 0;
    CHECK(p11_hardware_poll(out, sizeof(out)) == P11_OK && given == 1040);
}

TEST(without_entropy_there_is_no_key_no_signature_and_no_random_byte) {
    uint8_t sealed[P11_SEALED_MAX];
    uint8_t out[64];
    uint8_t signature[P11_POINT_MAX];
    size_t len;
    p11_slot_t key;
    p11_slot_t master;
    p11_slot_t slot;
    CHECK(p11_ec_generate(&key, P11_P256) == P11_OK && p11_master_new(&master) == P11_OK);
    host_source(stuck_at_zero);
    p11_hardware_poll(out, sizeof(out)); // finds out
    p11_binding_t binding = { .context = (const uint8_t *)"123456", .context_len = 6 };
    CHECK(p11_ec_generate(&slot, P11_P256) == P11_ENTROPY && slot == 0);
    CHECK(p11_master_new(&slot) == P11_ENTROPY && slot == 0);
    CHECK(p11_ecdsa_sign(signature, &len, key, out, 32) == P11_ENTROPY && len == 0);
    CHECK(p11_ec_public(signature, &len, key) == P11_ENTROPY);
    CHECK(p11_seal(sealed, &len, master, key, &binding) == P11_ENTROPY);
    memset(out, 0x5a, sizeof(out));
    CHECK(p11crypto_random(out, sizeof(out)) == -1);
    for (size_t i = 0; i < sizeof(out); i++) {
        CHECK(out[i] == 0);
    }
    CHECK(p11_random(out, 0) == P11_ENTROPY && p11_random_add(out, 1) == P11_ENTROPY);
    CHECK(p11_slots_used() == 2);
}

TEST(a_source_that_dies_under_the_generator_stops_it_at_the_next_reseed) {
    uint8_t out[16];
    p11_slot_t slot;
    CHECK(p11_random(out, sizeof(out)) == P11_OK);
    host_source(stuck_at_zero);
    for (int i = 1; i < 1024; i++) {
        CHECK(p11_random(out, sizeof(out)) == P11_OK);
    }
    CHECK(p11_random(out, sizeof(out)) == P11_ENTROPY);
    CHECK(p11_ec_generate(&slot, P11_P256) == P11_ENTROPY);
}

// clang-format off
SUITE(entropy_suite,
    LIST(the_first_1024_samples_are_tested_and_discarded)
    LIST(a_stuck_source_fails_after_one_restart)
    LIST(a_biased_source_fails)
    LIST(a_source_that_dies_later_fails_at_its_first_stuck_run)
    LIST(a_source_that_reports_a_fault_fails_after_one_restart)
    LIST(a_source_that_recovers_in_its_restart_is_used)
    LIST(the_second_alarm_is_final_however_late)
    LIST(a_failed_source_is_not_asked_again_and_stays_failed_after_a_soft_reset)
    LIST(ten_equal_samples_pass_and_eleven_do_not)
    LIST(seventy_seven_of_512_pass_and_seventy_eight_do_not)
    LIST(the_start_up_test_runs_again_after_a_soft_reset)
    LIST(without_entropy_there_is_no_key_no_signature_and_no_random_byte)
    LIST(a_source_that_dies_under_the_generator_stops_it_at_the_next_reseed)
);
// clang-format on
