// SPDX-License-Identifier: MIT
#include "check.h"
#include "hmac.h"
#include "slots.h"

static const uint8_t salt[16] = "0123456789abcde";

static p11_pin_t pin_of(const char *text, uint32_t iterations) {
    return (p11_pin_t){
        .pin = (const uint8_t *)text,
        .pin_len = strlen(text),
        .salt = salt,
        .salt_len = sizeof(salt),
        .iterations = iterations,
        .aad = (const uint8_t *)"user",
        .aad_len = 4,
    };
}

static p11_binding_t binding_of(const char *context, const char *aad) {
    return (p11_binding_t){
        .context = (const uint8_t *)context,
        .context_len = strlen(context),
        .aad = (const uint8_t *)aad,
        .aad_len = strlen(aad),
    };
}

static bool same_key(p11_slot_t a, p11_slot_t b) {
    const p11_key_t *x = p11_slot_get(a, ~0u);
    const p11_key_t *y = p11_slot_get(b, ~0u);
    return x != NULL && y != NULL && x->kind == y->kind && x->len == y->len
           && memcmp(x->value, y->value, x->len) == 0;
}

TEST(pbkdf2_gives_the_vectors_of_rfc_7914) {
    uint8_t out[32];
    CHECK(p11_pbkdf2(out, (const uint8_t *)"passwd", 6, (const uint8_t *)"salt", 4, 1) == P11_OK);
    CHECK(memcmp(out,
              hex("55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc"), 32)
          == 0);
    CHECK(p11_pbkdf2(out, (const uint8_t *)"Password", 8, (const uint8_t *)"NaCl", 4, 80000)
          == P11_OK);
    CHECK(memcmp(out,
              hex("4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56"), 32)
          == 0);
}

