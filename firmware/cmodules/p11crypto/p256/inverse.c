// SPDX-License-Identifier: MIT
// The division steps keep two numbers f (odd) and g with gcd(f, g) = gcd(m, x), and d, e with
// f = d x / start and g = e x / start modulo m. One step, with delta starting at 1/2:
//
//     delta > 0 and g odd:  delta, f, g = 1 - delta, g, (g - f) / 2
//     else:                 delta, f, g = 1 + delta, f, (g + (g mod 2) f) / 2
//
// For a modulus of at most 256 bits 590 steps always reach g = 0, f = +-1; we do 600, whatever x
// is. zeta is -(delta + 1/2), so its sign bit says "delta > 0". Thirty steps at a time look only
// at the lowest 30 bits of f and g and give a matrix that is then applied to all of f, g, d and e.
#include "inverse.h"

#define LIMB_MASK 0x3fffffff
#define ROUNDS 20

typedef struct {
    p256_pair_t fg[P256_LIMBS];
    p256_triple_t dem[P256_LIMBS];
    int32_t t[4];
} work_t;

static int32_t shift_right(int32_t x, unsigned count) {
    return x >> count; // arithmetic on every compiler we use
}

#if !P256_ARM

// A row (u, v) of the matrix is kept in one word as u + 2^16 v, so that one addition serves both.
// After at most 15 steps all entries are in -2^14 .. 2^15 (checked exhaustively by the tests), so
// that the halves can be told apart.
static void unpack(int32_t out[2], uint32_t row) {
    row += 0x40004000;
    out[0] = (int32_t)(row & 0xffff) - 0x4000;
    out[1] = (int32_t)(row >> 16) - 0x4000;
}

int32_t p256_divsteps(int32_t zeta, uint32_t f, uint32_t g, int32_t t[4]) {
    int32_t first[4];
    int32_t second[4];
    for (int half = 0; half < 2; half++) {
        uint32_t top = 1;
        uint32_t bottom = 1u << 16;
        for (int i = 0; i < 15; i++) {
            uint32_t odd = p256_hide(0 - (g & 1));
            uint32_t swap = odd & (uint32_t)shift_right(zeta, 31);
            // g odd: g + f, or g - f when they also change places
            g += ((f ^ swap) - swap) & odd;
            bottom += ((top ^ swap) - swap) & odd;
            f += g & swap;
            top += bottom & swap;
            zeta = (int32_t)(((uint32_t)zeta ^ swap) - 1);
            g = (uint32_t)shift_right((int32_t)g, 1);
            top <<= 1;
        }
        int32_t *m = half == 0 ? first : second;
        unpack(m, top);
        unpack(m + 2, bottom);
    }
    t[0] = second[0] * first[0] + second[1] * first[2];
    t[1] = second[0] * first[1] + second[1] * first[3];
    t[2] = second[2] * first[0] + second[3] * first[2];
    t[3] = second[2] * first[1] + second[3] * first[3];
    return zeta;
}

// (f, g) = t (f, g) / 2^30; exact.
void p256_update_fg(p256_pair_t x[P256_LIMBS], const int32_t t[4]) {
    const int32_t u = t[0], v = t[1], q = t[2], r = t[3];
    int64_t cf = p256_signed_product(u, x[0].f) + p256_signed_product(v, x[0].g);
    int64_t cg = p256_signed_product(q, x[0].f) + p256_signed_product(r, x[0].g);
    cf >>= 30;
    cg >>= 30;
    for (size_t i = 1; i < P256_LIMBS; i++) {
        int32_t f = x[i].f, g = x[i].g;
        cf += p256_signed_product(u, f) + p256_signed_product(v, g);
        cg += p256_signed_product(q, f) + p256_signed_product(r, g);
        x[i - 1].f = (int32_t)cf & LIMB_MASK;
        x[i - 1].g = (int32_t)cg & LIMB_MASK;
        cf >>= 30;
        cg >>= 30;
    }
    x[P256_LIMBS - 1].f = (int32_t)cf;
    x[P256_LIMBS - 1].g = (int32_t)cg;
}

// The multiple of m, in -2^29 .. 2^29 - 1, that makes the lowest 30 bits of c vanish.
static int32_t multiple(int64_t c, uint32_t minus_inverse) {
    return shift_right((int32_t)((uint32_t)c * minus_inverse << 2), 2);
}

