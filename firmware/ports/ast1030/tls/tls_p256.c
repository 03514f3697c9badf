// SPDX-License-Identifier: MIT
// The token's P-256 engine under MicroPython's mbedTLS: verification of signatures and both halves of
// ECDH. Other curves take the library's own general functions, which the engine's hooks replace.

#include <string.h>

#include "chip.h"
#include "mbedtls/ecdh.h"
#include "mbedtls/ecdsa.h"
#include "mbedtls/platform_util.h"
#include "p256/p256.h"

typedef int random_t(void *, unsigned char *, size_t);

static bool is_p256(const mbedtls_ecp_group *group) {
    return group->id == MBEDTLS_ECP_DP_SECP256R1;
}

static int write_point(const mbedtls_ecp_group *group, const mbedtls_ecp_point *point,
    uint8_t out[65]) {
    size_t len;
    return mbedtls_ecp_point_write_binary(group, point, MBEDTLS_ECP_PF_UNCOMPRESSED, &len, out, 65);
}

// --- ECDH ------------------------------------------------------------------------------------

int mbedtls_ecdh_gen_public(mbedtls_ecp_group *group, mbedtls_mpi *d, mbedtls_ecp_point *q,
    random_t *f_rng, void *p_rng) {
    int status = mbedtls_ecp_gen_privkey(group, d, f_rng, p_rng);
    if (status != 0 || !is_p256(group)) {
        return status != 0 ? status : mbedtls_ecp_mul(group, q, d, &group->G, f_rng, p_rng);
    }
    uint8_t scalar[32], blind[32], point[65] = { 4 };
    status = mbedtls_mpi_write_binary(d, scalar, sizeof(scalar));
    if (status == 0) {
        status = f_rng(p_rng, blind, sizeof(blind));
    }
    if (status == 0 && !p256_public(point + 1, scalar, blind)) {
        status = MBEDTLS_ERR_ECP_INVALID_KEY;
    }
    if (status == 0) {
        status = mbedtls_ecp_point_read_binary(group, q, point, sizeof(point));
    }
    mbedtls_platform_zeroize(scalar, sizeof(scalar));
    mbedtls_platform_zeroize(blind, sizeof(blind));
    return status;
}

static int other_shared(mbedtls_ecp_group *group, mbedtls_mpi *z, const mbedtls_ecp_point *q,
    const mbedtls_mpi *d, random_t *f_rng, void *p_rng) {
    mbedtls_ecp_point point;
    mbedtls_ecp_point_init(&point);
    int status = mbedtls_ecp_mul(group, &point, d, q, f_rng, p_rng);
    if (status == 0 && mbedtls_ecp_is_zero(&point)) {
        status = MBEDTLS_ERR_ECP_BAD_INPUT_DATA;
    }
    if (status == 0) {
        status = mbedtls_mpi_copy(z, &point.MBEDTLS_PRIVATE(X));
    }
    mbedtls_ecp_point_free(&point);
    return status;
}

int mbedtls_ecdh_compute_shared(mbedtls_ecp_group *group, mbedtls_mpi *z,
    const mbedtls_ecp_point *q, const mbedtls_mpi *d, random_t *f_rng, void *p_rng) {
    if (!is_p256(group)) {
        return other_shared(group, z, q, d, f_rng, p_rng);
    }
    uint8_t scalar[32], blind[32], point[65], secret[32];
    int status = write_point(group, q, point);
    if (status == 0) {
        status = mbedtls_mpi_write_binary(d, scalar, sizeof(scalar));
    }
    if (status == 0) {
        status = f_rng(p_rng, blind, sizeof(blind));
    }
    if (status == 0 && !p256_ecdh(secret, scalar, point + 1, blind)) {
        status = MBEDTLS_ERR_ECP_INVALID_KEY;
    }
    if (status == 0) {
        status = mbedtls_mpi_read_binary(z, secret, sizeof(secret));
    }
    mbedtls_platform_zeroize(scalar, sizeof(scalar));
    mbedtls_platform_zeroize(blind, sizeof(blind));
    mbedtls_platform_zeroize(secret, sizeof(secret));
    return status;
}

// --- ECDSA -----------------------------------------------------------------------------------

#define CHECK(call)               \
    if ((status = (call)) != 0) { \
        goto cleanup;             \
    }

// SEC 1, 4.1.4. Public data only.
static int other_verify(mbedtls_ecp_group *group, const uint8_t *hash, size_t len,
    const mbedtls_ecp_point *q, const mbedtls_mpi *r, const mbedtls_mpi *s) {
    mbedtls_mpi e, inverse, u1, u2;
    mbedtls_ecp_point point;
    size_t size = (group->nbits + 7) / 8; // nbits is a multiple of 8 for every curve we have
    int status;
    mbedtls_mpi_init(&e);
    mbedtls_mpi_init(&inverse);
    mbedtls_mpi_init(&u1);
    mbedtls_mpi_init(&u2);
    mbedtls_ecp_point_init(&point);
    if (mbedtls_mpi_cmp_int(r, 1) < 0 || mbedtls_mpi_cmp_mpi(r, &group->N) >= 0
        || mbedtls_mpi_cmp_int(s, 1) < 0 || mbedtls_mpi_cmp_mpi(s, &group->N) >= 0) {
        return MBEDTLS_ERR_ECP_VERIFY_FAILED;
    }
    CHECK(mbedtls_mpi_read_binary(&e, hash, len < size ? len : size));
    CHECK(mbedtls_mpi_inv_mod(&inverse, s, &group->N));
    CHECK(mbedtls_mpi_mul_mpi(&u1, &e, &inverse));
    CHECK(mbedtls_mpi_mod_mpi(&u1, &u1, &group->N));
    CHECK(mbedtls_mpi_mul_mpi(&u2, r, &inverse));
    CHECK(mbedtls_mpi_mod_mpi(&u2, &u2, &group->N));
    CHECK(mbedtls_ecp_muladd(group, &point, &u1, &group->G, &u2, q));
    if (mbedtls_ecp_is_zero(&point)) {
        status = MBEDTLS_ERR_ECP_VERIFY_FAILED;
        goto cleanup;
    }
    CHECK(mbedtls_mpi_mod_mpi(&e, &point.MBEDTLS_PRIVATE(X), &group->N));
    status = mbedtls_mpi_cmp_mpi(&e, r) == 0 ? 0 : MBEDTLS_ERR_ECP_VERIFY_FAILED;
cleanup:
    mbedtls_ecp_point_free(&point);
    mbedtls_mpi_free(&u2);
    mbedtls_mpi_free(&u1);
    mbedtls_mpi_free(&inverse);
    mbedtls_mpi_free(&e);
    return status;
}

int mbedtls_ecdsa_verify(mbedtls_ecp_group *group, const unsigned char *hash, size_t len,
    const mbedtls_ecp_point *q, const mbedtls_mpi *r, const mbedtls_mpi *s) {
    if (!is_p256(group)) {
        return other_verify(group, hash, len, q, r, s);
    }
    uint8_t point[65], signature[64];
    int status = write_point(group, q, point);
    // A number that does not fit is out of range.
    if (status == 0
        && (mbedtls_mpi_write_binary(r, signature, 32) != 0
            || mbedtls_mpi_write_binary(s, signature + 32, 32) != 0
            || !p256_verify(point + 1, hash, len, signature))) {
        status = MBEDTLS_ERR_ECP_VERIFY_FAILED;
    }
    return status;
}
