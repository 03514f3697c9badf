// SPDX-License-Identifier: MIT
// What p256-m needs around it on the host: a wipe, and randomness that comes from Python.
#include <string.h>

#include "mbedtls/platform_util.h"
#include "psa/crypto.h"

void (*native_host_random)(void *out, size_t len);

int psa_generate_random(uint8_t *out, size_t len) {
    native_host_random(out, len);
    return 0;
}

void mbedtls_platform_zeroize(void *buf, size_t len) {
    memset(buf, 0, len);
}