void p256_update_de(p256_triple_t x[P256_LIMBS], const int32_t t[4], uint32_t minus_inverse) {
    const int32_t u = t[0], v = t[1], q = t[2], r = t[3];
    int64_t cd = p256_signed_product(u, x[0].d) + p256_signed_product(v, x[0].e);
    int64_t ce = p256_signed_product(q, x[0].d) + p256_signed_product(r, x[0].e);
    int32_t md = multiple(cd, minus_inverse);
    int32_t me = multiple(ce, minus_inverse);
    cd += p256_signed_product(md, x[0].m);
    ce += p256_signed_product(me, x[0].m);
    cd >>= 30;
    ce >>= 30;
    for (size_t i = 1; i < P256_LIMBS; i++) {
        int32_t d = x[i].d, e = x[i].e, m = x[i].m;
        cd += p256_signed_product(u, d) + p256_signed_product(v, e) + p256_signed_product(md, m);
        ce += p256_signed_product(q, d) + p256_signed_product(r, e) + p256_signed_product(me, m);
        x[i - 1].d = (int32_t)cd & LIMB_MASK;
        x[i - 1].e = (int32_t)ce & LIMB_MASK;
        cd >>= 30;
        ce >>= 30;
    }
    x[P256_LIMBS - 1].d = (int32_t)cd;
    x[P256_LIMBS - 1].e = (int32_t)ce;
}

#endif

// d = (d xor sign) - sign - k m, with carries; the top limb keeps the sign.
static void combine(p256_triple_t x[P256_LIMBS], uint32_t sign, int32_t k) {
    int64_t c = 0;
    int32_t s = (int32_t)p256_hide(sign);
    for (size_t i = 0; i < P256_LIMBS; i++) {
        c += (int64_t)((x[i].d ^ s) - s) - p256_signed_product(k, x[i].m);
        x[i].d = (int32_t)c & LIMB_MASK;
        c >>= 30;
    }
    x[P256_LIMBS - 1].d += (int32_t)((uint32_t)c << 30);
}

// Limbs of 30 bits to words of 32; returns what is above 2^256, with the sign.
static int32_t to_words(uint32_t r[8], const p256_triple_t x[P256_LIMBS]) {
    for (unsigned i = 0; i < 8; i++) {
        // bits 32 i and up: limb i from bit 2 i on, then limb i + 1
        r[i] = (uint32_t)x[i].d >> (2 * i) | (uint32_t)x[i + 1].d << (30 - 2 * i);
    }
    return shift_right(x[8].d, 16);
}

static int32_t limb(const uint32_t a[8], unsigned i) {
    uint32_t bits = i == 0 ? 0 : a[i - 1] >> (32 - 2 * i);
    if (i < 8) {
        bits |= a[i] << (2 * i);
    }
    return (int32_t)(bits & LIMB_MASK);
}

void p256_invert(uint32_t r[8], const uint32_t x[8], const p256_modulus_t *modulus) {
    work_t w;
    uint32_t t[8];
    int32_t zeta = -1;
    for (unsigned i = 0; i < P256_LIMBS; i++) {
        w.fg[i].f = modulus->m[i];
        w.fg[i].g = limb(x, i);
        w.dem[i] = (p256_triple_t){ 0, modulus->start[i], modulus->m[i] };
    }
    for (int i = 0; i < ROUNDS; i++) {
        zeta = p256_divsteps(zeta, (uint32_t)w.fg[0].f, (uint32_t)w.fg[0].g, w.t);
        p256_update_de(w.dem, w.t, modulus->minus_inverse);
        p256_update_fg(w.fg, w.t);
    }
    // f is 1 or -1 (or +-m for x = 0, and then d is a multiple of m). |d| < 11 m: taking away
    // floor(d / 2^256) m leaves -2^229 < d < 2^256 + 2^229.
    combine(w.dem, (uint32_t)shift_right(w.fg[P256_LIMBS - 1].f, 31), 0);
    combine(w.dem, 0, shift_right(w.dem[P256_LIMBS - 1].d, 16));
    int32_t top = to_words(r, w.dem);
    uint32_t negative = (uint32_t)shift_right(top, 31);
    for (size_t i = 0; i < 8; i++) {
        t[i] = modulus->words[i] & negative;
    }
    top += (int32_t)p256_add8(r, r, t);
    top -= (int32_t)p256_sub8(t, r, modulus->words);
    p256_move8(r, t, ~(uint32_t)shift_right(top, 31));
    p256_wipe(&w, sizeof(w));
    p256_wipe(t, sizeof(t));
}
