// SPDX-License-Identifier: MIT
#include "drbg.h"

#include <string.h>

#include "entropy.h"
#include "mbedtls/ctr_drbg.h"
#include "mbedtls/sha512.h"
#include "wipe.h"

_Static_assert(MBEDTLS_CTR_DRBG_KEYSIZE == 32, "AES-256");
_Static_assert(P11_SEED_BYTES + 64 <= MBEDTLS_CTR_DRBG_MAX_SEED_INPUT, "seed and addition");
_Static_assert(P11_REQUEST_MAX <= MBEDTLS_CTR_DRBG_MAX_REQUEST, "one request");

static struct {
    mbedtls_ctr_drbg_context context;
    bool live;
    uint32_t requests;
    uint32_t bytes;
} generator;
static uint32_t reseeds;

static int seed_from_source(void *context, unsigned char *out, size_t len) {
    (void)context;
    return p11_entropy_poll(out, len) == P11_OK ? 0 : MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
}

// The library asks once, for the whole seed.
static int seed_from_memory(void *context, unsigned char *out, size_t len) {
    memcpy(out, context, len);
    return 0;
}

// NIST CAVS, CTR_DRBG, AES-256 use df, no prediction resistance, count 0: instantiate, generate,
// reseed, generate.
// clang-format off
static const uint8_t kat_entropy[64] = {
    0x5a, 0x19, 0x4d, 0x5e, 0x2b, 0x31, 0x58, 0x14, 0x54, 0xde, 0xf6, 0x75, 0xfb, 0x79, 0x58, 0xfe,
    0xc7, 0xdb, 0x87, 0x3e, 0x56, 0x89, 0xfc, 0x9d, 0x03, 0x21, 0x7c, 0x68, 0xd8, 0x03, 0x38, 0x20,
    0xf9, 0xe6, 0x5e, 0x04, 0xd8, 0x56, 0xf3, 0xa9, 0xc4, 0x4a, 0x4c, 0xbd, 0xc1, 0xd0, 0x08, 0x46,
    0xf5, 0x98, 0x3d, 0x77, 0x1c, 0x1b, 0x13, 0x7e, 0x4e, 0x0f, 0x9d, 0x8e, 0xf4, 0x09, 0xf9, 0x2e,
};
static const uint8_t kat_nonce[16] = {
    0x1b, 0x54, 0xb8, 0xff, 0x06, 0x42, 0xbf, 0xf5, 0x21, 0xf1, 0x5c, 0x1c, 0x0b, 0x66, 0x5f, 0x3f,
};
static const uint8_t kat_output[16] = {
    0xa0, 0x54, 0x30, 0x3d, 0x8a, 0x7e, 0xa9, 0x88, 0x9d, 0x90, 0x3e, 0x07, 0x7c, 0x6f, 0x21, 0x8f,
};
// clang-format on

static int seed_from_vector(void *context, unsigned char *out, size_t len) {
    const uint8_t **next = context;
    memcpy(out, *next, len);
    *next += len;
    return 0;
}

// Uses the generator's own memory, before it is seeded.
static bool known_answer(void) {
    mbedtls_ctr_drbg_context *context = &generator.context;
    const uint8_t *next = kat_entropy;
    uint8_t out[sizeof(kat_output)];
    mbedtls_ctr_drbg_init(context);
    mbedtls_ctr_drbg_set_entropy_len(context, 32);
    int bad = mbedtls_ctr_drbg_set_nonce_len(context, 0);
    bad |= mbedtls_ctr_drbg_seed(context, seed_from_vector, &next, kat_nonce, sizeof(kat_nonce));
    bad |= mbedtls_ctr_drbg_random(context, out, sizeof(out));
    bad |= mbedtls_ctr_drbg_reseed(context, NULL, 0);
    bad |= mbedtls_ctr_drbg_random(context, out, sizeof(out));
    mbedtls_ctr_drbg_free(context);
    return bad == 0 && memcmp(out, kat_output, sizeof(out)) == 0;
}

// seed: P11_SEED bytes, or NULL for the source. more: what distinguishes this system, may be empty.
static int instantiate(const uint8_t *seed, const uint8_t *more, size_t more_len) {
    static const char name[] = "micropython-pkcs11";
    uint8_t personal[sizeof(name) - 1 + 16 + P11_PERSONAL_MAX];
    if (p11_entropy_failed()) {
        return P11_ENTROPY;
    }
    if (!known_answer()) {
        p11_entropy_fail();
        return P11_ENTROPY;
    }
    memcpy(personal, name, sizeof(name) - 1);
    p11_chip_unique_id(personal + sizeof(name) - 1);
    memcpy(personal + sizeof(name) - 1 + 16, more, more_len);
    mbedtls_ctr_drbg_init(&generator.context);
    mbedtls_ctr_drbg_set_entropy_len(&generator.context, seed != NULL ? P11_SEED : P11_SEED_BYTES);
    int bad = mbedtls_ctr_drbg_seed(&generator.context,
        seed != NULL ? seed_from_memory : seed_from_source, (void *)(uintptr_t)seed, personal,
        sizeof(name) - 1 + 16 + more_len);
    generator.requests = 0;
    generator.bytes = 0;
    generator.live = bad == 0;
    if (bad != 0) {
        p11_drbg_wipe();
        return P11_ENTROPY;
    }
    return P11_OK;
}

