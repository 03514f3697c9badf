// SPDX-License-Identifier: MIT
#include "residue_runs.h"

#include "rsa_key.h"
#include "slots.h"

// clang-format off
const uint8_t scalar[32] = {
    0x2f, 0x51, 0x9c, 0xe7, 0x64, 0x3d, 0xb8, 0x05, 0x77, 0xca, 0x13, 0x8e, 0xf6, 0x42, 0x9b, 0xd0,
    0x31, 0x85, 0xee, 0x6a, 0x1c, 0xf9, 0x57, 0xb3, 0x48, 0x0d, 0xa4, 0x7e, 0xc1, 0x96, 0x23, 0x5f,
};
// clang-format on
const char pin_text[] = "correct horse 4711";
static const uint8_t salt[16] = { 1, 2, 3 };
uint8_t master_value[32];
uint8_t input[32];
static uint8_t blob[P11_SEALED_MAX];
static size_t blob_len;
uint8_t wrapped[P11_WRAPPED];
static p11_slot_t key;
static p11_slot_t master;
p11_slot_t made;
static p11_slot_t secret;
static uint8_t digest[32] = { 9 };
static const uint8_t small_block[P11_RSA_BLOCK] = { 0, 1, 2, 3 };
static uint8_t out[P11_RSA_BLOCK];
static size_t out_len;
static const p11_binding_t binding = { .context = salt, .context_len = 6 };
static p11_pin_t pin;
const char message_text[] = "a private value that travels as plain bytes";
static uint8_t message[48];
static uint8_t exported[P11_SECRET_MAX];
static uint8_t point[P11_POINT_MAX];
static size_t point_len;
static uint8_t sealed_bytes[P11_NONCE + sizeof(message) + P11_TAG];
static p11_keyed_t hmac;
static p11_cmac_t cmac;
static p11_aes_t aes;
const char *const rsa_texts[P11_RSA_SECRETS] = { rsa_d, rsa_p, rsa_q, rsa_dp, rsa_dq, rsa_qp };
static uint8_t rsa_public[P11_RSA_BLOCK + 3];
static uint8_t rsa_numbers[P11_RSA_SECRETS][P11_RSA_BLOCK];
static p11_rsa_key_t rsa_key;
static p11_slot_t rsa_slot;

bool prepare(void) {
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

void prepare_rsa(void) {
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

void run_import(void) {
    result = p11_ec_import(&made, P11_P256, input, 32);
}

void run_public(void) {
    result = p11_ec_public(out, &out_len, key);
}

void run_sign(void) {
    result = p11_ecdsa_sign(out, &out_len, key, digest, 32);
}

void run_seal(void) {
    result = p11_seal(blob, &blob_len, master, key, &binding);
}

void run_unseal(void) {
    result = p11_unseal(&made, master, blob, blob_len, &binding, P11_P256);
}

void run_wrap(void) {
    result = p11_master_wrap(wrapped, master, &pin);
}

void run_unwrap(void) {
    result = p11_master_unwrap(&made, &pin, wrapped, sizeof(wrapped));
}

void run_generate(void) {
    result = p11_ec_generate(&made, P11_P256);
}

void run_master_new(void) {
    result = p11_master_new(&made);
}

void run_mac(void) {
    result = p11_mac(out, master, salt, 6, digest, 32);
}

// Secret keys: secret.c, cipher.c; the key is the scalar's bytes.

void run_secret_import(void) {
    result = p11_secret_import(&made, input, 32);
}

void run_secret_generate(void) {
    result = p11_secret_generate(&made, 32);
}

void run_secret_export(void) {
    result = p11_secret_export(exported, &out_len, secret);
}

void run_ecdh(void) {
    result = p11_ecdh(&made, key, point, point_len, 32);
}

void run_seal_bytes(void) {
    result = p11_seal_bytes(sealed_bytes, master, &binding, message, sizeof(message));
}

void run_unseal_bytes(void) {
    result = p11_unseal_bytes(message, master, sealed_bytes, sizeof(sealed_bytes), &binding);
}

void run_hmac_start(void) {
    result = p11_keyed_start(&hmac, P11_SHA256, secret);
}

void run_hmac_start_512(void) {
    result = p11_keyed_start(&hmac, P11_SHA512, secret);
}

void run_hmac_update(void) {
    result = p11_keyed_update(&hmac, digest, sizeof(digest));
}

void run_hmac_digest(void) {
    result = p11_keyed_digest(out, &hmac);
}

void run_cmac(void) {
    result = p11_cmac_start(&cmac, secret);
}

void run_cmac_update(void) {
    result = p11_cmac_update(&cmac, salt, sizeof(salt));
    result = result == P11_OK ? p11_cmac_update(&cmac, digest, sizeof(digest)) : result;
}

void run_cmac_digest(void) {
    result = p11_cmac_digest(out, &cmac);
}

void run_encrypt_start(void) {
    result = p11_aes_start(&aes, secret, true, salt, sizeof(salt));
}

void run_decrypt_start(void) {
    result = p11_aes_start(&aes, secret, false, NULL, 0);
}

void run_aes_update(void) {
    result = p11_aes_update(out, &aes, digest, sizeof(digest));
}

void run_rsa_import(void) {
    result = p11_rsa_import(&rsa_slot, &rsa_key);
}

void run_rsa_private(void) {
    result = p11_rsa_private(out, rsa_slot, small_block, P11_RSA_BLOCK);
}

void run_rsa_seal(void) {
    result = p11_seal(blob, &blob_len, master, rsa_slot, &binding);
}

void run_rsa_unseal(void) {
    result = p11_unseal(&made, master, blob, blob_len, &binding, P11_RSA_2048);
}
