// SPDX-License-Identifier: MIT
// Elliptic curve backend P256=own: P-256 by the engine in p256/, P-384 by mbedTLS as in
// ec_mbedtls.c.
//
// The nonce of a signature is that of RFC 6979 with 32 bytes from the generator as additional
// input (3.6): it depends on the key, the digest and the entropy, and is good if any of the last
// two is. With P11_RFC6979 the additional input is left out and signatures are reproducible.
#include <string.h>

#include "drbg.h"
#include "ec.h"
#include "p256/p256.h"
#include "wipe.h"

#define p11_backend_public other_public
#define p11_backend_check other_check
#define p11_backend_sign other_sign
#define p11_backend_verify other_verify
static int other_public(int curve, uint8_t *point, const uint8_t *scalar);
static int other_check(int curve, const uint8_t *point);
static int other_sign(int curve, uint8_t *signature, const uint8_t *scalar, const uint8_t *digest,
    size_t digest_len);
static int other_verify(int curve, const uint8_t *point, const uint8_t *digest, size_t digest_len,
    const uint8_t *signature);
#include "ec_mbedtls.c"
#undef p11_backend_public
#undef p11_backend_check
#undef p11_backend_sign
#undef p11_backend_verify

// What one operation draws from the generator.
typedef struct {
    uint8_t blind[32];
    uint8_t extra[32];
} draw_t;

int p11_backend_public(int curve, uint8_t *point, const uint8_t *scalar) {
    if (curve != P11_P256) {
        return other_public(curve, point, scalar);
    }
    draw_t draw;
    int status = p11_random(draw.blind, sizeof(draw.blind));
    if (status == P11_OK) {
        // A fault in the multiplication rarely ends on the curve.
        bool good = p256_public(point + 1, scalar, draw.blind) && p256_point_valid(point + 1);
        point[0] = 4;
        status = good ? P11_OK : P11_INTERNAL;
    }
    p11_wipe(&draw, sizeof(draw));
    return status;
}

int p11_backend_check(int curve, const uint8_t *point) {
    if (curve != P11_P256) {
        return other_check(curve, point);
    }
    return p256_point_valid(point + 1) ? P11_OK : P11_NO;
}

int p11_backend_sign(int curve, uint8_t *signature, const uint8_t *scalar, const uint8_t *digest,
    size_t digest_len) {
    if (curve != P11_P256) {
        return other_sign(curve, signature, scalar, digest, digest_len);
    }
    draw_t draw;
    int status = p11_random((uint8_t *)&draw, sizeof(draw));
    if (status == P11_OK) {
        size_t extra_len = P11_RFC6979 ? 0 : sizeof(draw.extra);
        bool good = p256_sign_rfc6979(signature, scalar, digest, digest_len, draw.extra, extra_len,
            draw.blind);
        status = good ? P11_OK : P11_INTERNAL;
    }
    p11_wipe(&draw, sizeof(draw));
    return status;
}

int p11_backend_verify(int curve, const uint8_t *point, const uint8_t *digest, size_t digest_len,
    const uint8_t *signature) {
    if (curve != P11_P256) {
        return other_verify(curve, point, digest, digest_len, signature);
    }
    if (!p256_point_valid(point + 1)) {
        return P11_BAD_POINT;
    }
    return p256_verify(point + 1, digest, digest_len, signature) ? P11_OK : P11_NO;
}
