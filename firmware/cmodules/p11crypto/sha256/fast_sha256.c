// SPDX-License-Identifier: MIT
#include "fast_sha256.h"

#include <string.h>

#if defined(__thumb2__) && !defined(__ARM_BIG_ENDIAN) && !FAST_SHA256_PORTABLE
#define FAST_SHA256_ARM 1
#else
#define FAST_SHA256_ARM 0
#endif

_Static_assert(sizeof(fast_sha256_t) % sizeof(uint32_t) == 0, "wiped by words");

const uint32_t fast_sha256_initial[8] = {
    0x6a09e667,
    0xbb67ae85,
    0x3c6ef372,
    0xa54ff53a,
    0x510e527f,
    0x9b05688c,
    0x1f83d9ab,
    0x5be0cd19,
};

#if !FAST_SHA256_ARM

static const uint32_t constants[64] = {
    0x428a2f98,
    0x71374491,
    0xb5c0fbcf,
    0xe9b5dba5,
    0x3956c25b,
    0x59f111f1,
    0x923f82a4,
    0xab1c5ed5,
    0xd807aa98,
    0x12835b01,
    0x243185be,
    0x550c7dc3,
    0x72be5d74,
    0x80deb1fe,
    0x9bdc06a7,
    0xc19bf174,
    0xe49b69c1,
    0xefbe4786,
    0x0fc19dc6,
    0x240ca1cc,
    0x2de92c6f,
    0x4a7484aa,
    0x5cb0a9dc,
    0x76f988da,
    0x983e5152,
    0xa831c66d,
    0xb00327c8,
    0xbf597fc7,
    0xc6e00bf3,
    0xd5a79147,
    0x06ca6351,
    0x14292967,
    0x27b70a85,
    0x2e1b2138,
    0x4d2c6dfc,
    0x53380d13,
    0x650a7354,
    0x766a0abb,
    0x81c2c92e,
    0x92722c85,
    0xa2bfe8a1,
    0xa81a664b,
    0xc24b8b70,
    0xc76c51a3,
    0xd192e819,
    0xd6990624,
    0xf40e3585,
    0x106aa070,
    0x19a4c116,
    0x1e376c08,
    0x2748774c,
    0x34b0bcb5,
    0x391c0cb3,
    0x4ed8aa4a,
    0x5b9cca4f,
    0x682e6ff3,
    0x748f82ee,
    0x78a5636f,
    0x84c87814,
    0x8cc70208,
    0x90befffa,
    0xa4506ceb,
    0xbef9a3f7,
    0xc67178f2,
};

static inline uint32_t rotate(uint32_t x, unsigned count) {
    return x >> count | x << (32 - count);
}

static inline uint32_t read_word(const uint8_t *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

// One step; the caller renames the eight working words instead of moving them.
#define STEP(a, b, c, d, e, f, g, h, k, w)                                                     \
    do {                                                                                       \
        uint32_t t = h + (rotate(e, 6) ^ rotate(e, 11) ^ rotate(e, 25)) + (g ^ (e & (f ^ g))); \
        t += (k) + (w);                                                                        \
        d += t;                                                                                \
        h = t + (rotate(a, 2) ^ rotate(a, 13) ^ rotate(a, 22)) + ((a & b) | (c & (a | b)));    \
    } while (0)

static void schedule(uint32_t w[16]) {
    for (unsigned i = 0; i < 16; i++) {
        uint32_t x = w[(i + 1) & 15];
        uint32_t y = w[(i + 14) & 15];
        w[i] += (rotate(x, 7) ^ rotate(x, 18) ^ x >> 3) + w[(i + 9) & 15]
                + (rotate(y, 17) ^ rotate(y, 19) ^ y >> 10);
    }
}

void fast_sha256_blocks(uint32_t state[8], const uint8_t *data, size_t count) {
    uint32_t w[16];
    for (; count > 0; count--) {
        uint32_t a = state[0], b = state[1], c = state[2], d = state[3];
        uint32_t e = state[4], f = state[5], g = state[6], h = state[7];
        for (unsigned i = 0; i < 16; i++) {
            w[i] = read_word(data + 4 * i);
        }
        data += 64;
        for (unsigned i = 0; i < 64; i += 8) {
            const uint32_t *k = constants + i;
            const uint32_t *x = w + (i & 8);
            if (i >= 16 && (i & 8) == 0) {
                schedule(w);
            }
            STEP(a, b, c, d, e, f, g, h, k[0], x[0]);
            STEP(h, a, b, c, d, e, f, g, k[1], x[1]);
            STEP(g, h, a, b, c, d, e, f, k[2], x[2]);
            STEP(f, g, h, a, b, c, d, e, k[3], x[3]);
            STEP(e, f, g, h, a, b, c, d, k[4], x[4]);
            STEP(d, e, f, g, h, a, b, c, k[5], x[5]);
            STEP(c, d, e, f, g, h, a, b, k[6], x[6]);
            STEP(b, c, d, e, f, g, h, a, k[7], x[7]);
        }
        state[0] += a;
        state[1] += b;
        state[2] += c;
        state[3] += d;
        state[4] += e;
        state[5] += f;
        state[6] += g;
        state[7] += h;
    }
    for (unsigned i = 0; i < 16; i++) {
        *(volatile uint32_t *)&w[i] = 0;
    }
}

#endif

static void write_word(uint8_t *b, uint32_t x) {
    b[0] = (uint8_t)(x >> 24);
    b[1] = (uint8_t)(x >> 16);
    b[2] = (uint8_t)(x >> 8);
    b[3] = (uint8_t)x;
}

void fast_sha256_start(fast_sha256_t *hash) {
    memcpy(hash->state, fast_sha256_initial, sizeof(hash->state));
    hash->length = 0;
}

void fast_sha256_add(fast_sha256_t *hash, const void *data, size_t size) {
    const uint8_t *bytes = data;
    size_t used = (size_t)(hash->length & 63);
    hash->length += size;
    if (used > 0 && size > 0) {
        size_t part = 64 - used < size ? 64 - used : size;
        memcpy(hash->block + used, bytes, part);
        bytes += part;
        size -= part;
        if (used + part == 64) {
            fast_sha256_blocks(hash->state, hash->block, 1);
        }
    }
    if (size >= 64) {
        fast_sha256_blocks(hash->state, bytes, size / 64);
        bytes += size & ~(size_t)63;
        size &= 63;
    }
    if (size > 0) {
        // only when the block buffer is empty: what came before filled it or left nothing
        memcpy(hash->block, bytes, size);
    }
}

void fast_sha256_end(uint8_t digest[32], fast_sha256_t *hash) {
    size_t used = (size_t)(hash->length & 63);
    uint64_t bits = hash->length << 3;
    hash->block[used++] = 0x80;
    if (used > 56) {
        memset(hash->block + used, 0, 64 - used);
        fast_sha256_blocks(hash->state, hash->block, 1);
        used = 0;
    }
    memset(hash->block + used, 0, 56 - used);
    write_word(hash->block + 56, (uint32_t)(bits >> 32));
    write_word(hash->block + 60, (uint32_t)bits);
    fast_sha256_blocks(hash->state, hash->block, 1);
    for (unsigned i = 0; i < 8; i++) {
        write_word(digest + 4 * i, hash->state[i]);
    }
    volatile uint32_t *word = (volatile uint32_t *)hash;
    for (size_t i = 0; i < sizeof(*hash) / sizeof(*word); i++) {
        word[i] = 0;
    }
}
