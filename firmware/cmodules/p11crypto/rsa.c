// SPDX-License-Identifier: MIT
// RSA with 2048 bits on slots, over mbedTLS: the bare permutation; padding is the caller's. A slot
// holds p, q, d mod p-1, d mod q-1, 1/q mod p (128 bytes each) and e (4 bytes); n is their product.
#include <string.h>

#include "arena.h"
#include "drbg.h"
#include "mbedtls/ctr_drbg.h"
#include "mbedtls/rsa.h"
#include "slots.h"
#include "wipe.h"

#define HALF (P11_RSA_BLOCK / 2)
#define E_BYTES 4

#define N(work) (&(work)->rsa.MBEDTLS_PRIVATE(N))
#define E(work) (&(work)->rsa.MBEDTLS_PRIVATE(E))

// One way in, one way out, as in ec_mbedtls.c.
typedef struct {
    mbedtls_rsa_context rsa;
    mbedtls_mpi *parts[P11_RSA_SECRETS]; // where the numbers of a key are in it: d, p, q, …
} work_t;

static void enter(work_t *work) {
    mbedtls_rsa_init(&work->rsa);
    mbedtls_mpi *const parts[P11_RSA_SECRETS] = {
        &work->rsa.MBEDTLS_PRIVATE(D),
        &work->rsa.MBEDTLS_PRIVATE(P),
        &work->rsa.MBEDTLS_PRIVATE(Q),
        &work->rsa.MBEDTLS_PRIVATE(DP),
        &work->rsa.MBEDTLS_PRIVATE(DQ),
        &work->rsa.MBEDTLS_PRIVATE(QP),
    };
    memcpy(work->parts, parts, sizeof(parts));
    work->rsa.MBEDTLS_PRIVATE(len) = P11_RSA_BLOCK;
}

static int leave(work_t *work, int status) {
    mbedtls_rsa_free(&work->rsa);
    return p11_arena_wipe() ? status : P11_INTERNAL;
}

// Reads a number of at most max bytes after its zeros; false for a longer one.
static bool take(mbedtls_mpi *out, const uint8_t *data, size_t len, size_t max) {
    while (len > 0 && data[0] == 0) {
        data++;
        len--;
    }
    return len <= max && mbedtls_mpi_read_binary(out, data, len) == 0;
}

static int take_public(work_t *work, const p11_number_t *n, const p11_number_t *e) {
    if (!take(N(work), n->data, n->len, P11_RSA_BLOCK)
        || mbedtls_mpi_bitlen(N(work)) != 8 * P11_RSA_BLOCK
        || mbedtls_mpi_get_bit(N(work), 0) == 0) {
        return P11_BAD_MODULUS;
    }
    bool good = take(E(work), e->data, e->len, E_BYTES) && mbedtls_mpi_get_bit(E(work), 0) == 1
                && mbedtls_mpi_cmp_int(E(work), 1) > 0;
    return good ? P11_OK : P11_BAD_EXPONENT;
}

// Whether the numbers belong together: n = pq, de = 1 modulo p-1 and q-1, and what follows.
static bool consistent(const work_t *work) {
    return mbedtls_mpi_bitlen(work->parts[1]) == 8 * HALF
           && mbedtls_mpi_bitlen(work->parts[2]) == 8 * HALF
           && mbedtls_rsa_check_privkey(&work->rsa) == 0;
}

// The value of a slot, from the numbers of a key or back.
static int store(uint8_t *value, const work_t *work) {
    int bad = 0;
    for (size_t i = 1; i < P11_RSA_SECRETS; i++, value += HALF) {
        bad |= mbedtls_mpi_write_binary(work->parts[i], value, HALF);
    }
    return bad | mbedtls_mpi_write_binary(E(work), value, E_BYTES);
}

static int load(work_t *work, const uint8_t *value) {
    int bad = 0;
    for (size_t i = 1; i < P11_RSA_SECRETS; i++, value += HALF) {
        bad |= mbedtls_mpi_read_binary(work->parts[i], value, HALF);
    }
    bad |= mbedtls_mpi_read_binary(E(work), value, E_BYTES);
    return bad | mbedtls_mpi_mul_mpi(N(work), work->parts[1], work->parts[2]);
}

