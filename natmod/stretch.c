// SPDX-License-Identifier: MIT
#include "stretch.h"

#include "sha256.h"

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

static void key_block(uint8_t block[64], const uint8_t *key, size_t key_len, uint8_t pad) {
    uint8_t digest[32];
    if (key_len > 64) {
        sha256(digest, key, key_len);
        key = digest;
        key_len = 32;
    }
    for (size_t i = 0; i < 64; i++) {
        block[i] = (uint8_t)((i < key_len ? key[i] : 0) ^ pad);
    }
    wipe(digest, sizeof(digest));
}

static void hmac(uint8_t out[32], const uint8_t *key, size_t key_len, const uint8_t *message,
    size_t len) {
    uint8_t text[64 + MESSAGE_MAX];
    key_block(text, key, key_len, 0x36);
    copy(text + 64, message, len);
    sha256(out, text, 64 + len);
    key_block(text, key, key_len, 0x5c);
    copy(text + 64, out, 32);
    sha256(out, text, 64 + 32);
    wipe(text, sizeof(text));
}

void stretch_pbkdf2(uint8_t out[32], const uint8_t *pin, size_t pin_len, const uint8_t *salt,
    size_t salt_len, uint32_t iterations) {
    uint8_t u[MESSAGE_MAX];
    copy(u, salt, salt_len);
    u[salt_len] = 0;
    u[salt_len + 1] = 0;
    u[salt_len + 2] = 0;
    u[salt_len + 3] = 1;
    hmac(u, pin, pin_len, u, salt_len + 4);
    copy(out, u, 32);
    for (uint32_t i = 1; i < iterations; i++) {
        hmac(u, pin, pin_len, u, 32);
        for (int j = 0; j < 32; j++) {
            out[j] ^= u[j];
        }
    }
    wipe(u, sizeof(u));
}
