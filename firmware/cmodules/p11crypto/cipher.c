// SPDX-License-Identifier: MIT
// What secret keys do in many parts: HMAC, CMAC, AES. The key stays in its slot; its schedule is
// made anew for each part, on the stack.
#include <string.h>

#include "mbedtls/aes.h"
#include "slots.h"
#include "wipe.h"

#define BLOCK 16
#define ENCRYPT 1
#define CHAINED 2

// --- HMAC ----------------------------------------------------------------------------------

// Starts a hash with the key exclusive-or pad in front.
static int start_padded(p11_hash_t *hash, int algorithm, p11_slot_t slot, uint8_t pad) {
    uint8_t block[128];
    size_t size = algorithm >= P11_SHA384 ? 128 : 64;
    const p11_key_t *key = p11_slot_get(slot, P11_KIND(P11_SECRET));
    int status = p11_hash_start(hash, algorithm);
    if (status == P11_OK && key == NULL) {
        status = P11_BAD_SLOT;
    }
    if (status == P11_OK) {
        memset(block, pad, size);
        for (size_t i = 0; i < key->len; i++) {
            block[i] ^= key->value[i];
        }
        status = p11_hash_update(hash, block, size);
        p11_wipe(block, sizeof(block));
    }
    return status;
}

int p11_keyed_start(p11_keyed_t *hmac, int algorithm, p11_slot_t slot) {
    int status = start_padded(&hmac->inner, algorithm, slot, 0x36);
    hmac->slot = slot;
    if (status != P11_OK) {
        p11_wipe(hmac, sizeof(*hmac));
    }
    p11_wipe_stack();
    return status;
}

int p11_keyed_update(p11_keyed_t *hmac, const uint8_t *data, size_t len) {
    return p11_hash_update(&hmac->inner, data, len);
}

int p11_keyed_digest(uint8_t out[P11_HASH_MAX], const p11_keyed_t *hmac) {
    p11_hash_t outer;
    uint8_t inner[P11_HASH_MAX];
    int algorithm = (int)hmac->inner.algorithm;
    int status = p11_hash_digest(inner, &hmac->inner);
    memset(out, 0, P11_HASH_MAX);
    if (status == P11_OK) {
        status = start_padded(&outer, algorithm, hmac->slot, 0x5c);
        if (status == P11_OK) {
            status = p11_hash_update(&outer, inner, p11_hash_size(algorithm));
        }
        if (status == P11_OK) {
            status = p11_hash_digest(out, &outer);
        }
        p11_wipe(&outer, sizeof(outer));
    }
    p11_wipe(inner, sizeof(inner));
    p11_wipe_stack();
    return status;
}

// --- AES -----------------------------------------------------------------------------------

// The schedule of the key in a slot; the caller frees it whatever comes back.
static int schedule(mbedtls_aes_context *aes, p11_slot_t slot, bool encrypt) {
    const p11_key_t *key = p11_slot_get(slot, P11_KIND(P11_SECRET));
    mbedtls_aes_init(aes);
    if (key == NULL) {
        return P11_BAD_SLOT;
    }
    if (key->len != 16 && key->len != 24 && key->len != 32) {
        return P11_BAD_LENGTH;
    }
    unsigned bits = 8u * key->len;
    int bad = encrypt ? mbedtls_aes_setkey_enc(aes, key->value, bits)
                      : mbedtls_aes_setkey_dec(aes, key->value, bits);
    return bad == 0 ? P11_OK : P11_INTERNAL;
}

static int finish(mbedtls_aes_context *aes, int status) {
    mbedtls_aes_free(aes);
    p11_wipe_stack();
    return status;
}

static void mix(uint8_t block[BLOCK], const uint8_t *with) {
    for (size_t i = 0; i < BLOCK; i++) {
        block[i] ^= with[i];
    }
}

int p11_aes_start(p11_aes_t *state, p11_slot_t slot, bool encrypt, const uint8_t *iv,
    size_t iv_len) {
    mbedtls_aes_context aes;
    memset(state, 0, sizeof(*state));
    int status = finish(&aes, schedule(&aes, slot, encrypt));
    if (status == P11_OK && iv != NULL && iv_len != BLOCK) {
        status = P11_BAD_BLOCK;
    }
    if (status == P11_OK) {
        state->slot = slot;
        state->mode = (encrypt ? ENCRYPT : 0) | (iv != NULL ? CHAINED : 0);
        if (iv != NULL) {
            memcpy(state->chain, iv, BLOCK);
        }
    }
    return status;
}

