// SPDX-License-Identifier: MIT
// What is left behind: each operation runs on a stack of its own, which is then searched, with the
// arena, for windows of the secrets it used. Built without sanitizers, as in the firmware.
#include <sys/mman.h>
#include <ucontext.h>

#include "check.h"
#include "rsa_key.h"
#include "slots.h"
#include "wipe.h"

#define STACK (256 * 1024)
#define WINDOW 6
#define PAINT 0xa5

static uint8_t *stack;
static void (*operation)(void);
static int result;

// clang-format off
static const uint8_t scalar[32] = {
    0x2f, 0x51, 0x9c, 0xe7, 0x64, 0x3d, 0xb8, 0x05, 0x77, 0xca, 0x13, 0x8e, 0xf6, 0x42, 0x9b, 0xd0,
    0x31, 0x85, 0xee, 0x6a, 0x1c, 0xf9, 0x57, 0xb3, 0x48, 0x0d, 0xa4, 0x7e, 0xc1, 0x96, 0x23, 0x5f,
};
// clang-format on
static const char pin_text[] = "correct horse 4711";
static const uint8_t salt[16] = { 1, 2, 3 };
static uint8_t master_value[32];
static uint8_t input[32];
static uint8_t blob[P11_SEALED_MAX];
static size_t blob_len;
static uint8_t wrapped[P11_WRAPPED];
static p11_slot_t key;
static p11_slot_t master;
static p11_slot_t made;
static p11_slot_t secret;
static uint8_t digest[32] = { 9 };
static const uint8_t small_block[P11_RSA_BLOCK] = { 0, 1, 2, 3 };
static uint8_t out[P11_RSA_BLOCK];
static size_t out_len;
static const p11_binding_t binding = { .context = salt, .context_len = 6 };
static p11_pin_t pin;
static const char message_text[] = "a private value that travels as plain bytes";
static uint8_t message[48];
static uint8_t exported[P11_SECRET_MAX];
static uint8_t point[P11_POINT_MAX];
static size_t point_len;
static uint8_t sealed_bytes[P11_NONCE + sizeof(message) + P11_TAG];
static p11_keyed_t hmac;
static p11_cmac_t cmac;
static p11_aes_t aes;
static const char *const rsa_texts[] = { rsa_d, rsa_p, rsa_q, rsa_dp, rsa_dq, rsa_qp };
static uint8_t rsa_public[P11_RSA_BLOCK + 3];
static uint8_t rsa_numbers[P11_RSA_SECRETS][P11_RSA_BLOCK];
static p11_rsa_key_t rsa_key;
static p11_slot_t rsa_slot;

static void enter(void) {
    operation();
}

