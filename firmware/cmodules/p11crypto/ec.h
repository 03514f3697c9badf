// SPDX-License-Identifier: MIT
// What a backend for elliptic curves provides. One file implements it: ec_mbedtls.c, or a faster
// engine chosen by the makefile variable P256. Scalars, coordinates and signature halves are big
// endian and exactly p11_ec_size(curve) bytes; points are 04 || X || Y. The caller has checked
// the curve and the lengths. A backend wipes everything it computed with before it returns.
#ifndef P11_EC_H
#define P11_EC_H

#include "p11crypto.h"

// In ec.c, the same for all backends: whether 1 <= scalar < order, in constant time.
bool p11_scalar_good(int curve, const uint8_t *scalar);

// Public point of a private scalar. P11_OK, P11_ENTROPY (no blinding), P11_INTERNAL.
int p11_backend_public(int curve, uint8_t *point, const uint8_t *scalar);
// P11_OK: on the curve and not the neutral element. P11_NO otherwise.
int p11_backend_check(int curve, const uint8_t *point);
// ECDSA (FIPS 186-5 §6.4.1) over the leftmost bits of digest; writes r || s.
int p11_backend_sign(int curve, uint8_t *signature, const uint8_t *scalar, const uint8_t *digest,
    size_t digest_len);
// P11_OK good, P11_NO bad, P11_BAD_POINT off the curve.
int p11_backend_verify(int curve, const uint8_t *point, const uint8_t *digest, size_t digest_len,
    const uint8_t *signature);
// x coordinate of scalar times point, p11_ec_size(curve) bytes. P11_BAD_POINT off the curve.
int p11_backend_dh(int curve, uint8_t *x, const uint8_t *scalar, const uint8_t *point);

#endif
