// SPDX-License-Identifier: MIT
// Elliptic curve operations on slots: argument checks, then the backend.
#include "ec.h"

#include <string.h>

#include "drbg.h"
#include "slots.h"
#include "wipe.h"

typedef struct {
    uint8_t size;
    uint8_t order[P11_SCALAR_MAX];
} curve_t;

// clang-format off
static const curve_t curves[] = {
    [P11_P256] = { 32, {
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63,
        0x25, 0x51,
    } },
    [P11_P384] = { 48, {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xc7, 0x63, 0x4d, 0x81, 0xf4, 0x37,
        0x2d, 0xdf, 0x58, 0x1a, 0x0d, 0xb2, 0x48, 0xb0, 0xa7, 0x7a, 0xec, 0xec, 0x19, 0x6a, 0xcc,
        0xc5, 0x29, 0x73,
    } },
};
// clang-format on

// A uniformly drawn scalar is out of range with probability 2^-32 (P-256) or less.
#define DRAWS_MAX 64

size_t p11_ec_size(int curve) {
    return curve == P11_P256 || curve == P11_P384 ? curves[curve].size : 0;
}

bool p11_scalar_good(int curve, const uint8_t *scalar) {
    const curve_t *c = &curves[curve];
    uint32_t borrow = 0;
    uint32_t any = 0;
    for (size_t i = c->size; i-- > 0;) {
        borrow = ((uint32_t)scalar[i] - c->order[i] - borrow) >> 31;
        any |= scalar[i];
    }
    return (borrow & ((0 - any) >> 31)) != 0;
}

int p11_ec_generate(p11_slot_t *slot, int curve) {
    uint8_t scalar[P11_SCALAR_MAX];
    size_t size = p11_ec_size(curve);
    *slot = 0;
    if (size == 0) {
        return P11_BAD_CURVE;
    }
    if (!p11_slot_vacant()) {
        return P11_FULL;
    }
    int status = p11_drbg_fresh();
    bool good = false;
    for (int draws = 0; status == P11_OK && !good && draws < DRAWS_MAX; draws++) {
        status = p11_random(scalar, size);
        good = status == P11_OK && p11_scalar_good(curve, scalar);
    }
    if (status == P11_OK) {
        status = good ? p11_slot_take(slot, curve, scalar, size) : P11_INTERNAL;
    }
    p11_wipe(scalar, sizeof(scalar));
    p11_wipe_stack();
    return status;
}

int p11_ec_import(p11_slot_t *slot, int curve, uint8_t *scalar, size_t len) {
    size_t size = p11_ec_size(curve);
    int status;
    *slot = 0;
    if (size == 0) {
        status = P11_BAD_CURVE;
    } else if (len != size || !p11_scalar_good(curve, scalar)) {
        status = P11_BAD_SCALAR;
    } else {
        status = p11_slot_take(slot, curve, scalar, size);
    }
    p11_wipe(scalar, len);
    return status;
}

int p11_ec_public(uint8_t point[P11_POINT_MAX], size_t *len, p11_slot_t slot) {
    const p11_key_t *key = p11_slot_get(slot, P11_EC_KINDS);
    memset(point, 0, P11_POINT_MAX);
    *len = 0;
    if (key == NULL) {
        return P11_BAD_SLOT;
    }
    int status = p11_backend_public(key->kind, point, key->value);
    p11_wipe_stack();
    if (status == P11_OK) {
        *len = 1 + 2 * (size_t)key->len;
    } else {
        memset(point, 0, P11_POINT_MAX);
    }
    return status;
}

static bool shaped(int curve, const uint8_t *point, size_t len) {
    return len == 1 + 2 * p11_ec_size(curve) && point[0] == 4;
}

int p11_ec_check(int curve, const uint8_t *point, size_t len) {
    if (p11_ec_size(curve) == 0) {
        return P11_BAD_CURVE;
    }
    return shaped(curve, point, len) ? p11_backend_check(curve, point) : P11_NO;
}

int p11_ecdsa_sign(uint8_t signature[P11_SIGNATURE_MAX], size_t *len, p11_slot_t slot,
    const uint8_t *digest, size_t digest_len) {
    const p11_key_t *key = p11_slot_get(slot, P11_EC_KINDS);
    memset(signature, 0, P11_SIGNATURE_MAX);
    *len = 0;
    if (key == NULL) {
        return P11_BAD_SLOT;
    }
    if (digest_len == 0) {
        return P11_BAD_DIGEST;
    }
    int status = p11_backend_sign(key->kind, signature, key->value, digest, digest_len);
    p11_wipe_stack();
    if (status == P11_OK) {
        *len = 2 * (size_t)key->len;
    } else {
        memset(signature, 0, P11_SIGNATURE_MAX);
    }
    return status;
}

int p11_ecdsa_verify(int curve, const uint8_t *point, size_t point_len, const uint8_t *digest,
    size_t digest_len, const uint8_t *signature, size_t signature_len) {
    size_t size = p11_ec_size(curve);
    if (size == 0) {
        return P11_BAD_CURVE;
    }
    if (digest_len == 0) {
        return P11_BAD_DIGEST;
    }
    if (signature_len != 2 * size) {
        return P11_BAD_SIGNATURE;
    }
    if (!shaped(curve, point, point_len)) {
        return P11_BAD_POINT;
    }
    return p11_backend_verify(curve, point, digest, digest_len, signature);
}