// Whether block is a number below the modulus.
static bool below(work_t *work, const uint8_t *block, size_t len) {
    mbedtls_mpi number;
    mbedtls_mpi_init(&number);
    bool good = len == P11_RSA_BLOCK && mbedtls_mpi_read_binary(&number, block, len) == 0
                && mbedtls_mpi_cmp_mpi(&number, N(work)) < 0;
    mbedtls_mpi_free(&number);
    return good;
}

// The library blinds base and exponents and compares the e-th power of the result with its input.
static int power(uint8_t *out, const uint8_t *value, const uint8_t *block, size_t len) {
    work_t work;
    enter(&work);
    int status = load(&work, value) == 0 ? P11_OK : P11_INTERNAL;
    if (status == P11_OK && !below(&work, block, len)) {
        status = P11_BAD_BLOCK;
    }
    if (status == P11_OK) {
        int code = mbedtls_rsa_private(&work.rsa, p11_drbg_callback, NULL, block, out);
        int failed = MBEDTLS_ERR_CTR_DRBG_ENTROPY_SOURCE_FAILED;
        bool entropy = code == failed || code == MBEDTLS_ERR_RSA_PRIVATE_FAILED + failed;
        status = code == 0 ? P11_OK : entropy ? P11_ENTROPY
                                              : P11_INTERNAL;
    }
    return leave(&work, status);
}

// Reads and checks the numbers of a key and writes the value of its slot.
static int value_of(uint8_t *value, const p11_rsa_key_t *key) {
    work_t work;
    enter(&work);
    int status = take_public(&work, &key->n, &key->e);
    for (size_t i = 0; status == P11_OK && i < P11_RSA_SECRETS; i++) {
        size_t max = i == 0 ? P11_RSA_BLOCK : HALF;
        if (!take(work.parts[i], key->secret[i].data, key->secret[i].len, max)) {
            status = P11_BAD_KEY;
        }
    }
    if (status == P11_OK && !consistent(&work)) {
        status = P11_BAD_KEY;
    }
    if (status == P11_OK && store(value, &work) != 0) {
        status = P11_INTERNAL;
    }
    return leave(&work, status);
}

int p11_rsa_import(p11_slot_t *slot, const p11_rsa_key_t *key) {
    uint8_t block[P11_RSA_BLOCK];
    uint8_t *value = p11_slot_room(P11_RSA_2048);
    *slot = 0;
    int status = value != NULL ? value_of(value, key) : P11_FULL;
    if (status == P11_OK) {
        status = p11_random(block, sizeof(block));
        block[0] = 0; // below the modulus
    }
    if (status == P11_OK) { // a power that does not come back: p or q is no prime
        status = power(block, value, block, sizeof(block));
        status = status == P11_INTERNAL ? P11_BAD_KEY : status;
    }
    if (status == P11_OK) {
        p11_slot_fill(slot, P11_RSA_2048, P11_RSA_KEY);
    } else if (value != NULL) {
        p11_wipe(value, P11_RSA_KEY);
    }
    for (size_t i = 0; i < P11_RSA_SECRETS; i++) {
        p11_wipe(key->secret[i].data, key->secret[i].len);
    }
    p11_wipe(block, sizeof(block));
    p11_wipe_stack();
    return status;
}

int p11_rsa_private(uint8_t out[P11_RSA_BLOCK], p11_slot_t slot, const uint8_t *block,
    size_t len) {
    const p11_key_t *key = p11_slot_get(slot, P11_KIND(P11_RSA_2048));
    int status = key != NULL ? power(out, key->value, block, len) : P11_BAD_SLOT;
    if (status != P11_OK) {
        memset(out, 0, P11_RSA_BLOCK);
    }
    p11_wipe_stack();
    return status;
}

int p11_rsa_public(uint8_t out[P11_RSA_BLOCK], const p11_number_t *n, const p11_number_t *e,
    const uint8_t *block, size_t len) {
    work_t work;
    enter(&work);
    int status = take_public(&work, n, e);
    if (status == P11_OK && !below(&work, block, len)) {
        status = P11_BAD_BLOCK;
    }
    if (status == P11_OK && mbedtls_rsa_public(&work.rsa, block, out) != 0) {
        status = P11_INTERNAL;
    }
    if (status != P11_OK) {
        memset(out, 0, P11_RSA_BLOCK);
    }
    return leave(&work, status);
}
