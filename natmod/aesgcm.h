// SPDX-License-Identifier: MIT
// AES-256-GCM (FIPS 197, SP 800-38D) with a 12-byte nonce and a 16-byte tag, small and without
// tables: no address and no branch depends on key or data. For the few blocks the token seals.
#ifndef NATMOD_AESGCM_H
#define NATMOD_AESGCM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *key;   // 32 bytes
    const uint8_t *nonce; // 12 bytes
    const uint8_t *aad;
    size_t aad_len;
} aesgcm_t;

// out has len bytes and may be data; tag has 16.
void aesgcm_encrypt(uint8_t *out, uint8_t tag[16], const aesgcm_t *with, const uint8_t *data,
    size_t len);
// False, with out zeroed, when the tag is wrong.
bool aesgcm_decrypt(uint8_t *out, const aesgcm_t *with, const uint8_t *data, size_t len,
    const uint8_t tag[16]);

#endif
