// SPDX-License-Identifier: MIT
#include "arena.h"
#include "check.h"
#include "rsa_key.h"
#include "slots.h"

static const char *const texts[] = { rsa_d, rsa_p, rsa_q, rsa_dp, rsa_dq, rsa_qp };
static uint8_t modulus[P11_RSA_BLOCK];
static uint8_t exponent[3];
static uint8_t secrets[P11_RSA_SECRETS][P11_RSA_BLOCK];
static uint8_t block[P11_RSA_BLOCK]; // 0x00ff…ff
static uint8_t out[P11_RSA_BLOCK];
static p11_rsa_key_t key;

static bool zero(const uint8_t *p, size_t len) {
    uint8_t any = 0;
    for (size_t i = 0; i < len; i++) {
        any |= p[i];
    }
    return any == 0;
}

// Sets key to the numbers of rsa_key.h.
static void prepare(void) {
    memcpy(modulus, hex(rsa_n), sizeof(modulus));
    memcpy(exponent, hex(rsa_e), sizeof(exponent));
    key.n = (p11_number_t){ modulus, sizeof(modulus) };
    key.e = (p11_number_t){ exponent, sizeof(exponent) };
    for (size_t i = 0; i < P11_RSA_SECRETS; i++) {
        size_t len = strlen(texts[i]) / 2;
        memcpy(secrets[i], hex(texts[i]), len);
        key.secret[i].data = secrets[i];
        key.secret[i].len = len;
    }
    memset(block, 0xff, sizeof(block));
    block[0] = 0;
}

static bool wiped(void) {
    for (size_t i = 0; i < P11_RSA_SECRETS; i++) {
        if (!zero(key.secret[i].data, key.secret[i].len)) {
            return false;
        }
    }
    return true;
}

static p11_slot_t imported(void) {
    p11_slot_t slot;
    prepare();
    return p11_rsa_import(&slot, &key) == P11_OK ? slot : 0;
}

TEST(the_private_power_is_the_known_one_and_the_public_one_its_inverse) {
    p11_slot_t slot = imported();
    CHECK(slot != 0 && wiped());
    CHECK(p11_slot_get(slot, P11_KIND(P11_RSA_2048)) != NULL && p11_slots_used() == 1);
    for (int i = 0; i < 2; i++) { // another blinding, the same number
        CHECK(p11_rsa_private(out, slot, block, sizeof(block)) == P11_OK);
        CHECK(memcmp(out, hex(rsa_answer), sizeof(out)) == 0);
    }
    CHECK(p11_rsa_public(out, &key.n, &key.e, out, sizeof(out)) == P11_OK);
    CHECK(memcmp(out, block, sizeof(out)) == 0);
}

TEST(leading_zeros_change_nothing) {
    static uint8_t padded[P11_RSA_SECRETS + 2][P11_RSA_BLOCK + 40];
    p11_slot_t slot;
    prepare();
    memcpy(padded[6] + 40, modulus, sizeof(modulus));
    memcpy(padded[7] + 2, exponent, sizeof(exponent));
    key.n = (p11_number_t){ padded[6], sizeof(modulus) + 40 };
    key.e = (p11_number_t){ padded[7], sizeof(exponent) + 2 };
    for (size_t i = 0; i < P11_RSA_SECRETS; i++) {
        memcpy(padded[i] + 40, secrets[i], key.secret[i].len);
        key.secret[i].data = padded[i];
        key.secret[i].len += 40;
    }
    CHECK(p11_rsa_import(&slot, &key) == P11_OK && wiped());
    CHECK(p11_rsa_private(out, slot, block, sizeof(block)) == P11_OK);
    CHECK(p11_rsa_public(out, &key.n, &key.e, out, sizeof(out)) == P11_OK);
    CHECK(memcmp(out, block, sizeof(out)) == 0);
}

TEST(numbers_that_are_not_of_one_key_are_refused_and_wiped) {
    p11_slot_t slot;
    for (size_t i = 0; i < P11_RSA_SECRETS; i++) {
        size_t len = strlen(texts[i]) / 2;
        for (size_t at = 0; at < len; at += len - 1) { // the first byte and the last one
            prepare();
            secrets[i][at] ^= 2;
            CHECK(p11_rsa_import(&slot, &key) == P11_BAD_KEY && slot == 0);
            CHECK(wiped());
        }
        prepare();
        memset(secrets[i], 0, len);
        CHECK(p11_rsa_import(&slot, &key) == P11_BAD_KEY && wiped());
        prepare();
        key.secret[i].len = 0;
        CHECK(p11_rsa_import(&slot, &key) == P11_BAD_KEY);
        prepare();
        key.secret[i].len = sizeof(secrets[i]); // longer than its half, or another number
        secrets[i][sizeof(secrets[i]) - 1] = 1;
        CHECK(p11_rsa_import(&slot, &key) == P11_BAD_KEY && wiped());
    }
    prepare();
    modulus[100] ^= 1;
    CHECK(p11_rsa_import(&slot, &key) == P11_BAD_KEY && wiped());
    prepare();
    exponent[1] = 1;
    CHECK(p11_rsa_import(&slot, &key) == P11_BAD_KEY && wiped());
    size_t len;
    const uint8_t *memory = p11_test_slots(&len);
    CHECK(p11_slots_used() == 0 && !contains(memory, len, hex(rsa_q), 4));
}

