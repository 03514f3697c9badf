// SPDX-License-Identifier: MIT
#include "stretch.h"

#include "sha256/fast_sha256.h"

#define MESSAGE_MAX (STRETCH_SALT_MAX + 4)

static void wipe(void *buf, size_t len) {
    volatile uint8_t *p = buf;
    while (len-- != 0) {
        *p++ = 0;
    }
}

static void copy(uint8_t *to, const uint8_t *from, size_t len) {
    for (size_t i = 0; i < len; i++) {
        to[i] = from[i];
    }
}

// A key of HMAC: the hash behind its first block, for the inner and the outer hash.
typedef struct {
    fast_sha256_t inner;
    fast_sha256_t outer;
} hmac_key_t;

static void first_block(fast_sha256_t *hash, const uint8_t *key, size_t len, uint8_t pad) {
    uint8_t block[64];
    for (size_t i = 0; i < sizeof(block); i++) {
        block[i] = (uint8_t)((i < len ? key[i] : 0) ^ pad);
    }
    fast_sha256_start(hash);
    fast_sha256_add(hash, block, sizeof(block));
    wipe(block, sizeof(block));
}

static void hmac_key(hmac_key_t *key, const uint8_t *bytes, size_t len) {
    uint8_t digest[32];
    if (len > 64) {
        fast_sha256_start(&key->inner);
        fast_sha256_add(&key->inner, bytes, len);
        fast_sha256_end(digest, &key->inner);
        bytes = digest;
        len = sizeof(digest);
    }
    first_block(&key->inner, bytes, len, 0x36);
    first_block(&key->outer, bytes, len, 0x5c);
    wipe(digest, sizeof(digest));
}

// `message` may be `out`.
static void hmac(uint8_t out[32], const hmac_key_t *key, const uint8_t *message, size_t len) {
    fast_sha256_t hash = key->inner;
    fast_sha256_add(&hash, message, len);
    fast_sha256_end(out, &hash);
    hash = key->outer;
    fast_sha256_add(&hash, out, 32);
    fast_sha256_end(out, &hash);
}

void stretch_pbkdf2(uint8_t out[32], const uint8_t *pin, size_t pin_len, const uint8_t *salt,
    size_t salt_len, uint32_t iterations) {
    hmac_key_t key;
    uint8_t u[MESSAGE_MAX];
    copy(u, salt, salt_len);
    u[salt_len] = 0;
    u[salt_len + 1] = 0;
    u[salt_len + 2] = 0;
    u[salt_len + 3] = 1;
    hmac_key(&key, pin, pin_len);
    hmac(u, &key, u, salt_len + 4);
    copy(out, u, 32);
    for (uint32_t i = 1; i < iterations; i++) {
        hmac(u, &key, u, 32);
        for (int j = 0; j < 32; j++) {
            out[j] ^= u[j];
        }
    }
    wipe(u, sizeof(u));
    wipe(&key, sizeof(key));
}
