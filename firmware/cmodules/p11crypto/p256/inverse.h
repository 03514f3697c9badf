// SPDX-License-Identifier: MIT
// Constant-time inversion modulo an odd number near 2^256, by division steps (Bernstein and Yang,
// "Fast constant-time gcd computation and modular inversion", 2019).
#ifndef P256_INVERSE_H
#define P256_INVERSE_H

#include "word.h"

// Numbers modulo m are nine limbs of 30 bits here, the top one with a sign.
#define P256_LIMBS 9

// The modulus m, 2^256 - 2^225 < m < 2^256.
typedef struct {
    int32_t m[P256_LIMBS];
    int32_t start[P256_LIMBS]; // factor of the result: r = start / x
    uint32_t minus_inverse;    // -1/m modulo 2^30
    const uint32_t *words;     // m in eight words
} p256_modulus_t;

// r = start / x mod m, in 0..m-1; 0 when x is 0. x < m.
void p256_invert(uint32_t r[8], const uint32_t x[8], const p256_modulus_t *modulus);

// The steps of it, in C in inverse.c and in assembly in inverse_arm.S.
typedef struct {
    int32_t f;
    int32_t g;
} p256_pair_t;

typedef struct {
    int32_t d;
    int32_t e;
    int32_t m;
} p256_triple_t;

// Thirty division steps on the lowest bits of f (odd) and g; returns the new zeta. t = (u, v, q,
// r) such that 2^30 f' = u f + v g and 2^30 g' = q f + r g. |u| + |v| and |q| + |r| are at most
// 2^30.
int32_t p256_divsteps(int32_t zeta, uint32_t f, uint32_t g, int32_t t[4]);
// (f, g) = t (f, g) / 2^30; exact.
void p256_update_fg(p256_pair_t x[P256_LIMBS], const int32_t t[4]);
// (d, e) = t (d, e) / 2^30 modulo m. |d| and |e| grow by at most m/2 per round: |u| + |v| <= 2^30
// keeps the maximum, the multiple of m that is added is at most 2^29 m / 2^30. After 20 rounds
// both are below 11 m < 2^260; the top limb takes it.
void p256_update_de(p256_triple_t x[P256_LIMBS], const int32_t t[4], uint32_t minus_inverse);

#endif
