// SPDX-License-Identifier: MIT
// Verification. Everything here is public, so time and addresses may depend on it: u2 Q with a
// sliding window (digits 0, +-1 .. +-15, on average one addition in six bits), u1 G with the
// combs, whose twelve doublings are the last twelve of the others. Exceptional additions are
// looked for.
#include "p256.h"

#include "point.h"

typedef struct {
    p256_jacobian_t sum;
    p256_odd_t table;
    p256_digits_t comb; // of u1, for the combs
    uint32_t flip;      // all ones when the combs give -u1 G
    bool combed;        // false when u1 is 0
    int8_t digits[257]; // of u2, the least significant first
} work_t;

// a = a + b, b negated if asked for; any points.
static void add_any(p256_jacobian_t *a, const p256_fe_t *x, const p256_fe_t *y, uint32_t negate) {
    p256_affine_t b = { *x, *y };
    p256_jacobian_t before = *a;
    p256_fe_t t;
    if (negate != 0) {
        p256_sub8(b.y.w, p256_p.w, y->w);
    }
    if (p256_fe_is_zero(&before.z) != 0) {
        a->x = b.x;
        a->y = b.y;
        a->z = p256_fe_one;
        return;
    }
    p256_add(a, &b);
    if (p256_fe_is_zero(&a->z) == 0) {
        return;
    }
    // The same x: b is a (the y agree) or -a (then z = 0 is the answer).
    p256_fe_sqr(&t, &before.z);
    p256_fe_mul(&t, &t, &before.z);
    p256_fe_mul(&t, &t, &b.y);
    p256_fe_sub(&t, &t, &before.y);
    if (p256_fe_is_zero(&t) != 0) {
        *a = before;
        p256_double(a);
    }
}

// Signed digits, each 0 or odd, |digit| <= 15, at least four zeros after each other one.
static void recode(int8_t digits[257], const p256_scalar_t *k) {
    uint32_t carry = 0;
    for (unsigned i = 0; i < 257;) {
        // five bits from i on, zeros above bit 255
        uint32_t window = 0;
        if (i < 256) {
            window = k->w[i >> 5] >> (i & 31);
            if ((i & 31) > 27 && i < 224) {
                window |= k->w[(i >> 5) + 1] << (32 - (i & 31));
            }
        }
        window = (window & 31) + carry;
        if ((window & 1) == 0) {
            digits[i++] = 0;
            continue;
        }
        // window is odd here, so adding the carry did not run out of the five bits
        carry = window >> 4;
        digits[i++] = (int8_t)(window - 32 * carry);
        for (unsigned zeros = 0; zeros < 4 && i < 257; zeros++) {
            digits[i++] = 0;
        }
    }
}

static void add_column(work_t *w, unsigned column) {
    for (unsigned comb = P256_COMBS; comb-- > 0;) {
        uint32_t negate;
        uint32_t index = p256_comb_digit(&negate, &w->comb, comb, column);
        add_any(&w->sum, &p256_combs[comb].x[index], &p256_combs[comb].y[index], negate ^ w->flip);
    }
}

static void multiply(work_t *w) {
    w->sum.x = w->sum.y = p256_fe_one;
    w->sum.z = (p256_fe_t){ { 0 } };
    for (unsigned i = 257; i-- > 0;) {
        int digit = w->digits[i];
        if (p256_fe_is_zero(&w->sum.z) == 0) {
            p256_double(&w->sum);
        }
        if (digit != 0) {
            unsigned index = (unsigned)(digit < 0 ? -digit : digit) >> 1;
            add_any(&w->sum, &w->table.x[index], &w->table.y[index], digit < 0);
        }
        if (i < P256_COMB_COLUMNS && w->combed) {
            add_column(w, i);
        }
    }
}

// Whether the x coordinate of the sum is r modulo n, without an inversion: x = r z^2 or, if r + n
// is still below p, x = (r + n) z^2.
static bool same_x(const p256_jacobian_t *sum, const p256_scalar_t *r) {
    p256_fe_t zz, x, t;
    if (p256_fe_is_zero(&sum->z) != 0) {
        return false;
    }
    p256_fe_sqr(&zz, &sum->z);
    for (size_t i = 0; i < 8; i++) {
        x.w[i] = r->w[i];
    }
    for (int i = 0; i < 2; i++) {
        p256_fe_enter(&t, &x);
        p256_fe_mul(&t, &t, &zz);
        p256_fe_sub(&t, &t, &sum->x);
        if (p256_fe_is_zero(&t) != 0) {
            return true;
        }
        if (p256_add8(x.w, r->w, p256_n.w) != 0 || p256_sub8(t.w, x.w, p256_p.w) == 0) {
            return false;
        }
    }
    return false;
}

bool p256_verify(const uint8_t point[64], const uint8_t *digest, size_t length,
    const uint8_t signature[64]) {
    work_t w;
    p256_affine_t q;
    p256_scalar_t r, s, u;
    if (p256_scalar_read(&r, signature) == 0 || p256_scalar_read(&s, signature + 32) == 0
        || !p256_point_read(&q, point)) {
        return false;
    }
    p256_odd_multiples(&w.table, &q);
    p256_scalar_invert(&s, &s);
    p256_scalar_montgomery(&u, &s, &r);
    recode(w.digits, &u);
    p256_scalar_digest(&u, digest, length);
    p256_scalar_montgomery(&u, &u, &s);
    w.combed = p256_zero8(u.w) == 0;
    w.flip = p256_scalar_odd(&u, &u);
    p256_comb_digits(&w.comb, &u);
    multiply(&w);
    return same_x(&w.sum, &r);
}
