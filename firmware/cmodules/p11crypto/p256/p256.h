// SPDX-License-Identifier: MIT
// P-256 (FIPS 186-5, SP 800-186): key generation, ECDSA, ECDH. No heap, no static state.
//
// Scalars, digests, coordinates and signature halves are 32 bytes, big-endian. A point is X || Y
// (64 bytes), a signature r || s (64 bytes). Every function writes its output first-argument
// buffer completely or, when it returns false, fills it with zeros.
//
// Constant time: p256_public, p256_sign, p256_sign_rfc6979 and p256_ecdh execute the same
// instructions and touch the same addresses whatever the scalar, the nonce and the digest are;
// only "is the scalar in 1..n-1", "did RFC 6979 need a second candidate" and validity of the
// (public) point are visible. p256_verify and p256_point_valid work on public data in variable
// time. No claim is made against power or electromagnetic analysis.
//
// `blind` is 32 random bytes that randomise the projective coordinates of the multiplication; the
// caller draws them fresh for each call. Any value gives a correct result.
//
// The bounds and the proofs are in docs/P256.md.
#ifndef P256_H
#define P256_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// True when `scalar` is in 1..n-1. Constant time but for the answer.
bool p256_scalar_valid(const uint8_t scalar[32]);

// True when `point` lies on the curve with both coordinates below p. The cofactor is 1, so it has
// order n.
bool p256_point_valid(const uint8_t point[64]);

// point = scalar * G. False when the scalar is not in 1..n-1.
bool p256_public(uint8_t point[64], const uint8_t scalar[32], const uint8_t blind[32]);

// ECDSA with the nonce handed in (FIPS 186-5, 6.4.1). `digest` is truncated on the right to 32
// bytes or padded with zeros on the left. False when scalar or nonce is out of range, or r or s is
// zero (draw another nonce).
bool p256_sign(uint8_t signature[64], const uint8_t scalar[32], const uint8_t *digest,
    size_t length, const uint8_t nonce[32], const uint8_t blind[32]);

// ECDSA with the nonce of RFC 6979 over HMAC-SHA-256; `extra` (may be NULL when extra_length is 0)
// is the additional input k' of section 3.6: with 32 random bytes the nonce depends on the key,
// the digest and the entropy.
bool p256_sign_rfc6979(uint8_t signature[64], const uint8_t scalar[32], const uint8_t *digest,
    size_t length, const uint8_t *extra, size_t extra_length, const uint8_t blind[32]);

// True when the signature is valid (FIPS 186-5, 6.4.2). Checks the point and the ranges of r and
// s.
bool p256_verify(const uint8_t point[64], const uint8_t *digest, size_t length,
    const uint8_t signature[64]);

// secret = X coordinate of scalar * point (SP 800-56A, 5.7.1.2). False for a scalar out of range
// or a point that is not on the curve.
bool p256_ecdh(uint8_t secret[32], const uint8_t scalar[32], const uint8_t point[64],
    const uint8_t blind[32]);

#endif