TEST(modulus_and_exponent_have_their_bounds) {
    p11_slot_t slot;
    uint8_t wide[5] = { 1, 0, 0, 0, 1 };
    uint8_t one[1] = { 1 };
    const p11_number_t bad[] = {
        { wide, 5 },
        { wide, 0 },
        { one, 1 },
        { exponent, 2 }, // 0x0100
    };
    prepare();
    modulus[0] &= 0x7f;
    CHECK(p11_rsa_import(&slot, &key) == P11_BAD_MODULUS && wiped());
    CHECK(p11_rsa_public(out, &key.n, &key.e, block, 256) == P11_BAD_MODULUS);
    prepare();
    modulus[255] &= 0xfe;
    CHECK(p11_rsa_import(&slot, &key) == P11_BAD_MODULUS);
    prepare();
    key.n.len = 255;
    CHECK(p11_rsa_import(&slot, &key) == P11_BAD_MODULUS);
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        prepare();
        key.e = bad[i];
        CHECK(p11_rsa_import(&slot, &key) == P11_BAD_EXPONENT && wiped());
        CHECK(p11_rsa_public(out, &key.n, &key.e, block, 256) == P11_BAD_EXPONENT);
    }
}

TEST(blocks_have_256_bytes_and_are_below_the_modulus) {
    p11_slot_t slot = imported();
    uint8_t high[P11_RSA_BLOCK + 1] = { 0 };
    memset(out, 1, sizeof(out));
    CHECK(p11_rsa_private(out, slot, modulus, 256) == P11_BAD_BLOCK && zero(out, 256));
    CHECK(p11_rsa_public(out, &key.n, &key.e, modulus, 256) == P11_BAD_BLOCK);
    CHECK(p11_rsa_private(out, slot, block, 255) == P11_BAD_BLOCK);
    CHECK(p11_rsa_private(out, slot, high, 257) == P11_BAD_BLOCK);
    CHECK(p11_rsa_private(out, slot, high, 0) == P11_BAD_BLOCK);
    modulus[255] -= 1; // n - 1: an even power of -1 would be 1, an odd one is -1
    CHECK(p11_rsa_private(out, slot, modulus, 256) == P11_OK);
    CHECK(memcmp(out, modulus, 256) == 0);
    CHECK(p11_rsa_private(out, slot, high, 256) == P11_OK && zero(out, 256));
}

TEST(only_an_rsa_slot_is_raised_and_an_rsa_slot_does_nothing_else) {
    p11_slot_t slot = imported();
    p11_slot_t other;
    size_t len;
    uint8_t more[P11_SIGNATURE_MAX + P11_POINT_MAX];
    CHECK(p11_ec_generate(&other, P11_P256) == P11_OK);
    CHECK(p11_rsa_private(out, other, block, 256) == P11_BAD_SLOT && zero(out, 256));
    CHECK(p11_rsa_private(out, 0, block, 256) == P11_BAD_SLOT);
    CHECK(p11_ecdsa_sign(more, &len, slot, block, 32) == P11_BAD_SLOT);
    CHECK(p11_ec_public(more, &len, slot) == P11_BAD_SLOT);
    CHECK(p11_secret_export(more, &len, slot) == P11_BAD_SLOT);
    CHECK(p11_release(slot) == P11_OK);
    CHECK(p11_rsa_private(out, slot, block, 256) == P11_BAD_SLOT);
}

TEST(a_fault_in_any_number_of_the_key_gives_no_result) {
    p11_slot_t slot = imported();
    uint8_t *value = p11_slot_get(slot, ~0u)->value;
    for (size_t at = 0; at < P11_RSA_KEY; at += 64) { // twice in each number, once in e
        value[at + 3] ^= 4;
        memset(out, 1, sizeof(out));
        CHECK(p11_rsa_private(out, slot, block, 256) == P11_INTERNAL && zero(out, 256));
        value[at + 3] ^= 4;
    }
    CHECK(p11_rsa_private(out, slot, block, 256) == P11_OK);
}

static bool silent(uint8_t *buffer, size_t len) {
    memset(buffer, 0, len);
    return false;
}

TEST(without_random_numbers_for_the_blinding_there_is_no_result) {
    p11_slot_t slot = imported();
    host_source(silent);
    CHECK(p11_ec_generate(&(p11_slot_t){ 0 }, P11_P256) == P11_ENTROPY); // notices the source
    CHECK(p11_rsa_private(out, slot, block, 256) == P11_ENTROPY && zero(out, 256));
    prepare();
    CHECK(p11_rsa_import(&slot, &key) == P11_ENTROPY && slot == 0 && wiped());
    CHECK(p11_slots_used() == 1);
}

