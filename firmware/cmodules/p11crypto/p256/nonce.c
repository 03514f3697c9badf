// SPDX-License-Identifier: MIT
#include "nonce.h"

#include "../sha256/fast_sha256.h"

// HMAC of up to four pieces under the key of the nonce state: one pass for the inner hash, one for
// the outer, each going on from the midstate after the padded key.
typedef struct {
    const uint8_t *data;
    size_t size;
} piece_t;

// What set_key computes for the first key of RFC 6979, 32 zeros.
static const uint32_t zero_inner[8] = {
    0xf454dead,
    0x9725214f,
    0x90daf2a0,
    0xdf1228ea,
    0x64e5750f,
    0xa3924181,
    0x824a932b,
    0xf8e04e32,
};
static const uint32_t zero_outer[8] = {
    0xd385480f,
    0x7abb6477,
    0x37c9c538,
    0x5dd82467,
    0x8e043a72,
    0x753434b0,
    0xdeb82818,
    0x361d45a6,
};

static void resume(fast_sha256_t *hash, const uint32_t midstate[8]) {
    for (size_t i = 0; i < 8; i++) {
        hash->state[i] = midstate[i];
    }
    hash->length = 64;
}

static void hmac(uint8_t out[32], const p256_nonce_t *nonce, const piece_t *pieces, size_t count) {
    fast_sha256_t hash;
    resume(&hash, nonce->inner);
    for (size_t i = 0; i < count; i++) {
        fast_sha256_add(&hash, pieces[i].data, pieces[i].size);
    }
    fast_sha256_end(out, &hash);
    resume(&hash, nonce->outer);
    fast_sha256_add(&hash, out, 32);
    fast_sha256_end(out, &hash);
}

static void pad_key(uint32_t midstate[8], const uint8_t key[32], uint8_t pad) {
    uint8_t block[64];
    for (size_t i = 0; i < 64; i++) {
        block[i] = (uint8_t)((i < 32 ? key[i] : 0) ^ pad);
    }
    for (size_t i = 0; i < 8; i++) {
        midstate[i] = fast_sha256_initial[i];
    }
    fast_sha256_blocks(midstate, block, 1);
    p256_wipe(block, sizeof(block));
}

static void set_key(p256_nonce_t *nonce, const uint8_t key[32]) {
    pad_key(nonce->inner, key, 0x36);
    pad_key(nonce->outer, key, 0x5c);
}

// K = HMAC(K, V || tag || pieces), V = HMAC(K, V)
static void update(p256_nonce_t *nonce, uint8_t tag, piece_t pieces[5], size_t count) {
    uint8_t key[32];
    pieces[0] = (piece_t){ nonce->v, 32 };
    pieces[1] = (piece_t){ &tag, 1 };
    hmac(key, nonce, pieces, count);
    set_key(nonce, key);
    hmac(nonce->v, nonce, pieces, 1);
    p256_wipe(key, sizeof(key));
}

void p256_nonce_start(p256_nonce_t *nonce, const uint8_t scalar[32], const p256_scalar_t *digest,
    const uint8_t *extra, size_t extra_length) {
    uint8_t reduced[32];
    piece_t pieces[5];
    p256_bytes(reduced, digest->w);
    pieces[2] = (piece_t){ scalar, 32 };
    pieces[3] = (piece_t){ reduced, 32 };
    pieces[4] = (piece_t){ extra, extra_length };
    for (size_t i = 0; i < 32; i++) {
        nonce->v[i] = 1;
    }
    for (size_t i = 0; i < 8; i++) {
        nonce->inner[i] = zero_inner[i];
        nonce->outer[i] = zero_outer[i];
    }
    update(nonce, 0, pieces, 5);
    update(nonce, 1, pieces, 5);
    nonce->again = false;
    p256_wipe(reduced, sizeof(reduced));
}

void p256_nonce_next(p256_scalar_t *k, p256_nonce_t *nonce) {
    piece_t pieces[5];
    uint32_t good;
    do {
        if (nonce->again) {
            update(nonce, 0, pieces, 2);
        }
        nonce->again = true;
        pieces[0] = (piece_t){ nonce->v, 32 };
        hmac(nonce->v, nonce, pieces, 1);
        good = p256_scalar_read(k, nonce->v);
        P256_PUBLIC(good);
    } while (good == 0);
}
