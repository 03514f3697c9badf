// SPDX-License-Identifier: MIT
// What is left behind: each operation runs on a stack of its own, which is then searched, with the
// arena, for windows of the secrets it used. Built without sanitizers, as in the firmware.
#include "check.h"
#include "residue_runs.h"
#include "slots.h"
#include "wipe.h"

static void careless(void) {
    volatile uint8_t copy[32];
    for (size_t i = 0; i < sizeof(copy); i++) {
        copy[i] = scalar[i];
    }
    result = P11_OK;
}

// In an order in which each finds the state that it continues.
static void (*const secret_runs[])(void) = {
    run_secret_generate,
    run_secret_export,
    run_ecdh,
    run_seal_bytes,
    run_unseal_bytes,
    run_hmac_start,
    run_hmac_update,
    run_hmac_digest,
    run_hmac_start_512,
    run_hmac_digest,
    run_cmac,
    run_cmac_update,
    run_cmac_digest,
    run_encrypt_start,
    run_aes_update,
    run_decrypt_start,
    run_aes_update,
};

// The key as HMAC pads it.
static bool leaked_padded(uint8_t pad) {
    uint8_t padded[32];
    for (size_t i = 0; i < sizeof(padded); i++) {
        padded[i] = scalar[i] ^ pad;
    }
    return leaked(padded, sizeof(padded));
}

static bool clean_of_rsa(void (*run)(void)) {
    on_own_stack(run);
    bool good = result == P11_OK;
    for (size_t i = 0; good && i < P11_RSA_SECRETS; i++) {
        uint8_t copy[P11_RSA_BLOCK]; // d in two halves: limbs are searched in both directions
        memcpy(copy, hex(rsa_texts[i]), strlen(rsa_texts[i]) / 2);
        good = !leaked(copy, 128) && (i > 0 || !leaked(copy + 128, 128));
    }
    return good;
}

static bool clean(void (*run)(void)) {
    on_own_stack(run);
    return result == P11_OK && !leaked(scalar, 32) && !leaked(master_value, 32)
           && !leaked(pin_text, sizeof(pin_text) - 1) && !leaked_padded(0x36)
           && !leaked_padded(0x5c) && !leaked(message_text, sizeof(message_text) - 1);
}

TEST(the_search_finds_a_secret_that_was_left) {
    CHECK(prepare());
    on_own_stack(careless);
    CHECK(leaked(scalar, 32));
}

TEST(no_operation_goes_deeper_than_the_stack_that_is_wiped) {
    static void (*const runs[])(void) = {
        run_public,
        run_sign,
        run_seal,
        run_unseal,
        run_wrap,
        run_unwrap,
        run_mac,
        run_generate,
        run_master_new,
        run_secret_generate,
        run_ecdh,
        run_seal_bytes,
        run_unseal_bytes,
        run_hmac_start_512,
        run_hmac_digest,
        run_cmac,
        run_cmac_digest,
        run_encrypt_start,
        run_aes_update,
        run_rsa_import,
        run_rsa_private,
        run_rsa_seal,
        run_rsa_unseal,
    };
    CHECK(prepare());
    prepare_rsa();
    for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
        careless_wiping = true;
        on_own_stack(runs[i]);
        careless_wiping = false;
        printf("  operation %zu: %zu bytes of stack\n", i, depth());
        CHECK(result == P11_OK && depth() < P11_STACK_DEPTH - 512);
    }
}

TEST(no_operation_leaves_scalar_pin_or_master_key_on_the_stack_or_in_the_arena) {
    CHECK(prepare());
    memcpy(input, scalar, 32);
    CHECK(clean(run_import));
    CHECK(input[0] == 0 && input[31] == 0);
    CHECK(clean(run_public));
    CHECK(clean(run_sign));
    CHECK(clean(run_seal));
    CHECK(clean(run_unseal));
    CHECK(clean(run_wrap));
    CHECK(clean(run_unwrap));
    CHECK(clean(run_mac));
}

TEST(no_operation_with_a_secret_key_leaves_it_or_the_data_it_protects) {
    CHECK(prepare());
    memcpy(input, scalar, 32);
    CHECK(clean(run_secret_import));
    CHECK(input[0] == 0 && input[31] == 0);
    for (size_t i = 0; i < sizeof(secret_runs) / sizeof(secret_runs[0]); i++) {
        CHECK(clean(secret_runs[i]));
    }
}

TEST(a_key_agreed_on_is_nowhere_but_in_its_slot) {
    CHECK(prepare());
    on_own_stack(run_ecdh);
    CHECK(result == P11_OK && !leaked(p11_slot_get(made, ~0u)->value, 32));
    on_own_stack(run_secret_generate);
    CHECK(result == P11_OK && !leaked(p11_slot_get(made, ~0u)->value, 32));
}

TEST(no_operation_leaves_a_number_of_an_rsa_key) {
    CHECK(prepare());
    prepare_rsa();
    CHECK(clean_of_rsa(run_rsa_import));
    CHECK(clean_of_rsa(run_rsa_private));
    CHECK(clean_of_rsa(run_rsa_seal));
    CHECK(clean_of_rsa(run_rsa_unseal));
}

TEST(fresh_keys_are_nowhere_but_in_their_slots) {
    CHECK(prepare());
    on_own_stack(run_generate);
    CHECK(result == P11_OK && !leaked(p11_slot_get(made, ~0u)->value, 32));
    on_own_stack(run_master_new);
    CHECK(result == P11_OK && !leaked(p11_slot_get(made, ~0u)->value, 32));
}

TEST(a_failed_unwrap_leaves_no_trace_of_the_pin) {
    CHECK(prepare());
    wrapped[20] ^= 1;
    on_own_stack(run_unwrap);
    CHECK(result == P11_NO && made == 0 && !leaked(pin_text, sizeof(pin_text) - 1));
}

// clang-format off
SUITE(residue_suite,
    LIST(the_search_finds_a_secret_that_was_left)
    LIST(no_operation_goes_deeper_than_the_stack_that_is_wiped)
    LIST(no_operation_leaves_scalar_pin_or_master_key_on_the_stack_or_in_the_arena)
    LIST(no_operation_with_a_secret_key_leaves_it_or_the_data_it_protects)
    LIST(a_key_agreed_on_is_nowhere_but_in_its_slot)
    LIST(no_operation_leaves_a_number_of_an_rsa_key)
    LIST(fresh_keys_are_nowhere_but_in_their_slots)
    LIST(a_failed_unwrap_leaves_no_trace_of_the_pin)
);
// clang-format on