// A new instance from the output of this one.
static int renew(void) {
    uint8_t seed[P11_SEED];
    int bad = mbedtls_ctr_drbg_random(&generator.context, seed, sizeof(seed));
    p11_drbg_wipe();
    int status = bad == 0 ? instantiate(seed, seed, 0) : P11_ENTROPY;
    p11_wipe(seed, sizeof(seed));
    return status;
}

int p11_drbg_fresh(void) {
    if (p11_entropy_failed()) {
        return P11_ENTROPY;
    }
    if (!generator.live) {
        return p11_has_source() ? instantiate(NULL, (const uint8_t *)"", 0) : P11_ENTROPY;
    }
    if (!p11_has_source()) {
        return renew();
    }
    if (mbedtls_ctr_drbg_reseed(&generator.context, NULL, 0) != 0) {
        p11_drbg_wipe();
        return P11_ENTROPY;
    }
    reseeds++;
    generator.requests = 0;
    generator.bytes = 0;
    return P11_OK;
}

static int request(uint8_t *out, size_t len) {
    int status = P11_OK;
    if (p11_entropy_failed()) {
        return P11_ENTROPY;
    }
    if (!generator.live || generator.requests >= P11_RESEED_REQUESTS
        || generator.bytes >= P11_RESEED_BYTES) {
        status = p11_drbg_fresh();
    }
    if (status != P11_OK) {
        return status;
    }
    generator.requests++;
    generator.bytes += len;
    return mbedtls_ctr_drbg_random(&generator.context, out, len) == 0 ? P11_OK : P11_ENTROPY;
}

static int fill(uint8_t *out, size_t len) {
    size_t done = 0;
    int status;
    do { // an empty request still answers whether the source is alive
        size_t part = len - done < P11_REQUEST_MAX ? len - done : P11_REQUEST_MAX;
        status = request(out + done, part);
        done += part;
    } while (status == P11_OK && done < len);
    if (status != P11_OK) {
        p11_wipe(out, len);
    }
    return status;
}

int p11_random(uint8_t *out, size_t len) {
    int status = fill(out, len);
    p11_wipe_stack();
    return status;
}

int p11_random_add(const uint8_t *data, size_t len) {
    uint8_t digest[64];
    int status = request(digest, 0);
    if (status == P11_OK) {
        if (mbedtls_sha512(data, len, digest, 0) != 0
            || mbedtls_ctr_drbg_update(&generator.context, digest, sizeof(digest)) != 0) {
            status = P11_INTERNAL;
        }
    }
    p11_wipe(digest, sizeof(digest));
    p11_wipe_stack();
    return status;
}

int p11_entropy_seed(uint8_t *seed, size_t len, const uint8_t *personal, size_t personal_len) {
    int status = len != P11_SEED ? P11_BAD_SEED : P11_OK;
    if (status == P11_OK && personal_len > P11_PERSONAL_MAX) {
        status = P11_BAD_CONTEXT;
    }
    if (status == P11_OK && (p11_has_source() || generator.live)) {
        status = p11_random_add(personal, personal_len);
        if (status == P11_OK) {
            status = p11_random_add(seed, len);
        }
    } else if (status == P11_OK) {
        status = instantiate(seed, personal, personal_len);
        if (status == P11_OK) {
            p11_entropy_seeded();
        }
    }
    p11_wipe(seed, len);
    p11_wipe_stack();
    return status;
}

int p11_drbg_callback(void *context, unsigned char *out, size_t len) {
    (void)context;
    return fill(out, len) == P11_OK ? 0 : MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
}

void p11_drbg_wipe(void) {
    if (generator.live) {
        mbedtls_ctr_drbg_free(&generator.context);
    }
    p11_wipe(&generator, sizeof(generator));
}

uint32_t p11_drbg_reseeds(void) {
    return reseeds;
}

int p11crypto_random(uint8_t *buf, size_t len) {
    return p11_random(buf, len) == P11_OK ? 0 : -1;
}

#if P11_TEST
// What power-off and on does to the whole core.
void p11_test_power_on(void) {
    p11crypto_soft_reset();
    p11_entropy_power_on();
    reseeds = 0;
}
#endif
