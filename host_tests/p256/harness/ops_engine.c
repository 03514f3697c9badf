// SPDX-License-Identifier: MIT
// Operations of the engine in firmware/cmodules/p11crypto/p256.
#include <string.h>

#include "fast_sha256.h"
#include "field.h"
#include "harness.h"
#include "p256.h"
#include "scalar.h"

static uint8_t message[4096 + 64];
static p256_fe_t x, y;
static p256_scalar_t s, t;

void prepare(const request_t *q) {
    for (size_t i = 0; i < sizeof(message); i++) {
        message[i] = (uint8_t)(i * 7 + 1);
    }
    memcpy(&x, q->scalar, 32);
    memcpy(&y, q->digest, 32);
    memcpy(&s, q->scalar, 32);
    memcpy(&t, q->digest, 32);
}

static uint32_t sha256(uint8_t out[64], uint32_t size) {
    fast_sha256_t hash;
    fast_sha256_start(&hash);
    fast_sha256_add(&hash, message, size);
    fast_sha256_end(out, &hash);
    return 1;
}

static uint32_t field(uint8_t out[64], uint32_t op) {
    switch (op) {
        case OP_MUL:
            p256_fe_mul(&x, &x, &y);
            break;
        case OP_SQR:
            p256_fe_sqr(&x, &x);
            break;
        case OP_ADD:
            p256_fe_add(&x, &x, &y);
            break;
        case OP_SUB:
            p256_fe_sub(&x, &x, &y);
            break;
        case OP_HALF:
            p256_fe_half(&x, &x);
            break;
        case OP_INVERT:
            p256_fe_invert(&x, &x);
            break;
        case OP_SCALAR_MUL:
            p256_scalar_montgomery(&s, &s, &t);
            memcpy(out, &s, 32);
            return 1;
        case OP_SCALAR_INVERT:
            p256_scalar_invert(&s, &s);
            memcpy(out, &s, 32);
            return 1;
        default:
            return 0;
    }
    memcpy(out, &x, 32);
    return 1;
}

#if P256_VALGRIND
// Everything secret becomes undefined: memcheck then reports each branch and each address that
// depends on it.
static void poison(const request_t *q) {
    if (q->op != OP_VERIFY && q->op != OP_POINT_VALID) {
        VALGRIND_MAKE_MEM_UNDEFINED(q->scalar, sizeof(q->scalar));
        VALGRIND_MAKE_MEM_UNDEFINED(q->digest, sizeof(q->digest));
        VALGRIND_MAKE_MEM_UNDEFINED(q->nonce, sizeof(q->nonce));
        VALGRIND_MAKE_MEM_UNDEFINED(q->blind, sizeof(q->blind));
    }
}
#else
#define poison(q) ((void)0)
#endif

static uint32_t operation(uint8_t out[64], const request_t *q) {
    switch (q->op) {
        case OP_NOTHING:
            return 1;
        case OP_PUBLIC:
            return p256_public(out, q->scalar, q->blind);
        case OP_SIGN:
            return p256_sign(out, q->scalar, q->digest, q->number, q->nonce, q->blind);
        case OP_SIGN_RFC6979:
            return p256_sign_rfc6979(out, q->scalar, q->digest, q->number, q->nonce, 0, q->blind);
        case OP_VERIFY:
            return p256_verify(q->point, q->digest, q->number, q->signature);
        case OP_ECDH:
            return p256_ecdh(out, q->scalar, q->point, q->blind);
        case OP_POINT_VALID:
            return p256_point_valid(q->point);
        case OP_SHA256:
            return sha256(out, q->number);
        default:
            return field(out, q->op);
    }
}

uint32_t run(uint8_t out[64], const request_t *q) {
    poison(q);
    uint32_t result = operation(out, q);
#if P256_VALGRIND
    VALGRIND_MAKE_MEM_DEFINED(out, 64);
    VALGRIND_MAKE_MEM_DEFINED(q, sizeof(*q));
    VALGRIND_MAKE_MEM_DEFINED(&result, sizeof(result));
#endif
    return result;
}
