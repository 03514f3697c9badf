// SPDX-License-Identifier: MIT
#include "point.h"

#if !P256_ARM // point_arm.S follows these formulas step by step

// Doubling for a = -3, scaled by 1/2 so that 8 y^4 and 4 x y^2 need no doublings: with
// A = 3/2 (x - z^2)(x + z^2), B = x y^2:  x' = A^2 - 2 B,  y' = A (B - x') - y^4,  z' = y z.
void p256_double(p256_jacobian_t *a) {
    p256_fe_t s, t, u;
    p256_fe_sqr(&s, &a->z);
    p256_fe_sub(&t, &a->x, &s);
    p256_fe_add(&s, &a->x, &s);
    p256_fe_mul(&t, &t, &s);
    p256_fe_mul(&a->z, &a->y, &a->z);
    p256_fe_half(&s, &t);
    p256_fe_add(&t, &t, &s); // A
    p256_fe_sqr(&s, &a->y);
    p256_fe_mul(&u, &a->x, &s); // B
    p256_fe_sqr(&s, &s);        // y^4
    p256_fe_sqr(&a->x, &t);
    p256_fe_sub(&a->x, &a->x, &u);
    p256_fe_sub(&a->x, &a->x, &u);
    p256_fe_sub(&u, &u, &a->x);
    p256_fe_mul(&u, &u, &t);
    p256_fe_sub(&a->y, &u, &s);
}

// H = x2 z^2 - x, R = y2 z^3 - y:
// x' = R^2 - H^3 - 2 x H^2,  y' = R (x H^2 - x') - y H^3,  z' = z H.
void p256_add(p256_jacobian_t *a, const p256_affine_t *b) {
    p256_fe_t r, h, t;
    p256_fe_sqr(&r, &a->z);
    p256_fe_mul(&h, &b->x, &r);
    p256_fe_mul(&r, &r, &a->z);
    p256_fe_mul(&r, &r, &b->y);
    p256_fe_sub(&h, &h, &a->x); // H
    p256_fe_sub(&r, &r, &a->y); // R
    p256_fe_mul(&a->z, &a->z, &h);
    p256_fe_sqr(&t, &h);
    p256_fe_mul(&h, &h, &t);    // H^3
    p256_fe_mul(&t, &t, &a->x); // x H^2
    p256_fe_sqr(&a->x, &r);
    p256_fe_sub(&a->x, &a->x, &h);
    p256_fe_sub(&a->x, &a->x, &t);
    p256_fe_sub(&a->x, &a->x, &t);
    p256_fe_sub(&t, &t, &a->x);
    p256_fe_mul(&t, &t, &r);
    p256_fe_mul(&h, &h, &a->y);
    p256_fe_sub(&a->y, &t, &h);
}

#endif

void p256_blind(p256_jacobian_t *a, const p256_affine_t *b, const uint8_t blind[32]) {
    p256_fe_t t;
    // Any 256-bit number is below 2p. It is taken as a Montgomery form as it is.
    p256_words(a->z.w, blind);
    uint32_t below = 0 - p256_sub8(t.w, a->z.w, p256_p.w);
    p256_fe_move(&a->z, &t, ~below);
    p256_fe_move(&a->z, &p256_fe_one, p256_fe_is_zero(&a->z));
    p256_fe_sqr(&t, &a->z);
    p256_fe_mul(&a->x, &b->x, &t);
    p256_fe_mul(&t, &t, &a->z);
    p256_fe_mul(&a->y, &b->y, &t);
}

void p256_affine_bytes(uint8_t x[32], uint8_t y[32], const p256_jacobian_t *a) {
    p256_fe_t i, t;
    p256_fe_invert(&i, &a->z);
    p256_fe_sqr(&t, &i);
    if (y != NULL) {
        p256_fe_mul(&i, &i, &t);
        p256_fe_mul(&i, &i, &a->y);
        p256_fe_leave(&i, &i);
        p256_bytes(y, i.w);
    }
    p256_fe_mul(&t, &t, &a->x);
    p256_fe_leave(&t, &t);
    p256_bytes(x, t.w);
}

static bool read_coordinate(p256_fe_t *r, const uint8_t in[32]) {
    p256_fe_t t;
    p256_words(r->w, in);
    bool below = p256_sub8(t.w, r->w, p256_p.w) != 0;
    if (below) {
        p256_fe_enter(r, r);
    }
    return below;
}

bool p256_point_read(p256_affine_t *a, const uint8_t point[64]) {
    p256_fe_t s, t;
    if (!read_coordinate(&a->x, point) || !read_coordinate(&a->y, point + 32)) {
        return false;
    }
    // y^2 - (x^2 - 3) x - b. The neutral element has no affine form: (0, 0) is not on the curve.
    p256_fe_sqr(&t, &a->x);
    for (int i = 0; i < 3; i++) {
        p256_fe_sub(&t, &t, &p256_fe_one);
    }
    p256_fe_mul(&t, &t, &a->x);
    p256_fe_add(&t, &t, &p256_fe_b);
    p256_fe_sqr(&s, &a->y);
    p256_fe_sub(&t, &t, &s);
    return p256_fe_is_zero(&t) != 0;
}
