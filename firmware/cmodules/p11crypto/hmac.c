// SPDX-License-Identifier: MIT
#include "hmac.h"

#include <string.h>

#include "wipe.h"

#define BLOCK 64

void p11_hmac_start(p11_hmac_t *hmac, const uint8_t *key, size_t len) {
    uint8_t pad[BLOCK] = { 0 };
    mbedtls_sha256_init(&hmac->inner);
    mbedtls_sha256_init(&hmac->outer);
    hmac->bad = 0;
    if (len > BLOCK) {
        hmac->bad |= mbedtls_sha256(key, len, pad, 0);
    } else {
        memcpy(pad, key, len);
    }
    for (size_t i = 0; i < BLOCK; i++) {
        pad[i] ^= 0x36;
    }
    hmac->bad |= mbedtls_sha256_starts(&hmac->inner, 0);
    hmac->bad |= mbedtls_sha256_update(&hmac->inner, pad, BLOCK);
    for (size_t i = 0; i < BLOCK; i++) {
        pad[i] ^= 0x36 ^ 0x5c;
    }
    hmac->bad |= mbedtls_sha256_starts(&hmac->outer, 0);
    hmac->bad |= mbedtls_sha256_update(&hmac->outer, pad, BLOCK);
    p11_wipe(pad, sizeof(pad));
}

void p11_hmac_add(p11_hmac_t *hmac, const void *data, size_t len) {
    hmac->bad |= mbedtls_sha256_update(&hmac->inner, data, len);
}

int p11_hmac_end(p11_hmac_t *hmac, uint8_t out[32]) {
    hmac->bad |= mbedtls_sha256_finish(&hmac->inner, out);
    hmac->bad |= mbedtls_sha256_update(&hmac->outer, out, 32);
    hmac->bad |= mbedtls_sha256_finish(&hmac->outer, out);
    int status = hmac->bad == 0 ? P11_OK : P11_INTERNAL;
    if (status != P11_OK) {
        p11_wipe(out, 32);
    }
    p11_wipe(hmac, sizeof(*hmac));
    return status;
}

// One more block of 32 bytes through the two halves of a keyed HMAC; not 0 on an error.
static int iterate(const p11_hmac_t *keyed, mbedtls_sha256_context *work, uint8_t u[32]) {
    *work = keyed->inner;
    int bad = mbedtls_sha256_update(work, u, 32);
    bad |= mbedtls_sha256_finish(work, u);
    *work = keyed->outer;
    bad |= mbedtls_sha256_update(work, u, 32);
    bad |= mbedtls_sha256_finish(work, u);
    return bad;
}

int p11_pbkdf2(uint8_t out[32], const uint8_t *password, size_t password_len, const uint8_t *salt,
    size_t salt_len, uint32_t iterations) {
    static const uint8_t block_one[4] = { 0, 0, 0, 1 };
    p11_hmac_t keyed; // the padded password is hashed once, not at each iteration
    p11_hmac_t hmac;
    uint8_t u[32];
    p11_hmac_start(&keyed, password, password_len);
    hmac = keyed;
    p11_hmac_add(&hmac, salt, salt_len);
    p11_hmac_add(&hmac, block_one, sizeof(block_one));
    int status = p11_hmac_end(&hmac, u);
    memcpy(out, u, sizeof(u));
    for (uint32_t i = 1; status == P11_OK && i < iterations; i++) {
        if (iterate(&keyed, &hmac.inner, u) != 0) {
            status = P11_INTERNAL;
        }
        for (size_t j = 0; j < sizeof(u); j++) {
            out[j] ^= u[j];
        }
    }
    if (status != P11_OK) {
        p11_wipe(out, 32);
    }
    p11_wipe(&keyed, sizeof(keyed));
    p11_wipe(&hmac, sizeof(hmac));
    p11_wipe(u, sizeof(u));
    return status;
}