// Nothing but the operation runs on that stack, before or after it.
static void on_own_stack(void (*run)(void)) {
    static ucontext_t here;
    static ucontext_t there;
    if (stack == NULL) {
        stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    memset(stack, PAINT, STACK);
    operation = run;
    result = -1;
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = STACK;
    there.uc_link = &here;
    makecontext(&there, enter, 0);
    swapcontext(&here, &there);
}

// How far down the stack was ever written.
static size_t depth(void) {
    size_t low = 0;
    while (low < STACK && stack[low] == PAINT) {
        low++;
    }
    return STACK - low;
}

// A window of the secret, as bytes or as the little-endian limbs of a number.
static bool leaked(const void *secret, size_t len) {
    size_t arena_len;
    size_t deep = depth(); // below it there is only paint
    const uint8_t *used = stack + STACK - deep;
    const void *arena = p11_test_arena(&arena_len);
    uint8_t reversed[128];
    for (size_t i = 0; i < len; i++) {
        reversed[i] = ((const uint8_t *)secret)[len - 1 - i];
    }
    for (size_t i = 0; i + WINDOW <= len; i++) {
        const uint8_t *forward = (const uint8_t *)secret + i;
        if (contains(used, deep, forward, WINDOW) || contains(arena, arena_len, forward, WINDOW)
            || contains(used, deep, reversed + i, WINDOW)
            || contains(arena, arena_len, reversed + i, WINDOW)) {
            return true;
        }
    }
    return false;
}

static bool prepare(void) {
    uint8_t copy[32];
    pin = (p11_pin_t){
        .pin = (const uint8_t *)pin_text,
        .pin_len = sizeof(pin_text) - 1,
        .salt = salt,
        .salt_len = sizeof(salt),
        .iterations = 3,
    };
    memcpy(copy, scalar, 32);
    bool good = p11_ec_import(&key, P11_P256, copy, 32) == P11_OK
                && p11_master_new(&master) == P11_OK
                && p11_seal(blob, &blob_len, master, key, &binding) == P11_OK
                && p11_master_wrap(wrapped, master, &pin) == P11_OK;
    memcpy(copy, scalar, 32);
    memcpy(message, message_text, sizeof(message_text));
    good = good && p11_secret_import(&secret, copy, 32) == P11_OK
           && p11_ec_generate(&made, P11_P256) == P11_OK
           && p11_ec_public(point, &point_len, made) == P11_OK
           && p11_seal_bytes(sealed_bytes, master, &binding, message, sizeof(message)) == P11_OK;
    memcpy(master_value, p11_slot_get(master, ~0u)->value, 32);
    return good;
}

// The linker sends calls of p11_wipe_stack here (--wrap), so that a test can leave them out.
static bool careless_wiping;
void __real_p11_wipe_stack(void);
void __wrap_p11_wipe_stack(void);

void __wrap_p11_wipe_stack(void) {
    if (!careless_wiping) {
        __real_p11_wipe_stack();
    }
}

static void careless(void) {
    volatile uint8_t copy[32];
    for (size_t i = 0; i < sizeof(copy); i++) {
        copy[i] = scalar[i];
    }
    result = P11_OK;
}

static void run_import(void) {
    result = p11_ec_import(&made, P11_P256, input, 32);
}

static void run_public(void) {
    result = p11_ec_public(out, &out_len, key);
}

static void run_sign(void) {
    result = p11_ecdsa_sign(out, &out_len, key, digest, 32);
}

static void run_seal(void) {
    result = p11_seal(blob, &blob_len, master, key, &binding);
}

static void run_unseal(void) {
    result = p11_unseal(&made, master, blob, blob_len, &binding, P11_P256);
}

static void run_wrap(void) {
    result = p11_master_wrap(wrapped, master, &pin);
}

static void run_unwrap(void) {
    result = p11_master_unwrap(&made, &pin, wrapped, sizeof(wrapped));
}

static void run_generate(void) {
    result = p11_ec_generate(&made, P11_P256);
}

static void run_master_new(void) {
    result = p11_master_new(&made);
}

static void run_mac(void) {
    result = p11_mac(out, master, salt, 6, digest, 32);
}

// --- secret keys: secret.c, cipher.c; the key is the scalar's bytes ----------------------------

static void run_secret_import(void) {
    result = p11_secret_import(&made, input, 32);
}

static void run_secret_generate(void) {
    result = p11_secret_generate(&made, 32);
}

static void run_secret_export(void) {
    result = p11_secret_export(exported, &out_len, secret);
}

static void run_ecdh(void) {
    result = p11_ecdh(&made, key, point, point_len, 32);
}

static void run_seal_bytes(void) {
    result = p11_seal_bytes(sealed_bytes, master, &binding, message, sizeof(message));
}

static void run_unseal_bytes(void) {
    result = p11_unseal_bytes(message, master, sealed_bytes, sizeof(sealed_bytes), &binding);
}

static void run_hmac_start(void) {
    result = p11_keyed_start(&hmac, P11_SHA256, secret);
}

static void run_hmac_start_512(void) {
    result = p11_keyed_start(&hmac, P11_SHA512, secret);
}

static void run_hmac_update(void) {
    result = p11_keyed_update(&hmac, digest, sizeof(digest));
}

static void run_hmac_digest(void) {
    result = p11_keyed_digest(out, &hmac);
}

static void run_cmac(void) {
    result = p11_cmac_start(&cmac, secret);
}

static void run_cmac_update(void) {
    result = p11_cmac_update(&cmac, salt, sizeof(salt));
    result = result == P11_OK ? p11_cmac_update(&cmac, digest, sizeof(digest)) : result;
}

static void run_cmac_digest(void) {
    result = p11_cmac_digest(out, &cmac);
}

static void run_encrypt_start(void) {
    result = p11_aes_start(&aes, secret, true, salt, sizeof(salt));
}

static void run_decrypt_start(void) {
    result = p11_aes_start(&aes, secret, false, NULL, 0);
}

static void run_aes_update(void) {
    result = p11_aes_update(out, &aes, digest, sizeof(digest));
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

static void prepare_rsa(void) {
    memcpy(rsa_public, hex(rsa_n), P11_RSA_BLOCK);
    memcpy(rsa_public + P11_RSA_BLOCK, hex(rsa_e), 3);
    rsa_key.n = (p11_number_t){ rsa_public, P11_RSA_BLOCK };
    rsa_key.e = (p11_number_t){ rsa_public + P11_RSA_BLOCK, 3 };
    for (size_t i = 0; i < P11_RSA_SECRETS; i++) {
        rsa_key.secret[i].len = strlen(rsa_texts[i]) / 2;
        rsa_key.secret[i].data = rsa_numbers[i];
        memcpy(rsa_numbers[i], hex(rsa_texts[i]), rsa_key.secret[i].len);
    }
}

static void run_rsa_import(void) {
    result = p11_rsa_import(&rsa_slot, &rsa_key);
}

static void run_rsa_private(void) {
    result = p11_rsa_private(out, rsa_slot, small_block, P11_RSA_BLOCK);
}

static void run_rsa_seal(void) {
    result = p11_seal(blob, &blob_len, master, rsa_slot, &binding);
}

static void run_rsa_unseal(void) {
    result = p11_unseal(&made, master, blob, blob_len, &binding, P11_RSA_2048);
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
