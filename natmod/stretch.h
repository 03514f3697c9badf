// SPDX-License-Identifier: MIT
// PBKDF2-HMAC-SHA-256 of one block (RFC 8018), over the loader's SHA-256.
#ifndef NATMOD_STRETCH_H
#define NATMOD_STRETCH_H

#include <stddef.h>
#include <stdint.h>

#define STRETCH_SALT_MAX 64

void stretch_pbkdf2(uint8_t out[32], const uint8_t *pin, size_t pin_len, const uint8_t *salt,
    size_t salt_len, uint32_t iterations);

#endif
