// SPDX-License-Identifier: MIT
// Integers modulo p = 2^256 - 2^224 + 2^192 + 2^96 - 1, in Montgomery form (x is kept as x * 2^256
// mod p).
//
// Contract of every function: inputs are canonical (0 <= x < p), outputs are canonical, r may be
// any of the inputs, time and addresses do not depend on values. Eight 32-bit words, the least
// significant first, 4-byte aligned.
//
// fe_arm.S has mul, sqr, add, sub, half and scan for cores with UMAAL and SEL (Cortex-M4, M7, M33
// with DSP); field.c has them in C for all others. The choice is P256_ARM below.
#ifndef P256_FIELD_H
#define P256_FIELD_H

#include "word.h"

typedef struct {
    uint32_t w[8];
} p256_fe_t;

void p256_fe_mul(p256_fe_t *r, const p256_fe_t *a, const p256_fe_t *b);
#if P256_ARM
// 36 products instead of 64 would save nothing here: doubling costs as much (docs/P256.md).
static inline void p256_fe_sqr(p256_fe_t *r, const p256_fe_t *a) {
    p256_fe_mul(r, a, a);
}
#else
void p256_fe_sqr(p256_fe_t *r, const p256_fe_t *a);
#endif
void p256_fe_add(p256_fe_t *r, const p256_fe_t *a, const p256_fe_t *b);
void p256_fe_sub(p256_fe_t *r, const p256_fe_t *a, const p256_fe_t *b);
// r = a / 2.
void p256_fe_half(p256_fe_t *r, const p256_fe_t *a);

// out[0] = x[index]; out[1] = y[index] or, when negate is all ones, -y[index]. `table` holds
// `count` x coordinates and then `count` y coordinates; all of them are read, in order. count is 8
// or 16; index < count; negate is 0 or 0xffffffff; y is never 0.
void p256_scan(p256_fe_t out[2], const p256_fe_t *table, uint32_t count, uint32_t index,
    uint32_t negate);

// All ones when a is 0, else 0.
uint32_t p256_fe_is_zero(const p256_fe_t *a);
// r = mask ? a : r, mask 0 or all ones.
void p256_fe_move(p256_fe_t *r, const p256_fe_t *a, uint32_t mask);
// r = 1/a (0 for 0).
void p256_fe_invert(p256_fe_t *r, const p256_fe_t *a);
// r = a + a * 2^-1: one and a half times a.
void p256_fe_enter(p256_fe_t *r, const p256_fe_t *plain);
void p256_fe_leave(p256_fe_t *plain, const p256_fe_t *a);

extern const p256_fe_t p256_p;      // p itself
extern const p256_fe_t p256_fe_one; // 1 in Montgomery form
extern const p256_fe_t p256_fe_b;   // the curve's b in Montgomery form

#endif
