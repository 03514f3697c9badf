// SPDX-License-Identifier: MIT
// Integers modulo n, the order of the group; eight words, canonical (0 <= x < n), constant time.
#ifndef P256_SCALAR_H
#define P256_SCALAR_H

#include "word.h"

typedef struct {
    uint32_t w[8];
} p256_scalar_t;

extern const p256_scalar_t p256_n;

// Reads a number of 32 bytes. All ones when it is in 1..n-1, else 0; r is then what was read.
uint32_t p256_scalar_read(p256_scalar_t *r, const uint8_t in[32]);
// r = r mod n for any r of 256 bits.
void p256_scalar_reduce(p256_scalar_t *r);
// The integer of a digest (FIPS 186-5, 6.4.1, steps 2 and 3), modulo n.
void p256_scalar_digest(p256_scalar_t *r, const uint8_t *digest, size_t length);

// r = a + b; r = a * b / 2^256; r = a * b; r = 2^256 / a. r may be an input.
void p256_scalar_add(p256_scalar_t *r, const p256_scalar_t *a, const p256_scalar_t *b);
void p256_scalar_montgomery(p256_scalar_t *r, const p256_scalar_t *a, const p256_scalar_t *b);
void p256_scalar_mul(p256_scalar_t *r, const p256_scalar_t *a, const p256_scalar_t *b);
void p256_scalar_invert(p256_scalar_t *r, const p256_scalar_t *a);

// r = the odd one of a and n - a, for a in 1..n-1; all ones when that is n - a, else 0.
uint32_t p256_scalar_odd(p256_scalar_t *r, const p256_scalar_t *a);

#endif
