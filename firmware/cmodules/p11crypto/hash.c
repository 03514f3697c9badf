// SPDX-License-Identifier: MIT
// Hashes over flat library contexts held by the caller.
#include <string.h>

#include "mbedtls/sha1.h"
#include "mbedtls/sha256.h"
#include "mbedtls/sha512.h"
#include "wipe.h"

typedef union {
    mbedtls_sha1_context sha1;
    mbedtls_sha256_context sha256;
    mbedtls_sha512_context sha512;
} context_t;

_Static_assert(sizeof(context_t) <= sizeof(((p11_hash_t *)0)->context), "hash context");
_Static_assert(_Alignof(context_t) <= _Alignof(p11_hash_t), "hash context");

size_t p11_hash_size(int algorithm) {
    static const uint8_t sizes[] = {
        [P11_SHA1] = 20, [P11_SHA224] = 28, [P11_SHA256] = 32, [P11_SHA384] = 48, [P11_SHA512] = 64
    };
    return algorithm >= P11_SHA1 && algorithm <= P11_SHA512 ? sizes[algorithm] : 0;
}

static context_t *context(p11_hash_t *hash) {
    return (context_t *)(void *)hash->context;
}

int p11_hash_start(p11_hash_t *hash, int algorithm) {
    int bad = -1;
    memset(hash, 0, sizeof(*hash));
    hash->algorithm = (uint32_t)algorithm;
    switch (algorithm) {
        case P11_SHA1:
            bad = mbedtls_sha1_starts(&context(hash)->sha1);
            break;
        case P11_SHA224:
        case P11_SHA256:
            bad = mbedtls_sha256_starts(&context(hash)->sha256, algorithm == P11_SHA224);
            break;
        case P11_SHA384:
        case P11_SHA512:
            bad = mbedtls_sha512_starts(&context(hash)->sha512, algorithm == P11_SHA384);
            break;
        default:
            hash->algorithm = 0;
            break;
    }
    return bad == 0 ? P11_OK : P11_BAD_HASH;
}

int p11_hash_update(p11_hash_t *hash, const uint8_t *data, size_t len) {
    int bad = -1;
    switch (hash->algorithm) {
        case P11_SHA1:
            bad = mbedtls_sha1_update(&context(hash)->sha1, data, len);
            break;
        case P11_SHA224:
        case P11_SHA256:
            bad = mbedtls_sha256_update(&context(hash)->sha256, data, len);
            break;
        case P11_SHA384:
        case P11_SHA512:
            bad = mbedtls_sha512_update(&context(hash)->sha512, data, len);
            break;
        default:
            break;
    }
    return bad == 0 ? P11_OK : P11_BAD_HASH;
}

int p11_hash_digest(uint8_t out[P11_HASH_MAX], const p11_hash_t *hash) {
    p11_hash_t copy = *hash; // finishing changes the state
    int bad = -1;
    memset(out, 0, P11_HASH_MAX);
    switch (copy.algorithm) {
        case P11_SHA1:
            bad = mbedtls_sha1_finish(&context(&copy)->sha1, out);
            break;
        case P11_SHA224:
        case P11_SHA256:
            bad = mbedtls_sha256_finish(&context(&copy)->sha256, out);
            break;
        case P11_SHA384:
        case P11_SHA512:
            bad = mbedtls_sha512_finish(&context(&copy)->sha512, out);
            break;
        default:
            break;
    }
    p11_wipe(&copy, sizeof(copy));
    return bad == 0 ? P11_OK : P11_BAD_HASH;
}

int p11_sha256(uint8_t out[32], const uint8_t *data, size_t len) {
    return mbedtls_sha256(data, len, out, 0) == 0 ? P11_OK : P11_INTERNAL;
}
