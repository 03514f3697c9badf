// SPDX-License-Identifier: MIT
// The field in C, for every core without mul_arm.S and field_arm.S. Contracts in field.h, bounds
// in docs/P256.md. Everything is unrolled and in local words, so that compilers keep it in
// registers.
#include "field.h"

#if !P256_ARM

// x += y with carry out; x += y + carry in, carry out; the same for subtraction.
// clang-format off
#define ADD0(c, x, y) do { x += (y); c = x < (y); } while (0)
#define ADD1(c, x, y) do { x = p256_add_carry(&c, x, y); } while (0)
#define SUB0(c, x, y) do { uint32_t before = x; x -= (y); c = before < (y); } while (0)
#define SUB1(c, x, y) do { x = p256_sub_borrow(&c, x, y); } while (0)
// clang-format on

// The eight words x0..x7 minus p if one is 1, for one 0 or 1; modulo 2^256, with the carry of +
// (2^256 - p). 2^256 - p is +1 at word 0, -1 at 3, -1 at 6, +1 at 7.
#define MINUS_P(carry, one) \
    do {                    \
        uint32_t k;         \
        ADD0(k, x0, one);   \
        ADD0(k, x1, k);     \
        ADD0(k, x2, k);     \
        k = (one) - k;      \
        SUB0(k, x3, k);     \
        SUB0(k, x4, k);     \
        SUB0(k, x5, k);     \
        k += (one);         \
        SUB0(k, x6, k);     \
        k = (one) - k;      \
        ADD0(carry, x7, k); \
    } while (0)

// The opposite, modulo 2^256.
#define PLUS_P(one)       \
    do {                  \
        uint32_t k;       \
        SUB0(k, x0, one); \
        SUB0(k, x1, k);   \
        SUB0(k, x2, k);   \
        k = (one) - k;    \
        ADD0(k, x3, k);   \
        ADD0(k, x4, k);   \
        ADD0(k, x5, k);   \
        k += (one);       \
        ADD0(k, x6, k);   \
        x7 += k - (one);  \
    } while (0)

// From top, x0..x7 < 2p to r < p: subtract p, add it again if that was too much.
#define STORE_REDUCED(r, top)                        \
    do {                                             \
        uint32_t above;                              \
        MINUS_P(above, 1u);                          \
        uint32_t one = p256_hide(1 - (top) - above); \
        PLUS_P(one);                                 \
        STORE(r);                                    \
    } while (0)

#define STORE(r)        \
    do {                \
        (r)->w[0] = x0; \
        (r)->w[1] = x1; \
        (r)->w[2] = x2; \
        (r)->w[3] = x3; \
        (r)->w[4] = x4; \
        (r)->w[5] = x5; \
        (r)->w[6] = x6; \
        (r)->w[7] = x7; \
    } while (0)

#define LOAD(a)                                                              \
    uint32_t x0 = (a)->w[0], x1 = (a)->w[1], x2 = (a)->w[2], x3 = (a)->w[3]; \
    uint32_t x4 = (a)->w[4], x5 = (a)->w[5], x6 = (a)->w[6], x7 = (a)->w[7]

void p256_fe_add(p256_fe_t *r, const p256_fe_t *a, const p256_fe_t *b) {
    LOAD(a);
    uint32_t top;
    ADD0(top, x0, b->w[0]);
    ADD1(top, x1, b->w[1]);
    ADD1(top, x2, b->w[2]);
    ADD1(top, x3, b->w[3]);
    ADD1(top, x4, b->w[4]);
    ADD1(top, x5, b->w[5]);
    ADD1(top, x6, b->w[6]);
    ADD1(top, x7, b->w[7]);
    STORE_REDUCED(r, top);
}

void p256_fe_sub(p256_fe_t *r, const p256_fe_t *a, const p256_fe_t *b) {
    LOAD(a);
    uint32_t one;
    SUB0(one, x0, b->w[0]);
    SUB1(one, x1, b->w[1]);
    SUB1(one, x2, b->w[2]);
    SUB1(one, x3, b->w[3]);
    SUB1(one, x4, b->w[4]);
    SUB1(one, x5, b->w[5]);
    SUB1(one, x6, b->w[6]);
    SUB1(one, x7, b->w[7]);
    one = p256_hide(one);
    PLUS_P(one);
    STORE(r);
}

// (a + p) / 2 for an odd a. a + p = a - (2^256 - p) + 2^256 has a 257th bit unless the difference
// is negative, and then its top word has wrapped from 0.
void p256_fe_half(p256_fe_t *r, const p256_fe_t *a) {
    LOAD(a);
    uint32_t odd = p256_hide(x0 & 1);
    uint32_t top_word = x7;
    PLUS_P(odd);
    uint32_t top = odd & (uint32_t)(x7 <= top_word);
    x0 = x0 >> 1 | x1 << 31;
    x1 = x1 >> 1 | x2 << 31;
    x2 = x2 >> 1 | x3 << 31;
    x3 = x3 >> 1 | x4 << 31;
    x4 = x4 >> 1 | x5 << 31;
    x5 = x5 >> 1 | x6 << 31;
    x6 = x6 >> 1 | x7 << 31;
    x7 = x7 >> 1 | top << 31;
    STORE(r);
}

