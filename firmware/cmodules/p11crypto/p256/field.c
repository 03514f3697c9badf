// SPDX-License-Identifier: MIT
// The parts of the field that are the same on all cores. Contracts in field.h.
#include "field.h"

#include "inverse.h"

const p256_fe_t p256_p = { {
    0xffffffff,
    0xffffffff,
    0xffffffff,
    0x00000000,
    0x00000000,
    0x00000000,
    0x00000001,
    0xffffffff,
} };
const p256_fe_t p256_fe_one = { {
    0x00000001,
    0x00000000,
    0x00000000,
    0xffffffff,
    0xffffffff,
    0xffffffff,
    0xfffffffe,
    0x00000000,
} };
const p256_fe_t p256_fe_b = { {
    0x29c4bddf,
    0xd89cdf62,
    0x78843090,
    0xacf005cd,
    0xf7212ed6,
    0xe5a220ab,
    0x04874834,
    0xdc30061d,
} };
// 2^512 mod p
static const p256_fe_t enter_factor = { {
    0x00000003,
    0x00000000,
    0xffffffff,
    0xfffffffb,
    0xfffffffe,
    0xffffffff,
    0xfffffffd,
    0x00000004,
} };
static const p256_fe_t plain_one = { { 1, 0, 0, 0, 0, 0, 0, 0 } };

static const p256_modulus_t modulus_p = {
    { 0x3fffffff, 0x3fffffff, 0x3fffffff, 0x0000003f, 0x00000000,
        0x00000000, 0x00001000, 0x3fffc000, 0x0000ffff },
    // 2^512 mod p: the inverse of x * 2^256 comes out as x^-1 * 2^256
    { 0x00000003, 0x00000000, 0x3ffffff0, 0x3ffffeff, 0x3ffffeff,
        0x3fffffff, 0x3fffdfff, 0x00013fff, 0x00000000 },
    1,
    p256_p.w,
};

void p256_fe_invert(p256_fe_t *r, const p256_fe_t *a) {
    p256_invert(r->w, a->w, &modulus_p);
}

void p256_fe_enter(p256_fe_t *r, const p256_fe_t *plain) {
    p256_fe_mul(r, plain, &enter_factor);
}

void p256_fe_leave(p256_fe_t *plain, const p256_fe_t *a) {
    p256_fe_mul(plain, a, &plain_one);
}

uint32_t p256_fe_is_zero(const p256_fe_t *a) {
    return p256_zero8(a->w);
}

void p256_fe_move(p256_fe_t *r, const p256_fe_t *a, uint32_t mask) {
    p256_move8(r->w, a->w, mask);
}
