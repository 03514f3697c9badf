// SPDX-License-Identifier: MIT
// HMAC-SHA256 (RFC 2104) in pieces, and PBKDF2 (RFC 8018 §5.2) for one block of output.
#ifndef P11_HMAC_H
#define P11_HMAC_H

#include "mbedtls/sha256.h"
#include "p11crypto.h"

typedef struct {
    mbedtls_sha256_context inner;
    mbedtls_sha256_context outer;
    int bad; // first error of the library; sticky
} p11_hmac_t;

void p11_hmac_start(p11_hmac_t *hmac, const uint8_t *key, size_t len);
void p11_hmac_add(p11_hmac_t *hmac, const void *data, size_t len);
// Writes the code, wipes the state. P11_OK or P11_INTERNAL with zeros.
int p11_hmac_end(p11_hmac_t *hmac, uint8_t out[32]);

// iterations >= 1.
int p11_pbkdf2(uint8_t out[32], const uint8_t *password, size_t password_len, const uint8_t *salt,
    size_t salt_len, uint32_t iterations);

#endif
