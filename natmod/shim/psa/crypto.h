// SPDX-License-Identifier: MIT
// p256-m's switch, and where its random bytes come from; nothing else of PSA is used.
#ifndef NATMOD_PSA_CRYPTO_H
#define NATMOD_PSA_CRYPTO_H

#include <stddef.h>
#include <stdint.h>

#define MBEDTLS_PSA_P256M_DRIVER_ENABLED

int psa_generate_random(uint8_t *out, size_t len);

#endif