int p11_aes_update(uint8_t *out, p11_aes_t *state, const uint8_t *data, size_t len) {
    mbedtls_aes_context aes;
    bool encrypt = state->mode & ENCRYPT;
    bool chained = state->mode & CHAINED;
    int status = schedule(&aes, state->slot, encrypt);
    if (status == P11_OK && len % BLOCK != 0) {
        status = P11_BAD_BLOCK;
    }
    for (size_t at = 0; status == P11_OK && at < len; at += BLOCK) {
        uint8_t block[BLOCK];
        memcpy(block, data + at, BLOCK);
        if (chained && encrypt) {
            mix(block, state->chain);
        }
        int bad = mbedtls_aes_crypt_ecb(&aes, encrypt ? MBEDTLS_AES_ENCRYPT : MBEDTLS_AES_DECRYPT,
            block, block);
        if (chained && !encrypt) {
            mix(block, state->chain);
        }
        if (chained) {
            memcpy(state->chain, encrypt ? block : data + at, BLOCK);
        }
        memcpy(out + at, block, BLOCK);
        p11_wipe(block, sizeof(block));
        status = bad == 0 ? P11_OK : P11_INTERNAL;
    }
    if (status != P11_OK) {
        p11_wipe(out, len);
    }
    return finish(&aes, status);
}

// --- CMAC ----------------------------------------------------------------------------------

int p11_cmac_start(p11_cmac_t *cmac, p11_slot_t slot) {
    mbedtls_aes_context aes;
    memset(cmac, 0, sizeof(*cmac));
    int status = finish(&aes, schedule(&aes, slot, true));
    cmac->slot = status == P11_OK ? slot : 0;
    return status;
}

// The last block stays pending: it is treated differently.
int p11_cmac_update(p11_cmac_t *cmac, const uint8_t *data, size_t len) {
    mbedtls_aes_context aes;
    int status = schedule(&aes, cmac->slot, true);
    while (status == P11_OK && len > 0) {
        if (cmac->used == BLOCK) {
            mix(cmac->chain, cmac->pending);
            int bad = mbedtls_aes_crypt_ecb(&aes, MBEDTLS_AES_ENCRYPT, cmac->chain, cmac->chain);
            status = bad == 0 ? P11_OK : P11_INTERNAL;
            cmac->used = 0;
        }
        size_t part = BLOCK - cmac->used < len ? BLOCK - cmac->used : len;
        memcpy(cmac->pending + cmac->used, data, part);
        cmac->used += (uint32_t)part;
        data += part;
        len -= part;
    }
    return finish(&aes, status);
}

// Multiplies by x in GF(2^128), without a branch on the value.
static void twice(uint8_t block[BLOCK]) {
    uint8_t carry = block[0] >> 7;
    for (size_t i = 0; i < BLOCK - 1; i++) {
        block[i] = (uint8_t)(block[i] << 1 | block[i + 1] >> 7);
    }
    block[BLOCK - 1] = (uint8_t)(block[BLOCK - 1] << 1 ^ (0x87 & -carry));
}

int p11_cmac_digest(uint8_t out[16], const p11_cmac_t *cmac) {
    mbedtls_aes_context aes;
    uint8_t subkey[BLOCK] = { 0 };
    memset(out, 0, BLOCK);
    int status = schedule(&aes, cmac->slot, true);
    if (status == P11_OK) {
        int bad = mbedtls_aes_crypt_ecb(&aes, MBEDTLS_AES_ENCRYPT, subkey, subkey);
        twice(subkey);
        memcpy(out, cmac->pending, cmac->used);
        if (cmac->used < BLOCK) {
            out[cmac->used] = 0x80;
            twice(subkey);
        }
        mix(out, subkey);
        mix(out, cmac->chain);
        bad |= mbedtls_aes_crypt_ecb(&aes, MBEDTLS_AES_ENCRYPT, out, out);
        status = bad == 0 ? P11_OK : P11_INTERNAL;
    }
    p11_wipe(subkey, sizeof(subkey));
    return finish(&aes, status);
}
