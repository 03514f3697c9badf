// SPDX-License-Identifier: MIT
// Public keys and signatures.
#include "p256.h"

#include "nonce.h"
#include "point.h"

// All secrets of one operation; wiped on the way out.
typedef struct {
    p256_scalar_t d;
    p256_scalar_t k;
    p256_scalar_t odd;
    p256_scalar_t r;
    p256_scalar_t s;
    p256_jacobian_t point;
    uint8_t x[32];
} work_t;

bool p256_scalar_valid(const uint8_t scalar[32]) {
    p256_scalar_t t;
    uint32_t valid = p256_scalar_read(&t, scalar);
    p256_wipe(&t, sizeof(t));
    P256_PUBLIC(valid);
    return valid != 0;
}

P256_BELOW void multiply(uint8_t point[64], work_t *w, const uint8_t blind[32]) {
    uint32_t negate = p256_scalar_odd(&w->odd, &w->d);
    p256_comb(&w->point, &w->odd, blind);
    // The sum is (n - d) G for an even d: change the sign of y, which is never 0.
    p256_fe_t minus;
    p256_sub8(minus.w, p256_p.w, w->point.y.w);
    p256_fe_move(&w->point.y, &minus, negate);
    p256_affine_bytes(point, point + 32, &w->point);
}

bool p256_public(uint8_t point[64], const uint8_t scalar[32], const uint8_t blind[32]) {
    work_t w;
    uint32_t valid = p256_scalar_read(&w.d, scalar);
    P256_PUBLIC(valid);
    if (valid != 0) {
        multiply(point, &w, blind);
    } else {
        p256_wipe(point, 64);
    }
    p256_wipe(&w, sizeof(w));
    p256_wipe_stack();
    return valid != 0;
}

// s = (digest + r d) / k with w->d and w->k in 1..n-1; false when r or s is 0.
P256_BELOW bool sign(uint8_t signature[64], work_t *w, const p256_scalar_t *digest,
    const uint8_t blind[32]) {
    p256_scalar_odd(&w->odd, &w->k); // -k G has the same x
    p256_comb(&w->point, &w->odd, blind);
    p256_affine_bytes(w->x, NULL, &w->point);
    p256_words(w->r.w, w->x);
    p256_scalar_reduce(&w->r);
    p256_scalar_mul(&w->s, &w->r, &w->d);
    p256_scalar_add(&w->s, &w->s, digest);
    p256_scalar_invert(&w->k, &w->k);
    p256_scalar_montgomery(&w->s, &w->s, &w->k);
    uint32_t zero = p256_zero8(w->r.w) | p256_zero8(w->s.w);
    P256_PUBLIC(zero);
    p256_bytes(signature, w->r.w);
    p256_bytes(signature + 32, w->s.w);
    return zero == 0;
}

bool p256_sign(uint8_t signature[64], const uint8_t scalar[32], const uint8_t *digest,
    size_t length, const uint8_t nonce[32], const uint8_t blind[32]) {
    work_t w;
    p256_scalar_t e;
    uint32_t valid = p256_scalar_read(&w.d, scalar) & p256_scalar_read(&w.k, nonce);
    P256_PUBLIC(valid);
    bool good = valid != 0;
    if (good) {
        p256_scalar_digest(&e, digest, length);
        good = sign(signature, &w, &e, blind);
    }
    if (!good) {
        p256_wipe(signature, 64);
    }
    p256_wipe(&e, sizeof(e));
    p256_wipe(&w, sizeof(w));
    p256_wipe_stack();
    return good;
}

bool p256_sign_rfc6979(uint8_t signature[64], const uint8_t scalar[32], const uint8_t *digest,
    size_t length, const uint8_t *extra, size_t extra_length, const uint8_t blind[32]) {
    work_t w;
    p256_scalar_t e;
    p256_nonce_t nonce;
    uint32_t valid = p256_scalar_read(&w.d, scalar);
    P256_PUBLIC(valid);
    bool good = valid != 0;
    if (good) {
        p256_scalar_digest(&e, digest, length);
        p256_nonce_start(&nonce, scalar, &e, extra, extra_length);
        do {
            p256_nonce_next(&w.k, &nonce);
        } while (!sign(signature, &w, &e, blind));
    } else {
        p256_wipe(signature, 64);
    }
    p256_wipe(&nonce, sizeof(nonce));
    p256_wipe(&e, sizeof(e));
    p256_wipe(&w, sizeof(w));
    p256_wipe_stack();
    return good;
}
