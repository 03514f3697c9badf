// SPDX-License-Identifier: MIT
// Points of the curve y^2 = x^3 - 3 x + b. Coordinates in Montgomery form.
#ifndef P256_POINT_H
#define P256_POINT_H

#include "field.h"
#include "scalar.h"

typedef struct {
    p256_fe_t x;
    p256_fe_t y;
} p256_affine_t;

// Jacobian: the affine point is (x / z^2, y / z^3); z = 0 is the neutral element.
typedef struct {
    p256_fe_t x;
    p256_fe_t y;
    p256_fe_t z;
} p256_jacobian_t;

// The odd multiples 1, 3, .. 15 of a point: first the x, then the y coordinates, as p256_scan
// reads.
typedef struct {
    p256_fe_t x[8];
    p256_fe_t y[8];
} p256_odd_t;

// a = 2 a. Right for every point (z = 0 stays so; no point has y = 0). Constant time.
void p256_double(p256_jacobian_t *a);
// a = a + b for a != neutral, a != b. a = -b gives z = 0; a = b gives z = 0 too, wrongly: the
// caller proves that it cannot happen or looks at z. Constant time.
void p256_add(p256_jacobian_t *a, const p256_affine_t *b);
// a = b with z = blind mod p (1 when that is 0): random projective coordinates. Constant time.
void p256_blind(p256_jacobian_t *a, const p256_affine_t *b, const uint8_t blind[32]);
// out = plain affine coordinates of a; y may be NULL. a != neutral. Constant time.
void p256_affine_bytes(uint8_t x[32], uint8_t y[32], const p256_jacobian_t *a);

// Reads a point; false unless both coordinates are below p and the point is on the curve.
bool p256_point_read(p256_affine_t *a, const uint8_t point[64]);
// Odd multiples of a point of the curve.
void p256_odd_multiples(p256_odd_t *table, const p256_affine_t *a);

// a = k G for odd k < n, blinded. Constant time.
void p256_comb(p256_jacobian_t *a, const p256_scalar_t *k, const uint8_t blind[32]);
// The combs of the generator, see comb.c.
#define P256_COMBS 4
#define P256_COMB_COLUMNS 13
#define P256_COMB_TEETH 5
#define P256_COMB_ENTRIES 16
typedef struct {
    p256_fe_t x[P256_COMB_ENTRIES];
    p256_fe_t y[P256_COMB_ENTRIES];
} p256_comb_t;
extern const p256_comb_t p256_combs[P256_COMBS];
#define P256_COMB_BLOCKS (P256_COMBS * P256_COMB_TEETH)
// The signed digits of k, thirteen to a block.
typedef struct {
    uint16_t block[P256_COMB_BLOCKS];
} p256_digits_t;
// For an odd k < n.
void p256_comb_digits(p256_digits_t *digits, const p256_scalar_t *k);
// Index into comb `comb` for column `column`; *negate all ones when the entry is to be subtracted.
uint32_t p256_comb_digit(uint32_t *negate, const p256_digits_t *digits, unsigned comb,
    unsigned column);

#endif