TEST(hmac_gives_the_vectors_of_rfc_4231) {
    uint8_t key[131];
    uint8_t out[32];
    p11_hmac_t hmac;
    p11_hmac_start(&hmac, (const uint8_t *)"Jefe", 4);
    p11_hmac_add(&hmac, "what do ya want ", 16);
    p11_hmac_add(&hmac, "for nothing?", 12);
    CHECK(p11_hmac_end(&hmac, out) == P11_OK);
    CHECK(memcmp(out,
              hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"), 32)
          == 0);
    memset(key, 0xaa, sizeof(key)); // longer than a block: hashed first
    p11_hmac_start(&hmac, key, sizeof(key));
    p11_hmac_add(&hmac, "Test Using Larger Than Block-Size Key - Hash Key First", 54);
    CHECK(p11_hmac_end(&hmac, out) == P11_OK);
    CHECK(memcmp(out,
              hex("60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"), 32)
          == 0);
}

TEST(a_wrapped_master_key_opens_with_its_pin_only) {
    static const uint32_t iterations[] = { 0, 1, 100 };
    for (int i = 0; i < 3; i++) {
        uint8_t blob[P11_WRAPPED];
        p11_slot_t master;
        p11_slot_t again;
        p11_pin_t right = pin_of("0000", iterations[i]);
        p11_pin_t wrong = pin_of("0001", iterations[i]);
        CHECK(p11_master_new(&master) == P11_OK);
        CHECK(p11_master_wrap(blob, master, &right) == P11_OK);
        CHECK(p11_master_unwrap(&again, &wrong, blob, sizeof(blob)) == P11_NO && again == 0);
        CHECK(p11_master_unwrap(&again, &right, blob, sizeof(blob)) == P11_OK);
        CHECK(same_key(master, again));
    }
}

TEST(a_wrap_is_bound_to_salt_iterations_aad_device_and_every_bit) {
    uint8_t blob[P11_WRAPPED];
    uint8_t device[32] = { 1 };
    p11_slot_t master;
    p11_slot_t slot;
    p11_pin_t pin = pin_of("123456", 10);
    CHECK(p11_master_new(&master) == P11_OK && p11_master_wrap(blob, master, &pin) == P11_OK);

    p11_pin_t other = pin;
    other.salt_len--;
    CHECK(p11_master_unwrap(&slot, &other, blob, sizeof(blob)) == P11_NO);
    other = pin;
    other.iterations = 0;
    CHECK(p11_master_unwrap(&slot, &other, blob, sizeof(blob)) == P11_NO);
    other = pin;
    other.aad = (const uint8_t *)"so";
    other.aad_len = 2;
    CHECK(p11_master_unwrap(&slot, &other, blob, sizeof(blob)) == P11_NO);
    host_device_secret(device);
    CHECK(p11_master_unwrap(&slot, &pin, blob, sizeof(blob)) == P11_NO);
    host_device_secret(NULL);
    for (size_t bit = 0; bit < 8 * sizeof(blob); bit++) {
        blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(p11_master_unwrap(&slot, &pin, blob, sizeof(blob)) == P11_NO && slot == 0);
        blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(p11_master_unwrap(&slot, &pin, blob, sizeof(blob)) == P11_OK);
    CHECK(p11_slots_used() == 2);
}

TEST(the_device_secret_enters_the_wrap) {
    uint8_t blob[P11_WRAPPED];
    uint8_t device[32] = { 1 };
    p11_slot_t master;
    p11_slot_t slot;
    p11_pin_t pin = pin_of("123456", 1);
    host_device_secret(device);
    CHECK(p11_master_new(&master) == P11_OK && p11_master_wrap(blob, master, &pin) == P11_OK);
    CHECK(p11_master_unwrap(&slot, &pin, blob, sizeof(blob)) == P11_OK);
    device[31] ^= 1;
    host_device_secret(device);
    CHECK(p11_master_unwrap(&slot, &pin, blob, sizeof(blob)) == P11_NO);
}

TEST(the_device_pin_is_hex_and_follows_the_device_secret) {
    uint8_t device[32] = { 1 };
    uint8_t pin[P11_DEVICE_PIN];
    uint8_t again[P11_DEVICE_PIN];
    memset(pin, 1, sizeof(pin));
    CHECK(p11_device_pin(pin) == P11_NO && pin[0] == 0 && pin[31] == 0);
    host_device_secret(device);
    CHECK(p11_device_pin(pin) == P11_OK && p11_device_pin(again) == P11_OK);
    CHECK(memcmp(pin, again, sizeof(pin)) == 0);
    for (size_t i = 0; i < sizeof(pin); i++) {
        CHECK((pin[i] >= '0' && pin[i] <= '9') || (pin[i] >= 'a' && pin[i] <= 'f'));
    }
    device[31] ^= 1;
    host_device_secret(device);
    CHECK(p11_device_pin(again) == P11_OK && memcmp(pin, again, sizeof(pin)) != 0);
}

TEST(wraps_of_the_same_key_never_repeat) {
    uint8_t one[P11_WRAPPED];
    uint8_t two[P11_WRAPPED];
    p11_slot_t master;
    p11_pin_t pin = pin_of("0000", 0);
    CHECK(p11_master_new(&master) == P11_OK);
    CHECK(p11_master_wrap(one, master, &pin) == P11_OK);
    CHECK(p11_master_wrap(two, master, &pin) == P11_OK);
    CHECK(memcmp(one, two, P11_NONCE) != 0 && memcmp(one + 12, two + 12, 48) != 0);
}

TEST(bad_pin_parameters_are_named) {
    uint8_t blob[P11_WRAPPED];
    uint8_t long_pin[256] = { 0 };
    p11_slot_t master;
    p11_slot_t slot;
    CHECK(p11_master_new(&master) == P11_OK);
    p11_pin_t pin = pin_of("", 0);
    CHECK(p11_master_wrap(blob, master, &pin) == P11_BAD_PIN);
    pin.pin = long_pin;
    pin.pin_len = 256;
    CHECK(p11_master_wrap(blob, master, &pin) == P11_BAD_PIN);
    pin.pin_len = 255;
    CHECK(p11_master_wrap(blob, master, &pin) == P11_OK);
    pin.salt_len = 7;
    CHECK(p11_master_unwrap(&slot, &pin, blob, 60) == P11_BAD_SALT);
    pin.salt_len = 65;
    CHECK(p11_master_unwrap(&slot, &pin, blob, 60) == P11_BAD_SALT);
    pin = pin_of("0000", 10000001);
    CHECK(p11_master_unwrap(&slot, &pin, blob, 60) == P11_BAD_ITERATIONS);
    pin.iterations = 0;
    CHECK(p11_master_unwrap(&slot, &pin, blob, 59) == P11_BAD_BLOB);
    CHECK(p11_master_unwrap(&slot, &pin, blob, 61) == P11_BAD_BLOB);
}

TEST(a_sealed_key_opens_under_its_own_context_aad_kind_and_master_only) {
    uint8_t blob[P11_SEALED_MAX + 1];
    size_t len;
    p11_slot_t master;
    p11_slot_t stranger;
    p11_slot_t key;
    p11_slot_t slot;
    CHECK(p11_master_new(&master) == P11_OK && p11_master_new(&stranger) == P11_OK);
    CHECK(p11_ec_generate(&key, P11_P256) == P11_OK);
    p11_binding_t binding = binding_of("ctx-01", "attributes");
    CHECK(p11_seal(blob, &len, master, key, &binding) == P11_OK && len == 60);
    CHECK(p11_unseal(&slot, master, blob, len, &binding, P11_P256) == P11_OK);
    CHECK(same_key(key, slot) && p11_release(slot) == P11_OK);

    p11_binding_t other = binding_of("ctx-02", "attributes");
    CHECK(p11_unseal(&slot, master, blob, len, &other, P11_P256) == P11_BAD_SEALED);
    other = binding_of("ctx-01", "attributez");
    CHECK(p11_unseal(&slot, master, blob, len, &other, P11_P256) == P11_BAD_SEALED);
    CHECK(p11_unseal(&slot, stranger, blob, len, &binding, P11_P256) == P11_BAD_SEALED);
    CHECK(p11_unseal(&slot, master, blob, len, &binding, P11_P384) == P11_BAD_SEALED);
    CHECK(p11_unseal(&slot, master, blob, len - 1, &binding, P11_P256) == P11_BAD_SEALED);
    CHECK(p11_unseal(&slot, master, blob, len + 1, &binding, P11_P256) == P11_BAD_SEALED);
    CHECK(p11_unseal(&slot, master, blob, 28, &binding, P11_SECRET) == P11_BAD_SEALED);
    CHECK(p11_unseal(&slot, master, blob, 0, &binding, P11_SECRET) == P11_BAD_SEALED);
    CHECK(p11_unseal(&slot, master, blob, 93, &binding, P11_SECRET) == P11_BAD_SEALED);
    CHECK(p11_unseal(&slot, master, blob, len, &binding, P11_MASTER) == P11_BAD_KIND);
    CHECK(p11_unseal(&slot, master, blob, len, &binding, 0) == P11_BAD_KIND);
    CHECK(p11_unseal(&slot, key, blob, len, &binding, P11_P256) == P11_BAD_SLOT);
    for (size_t bit = 0; bit < 8 * len; bit++) {
        blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CHECK(p11_unseal(&slot, master, blob, len, &binding, P11_P256) == P11_BAD_SEALED);
        blob[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    CHECK(p11_slots_used() == 3);
}

TEST(every_length_of_a_secret_seals_and_opens) {
    uint8_t blob[P11_SEALED_MAX];
    uint8_t value[P11_SECRET_MAX];
    size_t len;
    p11_slot_t master;
    p11_slot_t key;
    p11_slot_t slot;
    p11_binding_t binding = binding_of("c", "");
    CHECK(p11_master_new(&master) == P11_OK);
    host_bytes(value, sizeof(value));
    for (size_t n = 1; n <= sizeof(value); n++) {
        CHECK(p11_slot_take(&key, P11_SECRET, value, n) == P11_OK);
        CHECK(p11_seal(blob, &len, master, key, &binding) == P11_OK && len == n + 28);
        CHECK(p11_unseal(&slot, master, blob, len, &binding, P11_SECRET) == P11_OK);
        CHECK(same_key(key, slot));
        CHECK(p11_release(key) == P11_OK && p11_release(slot) == P11_OK);
    }
}

TEST(a_sealed_value_out_of_range_never_becomes_a_curve_key) {
    uint8_t blob[P11_SEALED_MAX];
    uint8_t zero[32] = { 0 };
    size_t len;
    p11_slot_t master;
    p11_slot_t key;
    p11_slot_t slot;
    p11_binding_t binding = binding_of("c", "");
    CHECK(p11_master_new(&master) == P11_OK);
    CHECK(p11_slot_take(&key, P11_SECRET, zero, 32) == P11_OK);
    CHECK(p11_seal(blob, &len, master, key, &binding) == P11_OK);
    CHECK(p11_unseal(&slot, master, blob, len, &binding, P11_P256) == P11_BAD_SEALED);
    CHECK(p11_unseal(&slot, master, blob, len, &binding, P11_SECRET) == P11_OK);
}

TEST(sealing_refuses_master_keys_and_wrong_slots) {
    uint8_t blob[P11_SEALED_MAX];
    uint8_t wrapped[P11_WRAPPED];
    size_t len;
    p11_slot_t master;
    p11_slot_t key;
    p11_binding_t binding = binding_of("c", "");
    p11_binding_t empty = binding_of("", "");
    p11_binding_t long_one = binding_of("123456789012345678901234567890123", "");
    p11_pin_t pin = pin_of("0000", 0);
    CHECK(p11_master_new(&master) == P11_OK && p11_ec_generate(&key, P11_P256) == P11_OK);
    CHECK(p11_seal(blob, &len, master, master, &binding) == P11_BAD_SLOT && len == 0);
    CHECK(p11_seal(blob, &len, key, key, &binding) == P11_BAD_SLOT);
    CHECK(p11_seal(blob, &len, master, key, &empty) == P11_BAD_CONTEXT);
    CHECK(p11_seal(blob, &len, master, key, &long_one) == P11_BAD_CONTEXT);
    CHECK(p11_master_wrap(wrapped, key, &pin) == P11_BAD_SLOT);
    CHECK(p11_mac(blob, key, salt, 6, salt, 6) == P11_BAD_SLOT);
    CHECK(p11_mac(blob, master, salt, 0, salt, 6) == P11_BAD_CONTEXT);
    CHECK(p11_mac(blob, master, salt, 6, salt, 6) == P11_OK);
}

TEST(context_and_data_of_a_mac_do_not_slide_into_each_other) {
    uint8_t one[P11_MAC];
    uint8_t two[P11_MAC];
    p11_slot_t master;
    CHECK(p11_master_new(&master) == P11_OK);
    const uint8_t *text = (const uint8_t *)"abcdef";
    CHECK(p11_mac(one, master, text, 2, text + 2, 4) == P11_OK);
    CHECK(p11_mac(two, master, text, 3, text + 3, 3) == P11_OK);
    CHECK(memcmp(one, two, sizeof(one)) != 0);
}

// clang-format off
SUITE(seal_suite,
    LIST(pbkdf2_gives_the_vectors_of_rfc_7914)
    LIST(hmac_gives_the_vectors_of_rfc_4231)
    LIST(a_wrapped_master_key_opens_with_its_pin_only)
    LIST(a_wrap_is_bound_to_salt_iterations_aad_device_and_every_bit)
    LIST(the_device_secret_enters_the_wrap)
    LIST(the_device_pin_is_hex_and_follows_the_device_secret)
    LIST(wraps_of_the_same_key_never_repeat)
    LIST(bad_pin_parameters_are_named)
    LIST(a_sealed_key_opens_under_its_own_context_aad_kind_and_master_only)
    LIST(every_length_of_a_secret_seals_and_opens)
    LIST(a_sealed_value_out_of_range_never_becomes_a_curve_key)
    LIST(sealing_refuses_master_keys_and_wrong_slots)
    LIST(context_and_data_of_a_mac_do_not_slide_into_each_other)
);
// clang-format on