TEST(four_keys_find_a_slot_and_take_none_from_the_others) {
    p11_slot_t slots[P11_LARGE_SLOTS + 1];
    for (size_t i = 0; i < P11_LARGE_SLOTS; i++) {
        slots[i] = imported();
        CHECK(slots[i] != 0);
    }
    CHECK(p11_slot_vacant() && imported() == 0 && wiped());
    CHECK(p11_rsa_import(&slots[P11_LARGE_SLOTS], &key) == P11_FULL);
    CHECK(p11_release(slots[1]) == P11_OK);
    slots[P11_LARGE_SLOTS] = imported();
    CHECK(slots[P11_LARGE_SLOTS] != 0 && slots[P11_LARGE_SLOTS] != slots[1]);
    CHECK(p11_rsa_private(out, slots[1], block, 256) == P11_BAD_SLOT);
    size_t len;
    const uint8_t *memory = p11_test_slots(&len);
    CHECK(contains(memory, len, hex(rsa_q), 8));
    p11_wipe_all();
    CHECK(!contains(memory, len, hex(rsa_q), 4) && p11_slots_used() == 0);
}

TEST(a_sealed_rsa_key_opens_as_what_it_is_only) {
    uint8_t blob[P11_SEALED_MAX + 1];
    size_t len;
    p11_slot_t master;
    p11_slot_t opened;
    p11_slot_t slot = imported();
    p11_binding_t binding = { .context = modulus, .context_len = 6 };
    CHECK(p11_master_new(&master) == P11_OK);
    CHECK(p11_seal(blob, &len, master, slot, &binding) == P11_OK && len == P11_SEALED_MAX);
    CHECK(!contains(blob, len, hex(rsa_p), 4));
    CHECK(p11_unseal(&opened, master, blob, len, &binding, P11_RSA_2048) == P11_OK);
    CHECK(p11_rsa_private(out, opened, block, 256) == P11_OK);
    CHECK(memcmp(out, hex(rsa_answer), 256) == 0);
    for (int kind = 0; kind < 8; kind++) {
        int wanted = kind == 0 || kind == P11_MASTER || kind > 5 ? P11_BAD_KIND : P11_BAD_SEALED;
        CHECK(kind == P11_RSA_2048
              || p11_unseal(&opened, master, blob, len, &binding, kind) == wanted);
    }
    for (size_t cut = 1; cut < len; cut += 97) {
        int status = p11_unseal(&opened, master, blob, len - cut, &binding, P11_RSA_2048);
        CHECK(status == P11_BAD_SEALED);
    }
    CHECK(p11_unseal(&opened, master, blob, len + 1, &binding, P11_RSA_2048) == P11_BAD_SEALED);
    blob[300] ^= 1;
    CHECK(p11_unseal(&opened, master, blob, len, &binding, P11_RSA_2048) == P11_BAD_SEALED);
    CHECK(p11_slots_used() == 3);
    CHECK(p11_secret_generate(&slot, 48) == P11_OK); // a short secret is not an RSA key
    CHECK(p11_seal(blob, &len, master, slot, &binding) == P11_OK);
    CHECK(p11_unseal(&opened, master, blob, len, &binding, P11_RSA_2048) == P11_BAD_SEALED);
}

TEST(the_arena_has_room_for_rsa) {
    size_t len;
    const uint8_t *memory = p11_test_arena(&len);
    p11_test_arena_deepest();
    p11_slot_t slot = imported();
    CHECK(p11_rsa_private(out, slot, block, 256) == P11_OK && zero(memory, len));
    size_t deepest = p11_test_arena_deepest();
    printf("  deepest use of the arena: %zu of %zu bytes\n", deepest, len);
    CHECK(deepest > 512 && deepest <= len * 3 / 4);
    for (size_t taken = 0; taken < P11_ARENA_BYTES; taken += 512) {
        void *hole = p11_calloc(1, P11_ARENA_BYTES - 64 - taken);
        int status = p11_rsa_private(out, slot, block, 256);
        CHECK(hole == NULL || (status == P11_INTERNAL && zero(out, 256)));
        p11_arena_wipe();
    }
    CHECK(p11_rsa_private(out, slot, block, 256) == P11_OK);
}

// clang-format off
SUITE(rsa_suite,
    LIST(the_private_power_is_the_known_one_and_the_public_one_its_inverse)
    LIST(leading_zeros_change_nothing)
    LIST(numbers_that_are_not_of_one_key_are_refused_and_wiped)
    LIST(modulus_and_exponent_have_their_bounds)
    LIST(blocks_have_256_bytes_and_are_below_the_modulus)
    LIST(only_an_rsa_slot_is_raised_and_an_rsa_slot_does_nothing_else)
    LIST(a_fault_in_any_number_of_the_key_gives_no_result)
    LIST(without_random_numbers_for_the_blinding_there_is_no_result)
    LIST(four_keys_find_a_slot_and_take_none_from_the_others)
    LIST(a_sealed_rsa_key_opens_as_what_it_is_only)
    LIST(the_arena_has_room_for_rsa)
);
// clang-format on
