// SPDX-License-Identifier: MIT
// Odd multiples of a point by additions of points that share z (co-Z; Meloni, "New point addition
// formulae for ECC applications", 2007), then one inversion for all of them.
#include "point.h"

// p = p + d for p and d with the same z, which is multiplied by h = d.x - p.x; d gets the new z
// too.
static void add_shared(p256_affine_t *p, p256_affine_t *d, p256_fe_t *h) {
    p256_fe_t c, r;
    p256_fe_sub(h, &d->x, &p->x);
    p256_fe_sqr(&c, h);
    p256_fe_sub(&r, &d->y, &p->y);
    p256_fe_mul(&d->x, &d->x, &c); // d.x h^2
    p256_fe_mul(&p->x, &p->x, &c); // p.x h^2
    p256_fe_sub(&c, &d->x, &p->x); // h^3
    p256_fe_mul(&d->y, &d->y, &c); // d.y h^3
    p256_fe_sqr(&c, &r);
    p256_fe_sub(&c, &c, &d->x);
    p256_fe_sub(&p->x, &c, &p->x); // x of the sum
    p256_fe_sub(&c, &d->x, &p->x);
    p256_fe_mul(&c, &c, &r);
    p256_fe_sub(&p->y, &c, &d->y);
}

// d = 2 a and p = a, both with z = a.y: the doubling of point.c for z = 1 leaves x y^2 and y^4,
// and (x y^2, y^4) with z = y is a itself.
static void double_shared(p256_affine_t *p, p256_affine_t *d, const p256_affine_t *a) {
    p256_fe_t s, t;
    p256_fe_sqr(&s, &a->y);
    p256_fe_mul(&p->x, &a->x, &s);
    p256_fe_sqr(&p->y, &s);
    p256_fe_sub(&t, &a->x, &p256_fe_one);
    p256_fe_add(&s, &a->x, &p256_fe_one);
    p256_fe_mul(&t, &t, &s);
    p256_fe_half(&s, &t);
    p256_fe_add(&t, &t, &s);
    p256_fe_sqr(&d->x, &t);
    p256_fe_sub(&d->x, &d->x, &p->x);
    p256_fe_sub(&d->x, &d->x, &p->x);
    p256_fe_sub(&s, &p->x, &d->x);
    p256_fe_mul(&s, &s, &t);
    p256_fe_sub(&d->y, &s, &p->y);
}

// No addition is exceptional: 2 a = +-(2 i + 1) a would make n divide a number below 18.
void p256_odd_multiples(p256_odd_t *table, const p256_affine_t *a) {
    p256_affine_t p, d;
    p256_fe_t h[8];
    p256_fe_t z, t, s;
    double_shared(&p, &d, a);
    table->x[0] = a->x;
    table->y[0] = a->y;
    z = a->y;
    for (size_t i = 1; i < 8; i++) {
        add_shared(&p, &d, &h[i]);
        p256_fe_mul(&z, &z, &h[i]);
        table->x[i] = p.x;
        table->y[i] = p.y;
    }
    p256_fe_invert(&z, &z);
    for (size_t i = 7; i > 0; i--) {
        p256_fe_sqr(&t, &z);
        p256_fe_mul(&s, &t, &z);
        p256_fe_mul(&table->x[i], &table->x[i], &t);
        p256_fe_mul(&table->y[i], &table->y[i], &s);
        p256_fe_mul(&z, &z, &h[i]); // 1 / z of the entry before
    }
}
