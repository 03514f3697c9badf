// SPDX-License-Identifier: MIT
// Multiples of any point, in constant time.
//
// The odd one of k and n - k (the x coordinate is the same) is written with 64 digits +-1, +-3, ..
// +-15 to the base 16, the top one positive: digit i is made of bits 4 i .. 4 i + 3 of (k - 1) / 2
// + 2^255, each standing for +1 or -1. So each step is four doublings and one addition.
//
// Before the last step the multiple A is in 1..n/16 and 16 A = +-digit is impossible. The last
// addition meets its own summand only if 16 A = n + digit, that is for k = n - 2 (digit -1);
// then the sum has z = 0 and the doubled summand is taken, by masks, always computed.
#include "p256.h"

#include "point.h"

#define DIGITS 64

typedef struct {
    p256_scalar_t k;
    p256_scalar_t bits;
    p256_jacobian_t point;
    p256_jacobian_t twice;
    p256_fe_t entry[2];
} work_t;

static void scan_digit(work_t *w, const p256_odd_t *table, unsigned digit) {
    uint32_t four = w->bits.w[digit >> 3] >> (4 * (digit & 7)) & 15;
    uint32_t negate = p256_hide((four >> 3) - 1);
    p256_scan(w->entry, table->x, 8, (four ^ negate) & 7, negate);
}

static void move_point(p256_jacobian_t *r, const p256_jacobian_t *a, uint32_t mask) {
    p256_fe_move(&r->x, &a->x, mask);
    p256_fe_move(&r->y, &a->y, mask);
    p256_fe_move(&r->z, &a->z, mask);
}

P256_BELOW void multiply(work_t *w, const p256_odd_t *table, const uint8_t blind[32]) {
    const p256_affine_t *entry = (const p256_affine_t *)w->entry;
    for (size_t i = 0; i < 8; i++) {
        w->bits.w[i] = w->k.w[i] >> 1 | (i < 7 ? w->k.w[i + 1] << 31 : 0x80000000);
    }
    scan_digit(w, table, DIGITS - 1);
    p256_blind(&w->point, entry, blind);
    for (unsigned digit = DIGITS - 1; digit-- > 0;) {
        for (int i = 0; i < 4; i++) {
            p256_double(&w->point);
        }
        scan_digit(w, table, digit);
        if (digit == 0) {
            w->twice = w->point;
            p256_double(&w->twice);
        }
        p256_add(&w->point, entry);
    }
    move_point(&w->point, &w->twice, p256_fe_is_zero(&w->point.z));
}

bool p256_point_valid(const uint8_t point[64]) {
    p256_affine_t a;
    return p256_point_read(&a, point);
}

bool p256_ecdh(uint8_t secret[32], const uint8_t scalar[32], const uint8_t point[64],
    const uint8_t blind[32]) {
    work_t w;
    p256_affine_t a;
    uint32_t valid = p256_scalar_read(&w.k, scalar);
    P256_PUBLIC(valid);
    bool good = valid != 0 && p256_point_read(&a, point);
    if (good) {
        p256_odd_t table;
        p256_odd_multiples(&table, &a);
        p256_scalar_odd(&w.k, &w.k);
        multiply(&w, &table, blind);
        p256_affine_bytes(secret, NULL, &w.point);
    } else {
        p256_wipe(secret, 32);
    }
    p256_wipe(&w, sizeof(w));
    p256_wipe_stack();
    return good;
}
