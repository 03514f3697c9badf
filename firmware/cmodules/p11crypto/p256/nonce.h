// SPDX-License-Identifier: MIT
// The nonce of RFC 6979 for P-256 and SHA-256, with optional additional input (3.6).
#ifndef P256_NONCE_H
#define P256_NONCE_H

#include "scalar.h"

// HMAC_DRBG: K as the two midstates that HMAC starts from, and V.
typedef struct {
    uint32_t inner[8];
    uint32_t outer[8];
    uint8_t v[32];
    bool again;
} p256_nonce_t;

// scalar: the private key; digest: reduced modulo n.
void p256_nonce_start(p256_nonce_t *nonce, const uint8_t scalar[32], const p256_scalar_t *digest,
    const uint8_t *extra, size_t extra_length);
// The next candidate in 1..n-1. How many were out of range (probability 2^-32 each) is visible.
void p256_nonce_next(p256_scalar_t *k, p256_nonce_t *nonce);

#endif
