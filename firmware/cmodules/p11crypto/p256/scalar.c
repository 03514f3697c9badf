// SPDX-License-Identifier: MIT
#include "scalar.h"

#include "inverse.h"

// -1/n modulo 2^32
#define MINUS_INVERSE 0xee00bc4f

const p256_scalar_t p256_n = { {
    0xfc632551,
    0xf3b9cac2,
    0xa7179e84,
    0xbce6faad,
    0xffffffff,
    0xffffffff,
    0x00000000,
    0xffffffff,
} };
// 2^512 mod n
static const p256_scalar_t square = { {
    0xbe79eea2,
    0x83244c95,
    0x49bd6fa6,
    0x4699799c,
    0x2b6bec59,
    0x2845b239,
    0xf3d95620,
    0x66e12d94,
} };

static const p256_modulus_t modulus_n = {
    { 0x3c632551, 0x0ee72b0b, 0x3179e84f, 0x39beab69, 0x3fffffbc,
        0x3fffffff, 0x00000fff, 0x3fffc000, 0x0000ffff },
    // 2^256 mod n
    { 0x039cdaaf, 0x3118d4f4, 0x0e8617b0, 0x06415496, 0x00000043,
        0x00000000, 0x3ffff000, 0x00003fff, 0x00000000 },
    0x2e00bc4f,
    p256_n.w,
};

uint32_t p256_scalar_read(p256_scalar_t *r, const uint8_t in[32]) {
    p256_scalar_t t;
    p256_words(r->w, in);
    uint32_t below = 0 - p256_sub8(t.w, r->w, p256_n.w);
    p256_wipe(&t, sizeof(t));
    return below & ~p256_zero8(r->w);
}

// r = r - n unless that is negative; r < 2n, the bits above 2^256 in top.
static void subtract_n(p256_scalar_t *r, uint32_t top) {
    p256_scalar_t t;
    top -= p256_sub8(t.w, r->w, p256_n.w);
    p256_move8(r->w, t.w, ~(0 - (top >> 31)));
    p256_wipe(&t, sizeof(t));
}

void p256_scalar_reduce(p256_scalar_t *r) {
    subtract_n(r, 0); // 2^256 < 2n
}

void p256_scalar_digest(p256_scalar_t *r, const uint8_t *digest, size_t length) {
    uint8_t bytes[32] = { 0 };
    size_t count = length < 32 ? length : 32;
    for (size_t i = 0; i < count; i++) {
        bytes[32 - count + i] = digest[i];
    }
    p256_words(r->w, bytes);
    p256_scalar_reduce(r);
    p256_wipe(bytes, sizeof(bytes));
}

void p256_scalar_add(p256_scalar_t *r, const p256_scalar_t *a, const p256_scalar_t *b) {
    uint32_t carry = p256_add8(r->w, a->w, b->w);
    subtract_n(r, carry);
}

#if !P256_ARM

// Row by row: t = (t + a b[i] + m n) / 2^32. t stays below 2n because a, b < n, so its ninth word
// is 0 or 1.
void p256_scalar_montgomery(p256_scalar_t *r, const p256_scalar_t *a, const p256_scalar_t *b) {
    uint32_t t[9] = { 0 };
    for (size_t i = 0; i < 8; i++) {
        uint32_t high = 0;
        uint32_t carry = 0;
        uint32_t bi = b->w[i];
        for (size_t j = 0; j < 8; j++) {
            p256_mac(&t[j], &high, a->w[j], bi);
        }
        t[8] = p256_add_carry(&carry, t[8], high);
        uint32_t m = t[0] * MINUS_INVERSE;
        uint32_t low = t[0];
        high = 0;
        p256_mac(&low, &high, m, p256_n.w[0]);
        for (size_t j = 1; j < 8; j++) {
            low = t[j];
            p256_mac(&low, &high, m, p256_n.w[j]);
            t[j - 1] = low;
        }
        uint32_t second = 0;
        t[7] = p256_add_carry(&second, t[8], high);
        t[8] = carry + second;
    }
    uint32_t top = t[8];
    for (size_t i = 0; i < 8; i++) {
        r->w[i] = t[i];
    }
    subtract_n(r, top);
    p256_wipe(t, sizeof(t));
}

#endif

void p256_scalar_mul(p256_scalar_t *r, const p256_scalar_t *a, const p256_scalar_t *b) {
    p256_scalar_t t;
    p256_scalar_montgomery(&t, a, &square);
    p256_scalar_montgomery(r, &t, b);
    p256_wipe(&t, sizeof(t));
}

void p256_scalar_invert(p256_scalar_t *r, const p256_scalar_t *a) {
    p256_invert(r->w, a->w, &modulus_n);
}

uint32_t p256_scalar_odd(p256_scalar_t *r, const p256_scalar_t *a) {
    uint32_t even = p256_hide((a->w[0] & 1) - 1);
    p256_scalar_t t;
    p256_sub8(t.w, p256_n.w, a->w);
    *r = *a;
    p256_move8(r->w, t.w, even);
    p256_wipe(&t, sizeof(t));
    return even;
}