// (t, h) = t + h + m (2^32 - 1); needs no multiplication.
#define MAC_ONES(t, h, m)     \
    do {                      \
        uint32_t k, borrow;   \
        ADD0(k, t, h);        \
        SUB0(borrow, t, m);   \
        h = (m) + k - borrow; \
    } while (0)

// One row: (y0..y3, h) = (y0..y3) + a (b0..b3) + h; y0 is then finished.
#define ROW(y0, y1, y2, y3, h, a)    \
    do {                             \
        uint32_t word = (a);         \
        p256_mac(&y0, &h, word, b0); \
        p256_mac(&y1, &h, word, b1); \
        p256_mac(&y2, &h, word, b2); \
        p256_mac(&y3, &h, word, b3); \
    } while (0)

// As in mul_arm.S, where it is explained: two blocks of eight rows, each followed by a reduction
// by four words; h starts with what is to be added at the place of the row.
void p256_fe_mul(p256_fe_t *r, const p256_fe_t *a, const p256_fe_t *b) {
    const uint32_t *u = a->w;
    uint32_t b0 = b->w[0], b1 = b->w[1], b2 = b->w[2], b3 = b->w[3];
    uint32_t m0 = 0, m1 = 0, m2 = 0, m3 = 0;
    uint32_t x0, x1, x2, x3, x4, x5, x6, x7;
    uint32_t carry, high;

    x0 = 0;
    ROW(m0, m1, m2, m3, x0, u[0]);
    x1 = 0;
    ROW(m1, m2, m3, x0, x1, u[1]);
    x2 = 0;
    ROW(m2, m3, x0, x1, x2, u[2]);
    x3 = m0;
    ROW(m3, x0, x1, x2, x3, u[3]);
    x4 = m1;
    ROW(x0, x1, x2, x3, x4, u[4]);
    x5 = m2;
    ROW(x1, x2, x3, x4, x5, u[5]);
    x6 = m3;
    ROW(x2, x3, x4, x5, x6, u[6]);
    x7 = m1; // at word 7, for m 2^192
    ROW(x3, x4, x5, x6, x7, u[7]);
    high = 0;
    MAC_ONES(x3, high, m0);
    MAC_ONES(x4, high, m1);
    MAC_ONES(x5, high, m2);
    MAC_ONES(x6, high, m3);
    ADD0(carry, x4, m2);
    ADD1(carry, x5, m3);
    ADD0(carry, x6, carry);
    ADD1(carry, x7, high);

    // x0..x7 and the carry are words 4..12
    uint32_t top = carry;
    uint32_t old = m0;
    b0 = b->w[4];
    b1 = b->w[5];
    b2 = b->w[6];
    b3 = b->w[7];
    uint32_t y0 = 0;
    ROW(x0, x1, x2, x3, y0, u[0]);
    m0 = x0;
    x0 = 0;
    ROW(x1, x2, x3, y0, x0, u[1]);
    m1 = x1;
    x1 = old; // at word 6, for m 2^192 of block one
    ROW(x2, x3, y0, x0, x1, u[2]);
    m2 = x2;
    x2 = m0;
    ROW(x3, y0, x0, x1, x2, u[3]);
    m3 = x3;
    ROW(y0, x0, x1, x2, x4, u[4]);
    ROW(x0, x1, x2, x4, x5, u[5]);
    ROW(x1, x2, x4, x5, x6, u[6]);
    ROW(x2, x4, x5, x6, x7, u[7]);
    // words 8..15
    x3 = x2;
    x2 = x1;
    x1 = x0;
    x0 = y0;
    high = 0;
    MAC_ONES(x3, high, m0);
    MAC_ONES(x4, high, m1);
    MAC_ONES(x5, high, m2);
    MAC_ONES(x6, high, m3);
    ADD0(carry, x2, m0);
    ADD1(carry, x3, m1);
    ADD1(carry, x4, top);
    ADD0(carry, x5, carry);
    ADD0(carry, x6, carry);
    ADD0(top, x7, carry);
    ADD0(carry, x0, m1);
    ADD1(carry, x1, m2);
    ADD1(carry, x2, m3);
    ADD0(carry, x3, carry);
    ADD1(carry, x4, m2);
    ADD1(carry, x5, m3);
    ADD0(carry, x6, carry);
    ADD1(carry, x7, high);
    STORE_REDUCED(r, top + carry);
}

#define PRODUCT(i, j) p256_mac(&t[(i) + (j)], &high, u[i], u[j])

