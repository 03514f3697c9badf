// SPDX-License-Identifier: MIT
#include "aesgcm.h"

#define ROUNDS 14

// Wipes in a way the compiler keeps.
static void wipe(void *buf, size_t len) {
    volatile uint8_t *p = buf;
    while (len-- != 0) {
        *p++ = 0;
    }
}

// --- AES-256, encryption only --------------------------------------------------------------

// Product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1.
static uint8_t times(uint8_t a, uint8_t b) {
    uint32_t product = 0;
    uint32_t factor = a;
    for (int i = 0; i < 8; i++) {
        product ^= factor & (0u - ((uint32_t)b >> i & 1u));
        factor = (factor << 1) ^ (0x11bu & (0u - (factor >> 7 & 1u)));
    }
    return (uint8_t)product;
}

// The inverse is the 254th power (and 0 for 0); then the affine map of FIPS 197, 5.1.1.
static uint8_t substitute(uint8_t x) {
    uint8_t square = x;
    uint8_t inverse = 1;
    for (int i = 0; i < 7; i++) {
        square = times(square, square);
        inverse = times(inverse, square);
    }
    uint32_t doubled = (uint32_t)inverse << 8 | inverse;
    return (uint8_t)(inverse ^ doubled >> 7 ^ doubled >> 6 ^ doubled >> 5 ^ doubled >> 4 ^ 0x63);
}

// The next 16 bytes of the key schedule, in place: keys holds the last 32.
static void next_key(uint8_t keys[32], int round, uint8_t *constant) {
    uint8_t *key = keys + (round % 2) * 16;
    const uint8_t *last = keys + (1 - round % 2) * 16 + 12;
    for (int i = 0; i < 4; i++) {
        int from = round % 2 == 0 ? (i + 1) % 4 : i;
        key[i] ^= substitute(last[from]);
    }
    if (round % 2 == 0) {
        key[0] ^= *constant;
        *constant = times(*constant, 2);
    }
    for (int i = 4; i < 16; i++) {
        key[i] ^= key[i - 4];
    }
}

static void encrypt_block(uint8_t out[16], const uint8_t key[32], const uint8_t in[16]) {
    uint8_t keys[32];
    uint8_t next[16];
    uint8_t constant = 1;
    for (int i = 0; i < 32; i++) {
        keys[i] = key[i];
    }
    for (int i = 0; i < 16; i++) {
        out[i] = in[i] ^ keys[i];
    }
    for (int round = 1; round <= ROUNDS; round++) {
        if (round >= 2) {
            next_key(keys, round, &constant);
        }
        for (int i = 0; i < 16; i++) { // SubBytes and ShiftRows
            next[i] = substitute(out[(i + 4 * (i % 4)) % 16]);
        }
        for (int column = 0; column < 16; column += 4) {
            const uint8_t *a = next + column;
            uint8_t all = a[0] ^ a[1] ^ a[2] ^ a[3];
            for (int i = 0; i < 4; i++) {
                uint8_t mixed = a[i] ^ all ^ times(a[i] ^ a[(i + 1) % 4], 2);
                out[column + i] = (round < ROUNDS ? mixed : a[i]) ^ keys[(round % 2) * 16 + column + i];
            }
        }
    }
    wipe(keys, sizeof(keys));
    wipe(next, sizeof(next));
}

// --- GHASH ---------------------------------------------------------------------------------

// state = (state ^ block) * h in GF(2^128), bits in GCM's order.
static void absorb(uint8_t state[16], const uint8_t h[16], const uint8_t *data, size_t len) {
    uint8_t product[16] = { 0 };
    uint8_t factor[16];
    for (int i = 0; i < 16; i++) {
        factor[i] = h[i];
        state[i] ^= (size_t)i < len ? data[i] : 0;
    }
    for (int bit = 0; bit < 128; bit++) {
        uint8_t mask = (uint8_t)(0u - (state[bit / 8] >> (7 - bit % 8) & 1u));
        for (int i = 0; i < 16; i++) {
            product[i] ^= factor[i] & mask;
        }
        uint8_t carry = (uint8_t)(0u - (factor[15] & 1u));
        for (int i = 15; i > 0; i--) {
            factor[i] = (uint8_t)(factor[i] >> 1 | factor[i - 1] << 7);
        }
        factor[0] = (uint8_t)(factor[0] >> 1) ^ (0xe1 & carry);
    }
    for (int i = 0; i < 16; i++) {
        state[i] = product[i];
    }
    wipe(factor, sizeof(factor));
}

static void absorb_all(uint8_t state[16], const uint8_t h[16], const uint8_t *data, size_t len) {
    for (size_t done = 0; done < len; done += 16) {
        absorb(state, h, data + done, len - done < 16 ? len - done : 16);
    }
}

static void put_bits(uint8_t out[8], size_t len) {
    uint32_t low = (uint32_t)len << 3;
    uint32_t high = (uint32_t)len >> 29;
    for (int i = 0; i < 4; i++) {
        out[7 - i] = (uint8_t)(low >> (8 * i));
        out[3 - i] = (uint8_t)(high >> (8 * i));
    }
}

// --- GCM -----------------------------------------------------------------------------------

static void counter_block(uint8_t block[16], const uint8_t *nonce, uint32_t count) {
    for (int i = 0; i < 12; i++) {
        block[i] = nonce[i];
    }
    for (int i = 0; i < 4; i++) {
        block[15 - i] = (uint8_t)(count >> (8 * i));
    }
}

static void crypt(uint8_t *out, const aesgcm_t *with, const uint8_t *data, size_t len) {
    uint8_t block[16];
    uint8_t stream[16];
    for (size_t done = 0; done < len; done += 16) {
        counter_block(block, with->nonce, 2 + (uint32_t)(done / 16));
        encrypt_block(stream, with->key, block);
        for (size_t i = 0; i < 16 && done + i < len; i++) {
            out[done + i] = data[done + i] ^ stream[i];
        }
    }
    wipe(stream, sizeof(stream));
}

static void make_tag(uint8_t tag[16], const aesgcm_t *with, const uint8_t *data, size_t len) {
    uint8_t h[16];
    uint8_t block[16] = { 0 };
    uint8_t state[16] = { 0 };
    encrypt_block(h, with->key, block);
    absorb_all(state, h, with->aad, with->aad_len);
    absorb_all(state, h, data, len);
    put_bits(block, with->aad_len);
    put_bits(block + 8, len);
    absorb(state, h, block, 16);
    counter_block(block, with->nonce, 1);
    encrypt_block(tag, with->key, block);
    for (int i = 0; i < 16; i++) {
        tag[i] ^= state[i];
    }
    wipe(h, sizeof(h));
    wipe(state, sizeof(state));
}

void aesgcm_encrypt(uint8_t *out, uint8_t tag[16], const aesgcm_t *with, const uint8_t *data,
    size_t len) {
    crypt(out, with, data, len);
    make_tag(tag, with, out, len);
}

bool aesgcm_decrypt(uint8_t *out, const aesgcm_t *with, const uint8_t *data, size_t len,
    const uint8_t tag[16]) {
    uint8_t wanted[16];
    uint32_t difference = 0;
    make_tag(wanted, with, data, len);
    for (int i = 0; i < 16; i++) {
        difference |= wanted[i] ^ tag[i];
    }
    if (difference == 0) {
        crypt(out, with, data, len);
    } else {
        wipe(out, len);
    }
    wipe(wanted, sizeof(wanted));
    return difference == 0;
}
