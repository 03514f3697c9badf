// SPDX-License-Identifier: MIT
// The same operations by mbedTLS, for the benchmark. What can be loaded before is loaded before.
#include <string.h>

#include "harness.h"
#include "mbedtls/ecdh.h"
#include "mbedtls/ecdsa.h"
#include "mbedtls/sha256.h"

static uint8_t message[4096 + 64];
static mbedtls_ecp_group group;
static mbedtls_ecp_point point, result;
static mbedtls_mpi scalar, r, s;
static int ready;

// Seven instructions per byte, so that the generator does not count.
static int random_bytes(void *context, unsigned char *out, size_t size) {
    static uint32_t state = 0x12345678;
    (void)context;
    for (size_t i = 0; i < size; i++) {
        state = state * 1664525 + 1013904223;
        out[i] = (unsigned char)(state >> 24);
    }
    return 0;
}

void prepare(const request_t *q) {
    uint8_t bytes[65] = { 4 };
    if (!ready) {
        ready = mbedtls_ecp_group_load(&group, MBEDTLS_ECP_DP_SECP256R1) == 0;
    }
    for (size_t i = 0; i < sizeof(message); i++) {
        message[i] = (uint8_t)(i * 7 + 1);
    }
    mbedtls_mpi_read_binary(&scalar, q->scalar, 32);
    mbedtls_mpi_read_binary(&r, q->signature, 32);
    mbedtls_mpi_read_binary(&s, q->signature + 32, 32);
    if (q->op == OP_VERIFY || q->op == OP_ECDH) {
        memcpy(bytes + 1, q->point, 64);
        mbedtls_ecp_point_read_binary(&group, &point, bytes, 65);
    }
}

static int write_signature(uint8_t out[64]) {
    return mbedtls_mpi_write_binary(&r, out, 32) + mbedtls_mpi_write_binary(&s, out + 32, 32);
}

static int public_key(uint8_t out[64]) {
    uint8_t bytes[65];
    size_t size;
    int bad = mbedtls_ecp_mul(&group, &result, &scalar, &group.G, random_bytes, NULL);
    bad |= mbedtls_ecp_point_write_binary(&group, &result, MBEDTLS_ECP_PF_UNCOMPRESSED, &size,
        bytes, sizeof(bytes));
    memcpy(out, bytes + 1, 64);
    return bad;
}

uint32_t run(uint8_t out[64], const request_t *q) {
    int bad = 1;
    switch (q->op) {
        case OP_NOTHING:
            return 1;
        case OP_PUBLIC:
            bad = public_key(out);
            break;
        case OP_SIGN:
            bad = mbedtls_ecdsa_sign(&group, &r, &s, &scalar, q->digest, 32, random_bytes, NULL);
            bad |= write_signature(out);
            break;
        case OP_SIGN_RFC6979:
            bad = mbedtls_ecdsa_sign_det_ext(&group, &r, &s, &scalar, q->digest, 32,
                MBEDTLS_MD_SHA256, random_bytes, NULL);
            bad |= write_signature(out);
            break;
        case OP_VERIFY:
            bad = mbedtls_ecdsa_verify(&group, q->digest, 32, &point, &r, &s);
            break;
        case OP_ECDH:
            bad = mbedtls_ecdh_compute_shared(&group, &s, &point, &scalar, random_bytes, NULL);
            bad |= mbedtls_mpi_write_binary(&s, out, 32);
            break;
        case OP_SHA256:
            bad = mbedtls_sha256(message, q->number, out, 0);
            break;
        default:
            break;
    }
    return bad == 0;
}
