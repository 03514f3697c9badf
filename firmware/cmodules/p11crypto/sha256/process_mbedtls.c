// SPDX-License-Identifier: MIT
// The compression function for mbedTLS 3.6: build this file with MBEDTLS_SHA256_PROCESS_ALT in the
// configuration, and everything that hashes through the library uses fast_sha256_blocks.
#include "fast_sha256.h"
#include "mbedtls/sha256.h"

#if defined(MBEDTLS_SHA256_PROCESS_ALT)
int mbedtls_internal_sha256_process(mbedtls_sha256_context *ctx, const unsigned char data[64]) {
    fast_sha256_blocks(ctx->MBEDTLS_PRIVATE(state), data, 1);
    return 0;
}
#endif