// Words 2 k and 2 k + 1 of the square: twice the mixed products and the square of u[k].
#define DIAGONAL(k)                                       \
    do {                                                  \
        uint32_t low = 0, next = 0;                       \
        p256_mac(&low, &next, u[k], u[k]);                \
        uint32_t even = t[2 * (k)], odd = t[2 * (k) + 1]; \
        t[2 * (k)] = even << 1 | shifted;                 \
        t[2 * (k) + 1] = odd << 1 | even >> 31;           \
        shifted = odd >> 31;                              \
        ADD1(carry, t[2 * (k)], low);                     \
        ADD1(carry, t[2 * (k) + 1], next);                \
    } while (0)

// Reduction by the four words t[k] .. t[k + 3]; leaves the carry into t[k + 12].
#define REDUCE(k)                                \
    do {                                         \
        ADD0(carry, t[(k) + 3], t[k]);           \
        ADD1(carry, t[(k) + 4], t[(k) + 1]);     \
        ADD1(carry, t[(k) + 5], t[(k) + 2]);     \
        ADD1(carry, t[(k) + 6], t[(k) + 3]);     \
        high = carry;                            \
        MAC_ONES(t[(k) + 7], high, t[k]);        \
        MAC_ONES(t[(k) + 8], high, t[(k) + 1]);  \
        MAC_ONES(t[(k) + 9], high, t[(k) + 2]);  \
        MAC_ONES(t[(k) + 10], high, t[(k) + 3]); \
        ADD0(carry, t[(k) + 6], t[k]);           \
        ADD1(carry, t[(k) + 7], t[(k) + 1]);     \
        ADD1(carry, t[(k) + 8], t[(k) + 2]);     \
        ADD1(carry, t[(k) + 9], t[(k) + 3]);     \
        ADD0(carry, t[(k) + 10], carry);         \
        ADD1(carry, t[(k) + 11], high);          \
    } while (0)

void p256_fe_sqr(p256_fe_t *r, const p256_fe_t *a) {
    const uint32_t *u = a->w;
    uint32_t t[16] = { 0 };
    uint32_t carry = 0, shifted = 0, high;
    // clang-format off
    high = 0;
    PRODUCT(0, 1); PRODUCT(0, 2); PRODUCT(0, 3); PRODUCT(0, 4);
    PRODUCT(0, 5); PRODUCT(0, 6); PRODUCT(0, 7); t[8] = high;
    high = 0;
    PRODUCT(1, 2); PRODUCT(1, 3); PRODUCT(1, 4); PRODUCT(1, 5);
    PRODUCT(1, 6); PRODUCT(1, 7); t[9] = high;
    high = 0;
    PRODUCT(2, 3); PRODUCT(2, 4); PRODUCT(2, 5); PRODUCT(2, 6); PRODUCT(2, 7); t[10] = high;
    high = 0;
    PRODUCT(3, 4); PRODUCT(3, 5); PRODUCT(3, 6); PRODUCT(3, 7); t[11] = high;
    high = 0;
    PRODUCT(4, 5); PRODUCT(4, 6); PRODUCT(4, 7); t[12] = high;
    high = 0;
    PRODUCT(5, 6); PRODUCT(5, 7); t[13] = high;
    high = 0;
    PRODUCT(6, 7); t[14] = high;
    DIAGONAL(0); DIAGONAL(1); DIAGONAL(2); DIAGONAL(3);
    DIAGONAL(4); DIAGONAL(5); DIAGONAL(6); DIAGONAL(7);
    // clang-format on
    REDUCE(0);
    ADD0(carry, t[12], carry);
    ADD0(carry, t[13], carry);
    ADD0(carry, t[14], carry);
    t[15] += carry; // t + m p < p^2 + 2^128 p < 2^512
    REDUCE(4);
    uint32_t x0 = t[8], x1 = t[9], x2 = t[10], x3 = t[11];
    uint32_t x4 = t[12], x5 = t[13], x6 = t[14], x7 = t[15];
    STORE_REDUCED(r, carry);
}

void p256_scan(p256_fe_t out[2], const p256_fe_t *table, uint32_t count, uint32_t index,
    uint32_t negate) {
    uint32_t x0, x1, x2, x3, x4, x5, x6, x7;
    for (unsigned axis = 0; axis < 2; axis++) {
        x0 = x1 = x2 = x3 = x4 = x5 = x6 = x7 = 0;
        for (uint32_t i = 0; i < count; i++, table++) {
            uint32_t mask = p256_mask_zero(i ^ index);
            x0 |= table->w[0] & mask;
            x1 |= table->w[1] & mask;
            x2 |= table->w[2] & mask;
            x3 |= table->w[3] & mask;
            x4 |= table->w[4] & mask;
            x5 |= table->w[5] & mask;
            x6 |= table->w[6] & mask;
            x7 |= table->w[7] & mask;
        }
        STORE(&out[axis]);
    }
    // p - y is canonical because y is not 0
    p256_fe_t minus;
    p256_sub8(minus.w, p256_p.w, out[1].w);
    p256_fe_move(&out[1], &minus, negate);
}

#endif
