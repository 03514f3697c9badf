// SPDX-License-Identifier: MIT
// Elliptic curve backend over mbedTLS. Blinding and the signature's secret number come from the
// generator of this module; with P11_RFC6979 the secret number is the deterministic one of
// RFC 6979 and only blinding is random.
#include "arena.h"
#include "drbg.h"
#include "ec.h"
#include "mbedtls/ctr_drbg.h"
#include "mbedtls/ecdsa.h"
#include "mbedtls/ecp.h"

// Everything an operation needs from the library; one way in, one way out.
typedef struct {
    mbedtls_ecp_group group;
    mbedtls_ecp_point point;
    mbedtls_mpi scalar;
    mbedtls_mpi r;
    mbedtls_mpi s;
} work_t;

static int enter(work_t *work, int curve) {
    mbedtls_ecp_group_init(&work->group);
    mbedtls_ecp_point_init(&work->point);
    mbedtls_mpi_init(&work->scalar);
    mbedtls_mpi_init(&work->r);
    mbedtls_mpi_init(&work->s);
    return mbedtls_ecp_group_load(&work->group,
        curve == P11_P256 ? MBEDTLS_ECP_DP_SECP256R1 : MBEDTLS_ECP_DP_SECP384R1);
}

// Frees and wipes; turns the library's code into ours. A leak is a fault like any other.
static int leave(work_t *work, int code) {
    mbedtls_mpi_free(&work->s);
    mbedtls_mpi_free(&work->r);
    mbedtls_mpi_free(&work->scalar);
    mbedtls_ecp_point_free(&work->point);
    mbedtls_ecp_group_free(&work->group);
    bool clean = p11_arena_wipe();
    if (code == MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED) {
        return P11_ENTROPY;
    }
    return code == 0 && clean ? P11_OK : P11_INTERNAL;
}

// Reads a point; whether it is one, on the curve and not the neutral element.
static bool on_curve(work_t *work, int curve, const uint8_t *point) {
    size_t len = 1 + 2 * p11_ec_size(curve);
    return mbedtls_ecp_point_read_binary(&work->group, &work->point, point, len) == 0
           && mbedtls_ecp_check_pubkey(&work->group, &work->point) == 0;
}

int p11_backend_public(int curve, uint8_t *point, const uint8_t *scalar) {
    work_t work;
    size_t size = p11_ec_size(curve);
    size_t written;
    int code = enter(&work, curve);
    if (code == 0) {
        code = mbedtls_mpi_read_binary(&work.scalar, scalar, size);
    }
    if (code == 0) {
        code = mbedtls_ecp_mul(&work.group, &work.point, &work.scalar, &work.group.G,
            p11_drbg_callback, NULL);
    }
    if (code == 0) { // a fault in the multiplication rarely ends on the curve
        code = mbedtls_ecp_check_pubkey(&work.group, &work.point);
    }
    if (code == 0) {
        code = mbedtls_ecp_point_write_binary(&work.group, &work.point,
            MBEDTLS_ECP_PF_UNCOMPRESSED, &written, point, 1 + 2 * size);
    }
    return leave(&work, code);
}

int p11_backend_check(int curve, const uint8_t *point) {
    work_t work;
    int code = enter(&work, curve);
    int verdict = code == 0 && on_curve(&work, curve, point) ? P11_OK : P11_NO;
    int status = leave(&work, code);
    return status == P11_OK ? verdict : status;
}

static int sign(work_t *work, int curve, const uint8_t *digest, size_t digest_len) {
#if P11_RFC6979
    mbedtls_md_type_t md = curve == P11_P256 ? MBEDTLS_MD_SHA256 : MBEDTLS_MD_SHA384;
    return mbedtls_ecdsa_sign_det_ext(&work->group, &work->r, &work->s, &work->scalar, digest,
        digest_len, md, p11_drbg_callback, NULL);
#else
    (void)curve;
    return mbedtls_ecdsa_sign(&work->group, &work->r, &work->s, &work->scalar, digest, digest_len,
        p11_drbg_callback, NULL);
#endif
}

int p11_backend_sign(int curve, uint8_t *signature, const uint8_t *scalar, const uint8_t *digest,
    size_t digest_len) {
    work_t work;
    size_t size = p11_ec_size(curve);
    int code = enter(&work, curve);
    if (code == 0) {
        code = mbedtls_mpi_read_binary(&work.scalar, scalar, size);
    }
    if (code == 0) {
        code = sign(&work, curve, digest, digest_len);
    }
    if (code == 0) {
        code = mbedtls_mpi_write_binary(&work.r, signature, size);
    }
    if (code == 0) {
        code = mbedtls_mpi_write_binary(&work.s, signature + size, size);
    }
    return leave(&work, code);
}

int p11_backend_verify(int curve, const uint8_t *point, const uint8_t *digest, size_t digest_len,
    const uint8_t *signature) {
    work_t work;
    size_t size = p11_ec_size(curve);
    int verdict = P11_OK;
    int code = enter(&work, curve);
    if (code == 0 && !on_curve(&work, curve, point)) {
        verdict = P11_BAD_POINT;
    }
    if (code == 0) {
        code = mbedtls_mpi_read_binary(&work.r, signature, size);
    }
    if (code == 0) {
        code = mbedtls_mpi_read_binary(&work.s, signature + size, size);
    }
    if (code == 0 && verdict == P11_OK) {
        code = mbedtls_ecdsa_verify(&work.group, digest, digest_len, &work.point, &work.r,
            &work.s);
        if (code == MBEDTLS_ERR_ECP_VERIFY_FAILED) {
            code = 0;
            verdict = P11_NO;
        }
    }
    int status = leave(&work, code);
    return status == P11_OK ? verdict : status;
}

int p11_backend_dh(int curve, uint8_t *x, const uint8_t *scalar, const uint8_t *point) {
    work_t work;
    size_t size = p11_ec_size(curve);
    int verdict = P11_OK;
    int code = enter(&work, curve);
    if (code == 0 && !on_curve(&work, curve, point)) {
        verdict = P11_BAD_POINT;
    }
    if (code == 0) {
        code = mbedtls_mpi_read_binary(&work.scalar, scalar, size);
    }
    if (code == 0 && verdict == P11_OK) {
        code = mbedtls_ecp_mul(&work.group, &work.point, &work.scalar, &work.point,
            p11_drbg_callback, NULL);
        if (code == 0) { // a fault in the multiplication rarely ends on the curve
            code = mbedtls_ecp_check_pubkey(&work.group, &work.point);
        }
        if (code == 0) {
            code = mbedtls_mpi_write_binary(&work.point.MBEDTLS_PRIVATE(X), x, size);
        }
    }
    int status = leave(&work, code);
    return status == P11_OK ? verdict : status;
}
