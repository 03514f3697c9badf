// SPDX-License-Identifier: MIT
// SHA-256 (FIPS 180-4) of one contiguous message, for the loader: small, no state kept.
#ifndef LOADER_SHA256_H
#define LOADER_SHA256_H

#include <stddef.h>
#include <stdint.h>

void sha256(uint8_t digest[32], const uint8_t *message, size_t len);

#endif
