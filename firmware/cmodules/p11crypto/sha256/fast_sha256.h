// SPDX-License-Identifier: MIT
// SHA-256 (FIPS 180-4). On cores with Thumb-2 and little-endian words the compression function is
// unrolled assembly (fast_sha256_arm.S, ARMv7-M and ARMv8-M mainline), elsewhere C. Constant time
// by nature: no table, no branch on data. No heap; the caller holds the state and wipes it.
#ifndef FAST_SHA256_H
#define FAST_SHA256_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    uint32_t state[8];
    uint64_t length; // bytes so far
    uint8_t block[64];
} fast_sha256_t;

void fast_sha256_start(fast_sha256_t *hash);
void fast_sha256_add(fast_sha256_t *hash, const void *data, size_t size);
// Writes the digest and wipes the state.
void fast_sha256_end(uint8_t digest[32], fast_sha256_t *hash);

// The compression function over `count` blocks of 64 bytes at any address. For those who bring
// their own buffering: state is eight words H0..H7 as integers.
void fast_sha256_blocks(uint32_t state[8], const uint8_t *data, size_t count);

extern const uint32_t fast_sha256_initial[8];

#endif
