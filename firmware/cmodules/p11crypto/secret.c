// SPDX-License-Identifier: MIT
// Secret keys: bytes without structure, of their own or agreed on by ECDH.
#include <string.h>

#include "drbg.h"
#include "ec.h"
#include "slots.h"
#include "wipe.h"

int p11_secret_import(p11_slot_t *slot, uint8_t *value, size_t len) {
    *slot = 0;
    int status = P11_BAD_LENGTH;
    if (len >= 1 && len <= P11_SECRET_MAX) {
        status = p11_slot_take(slot, P11_SECRET, value, len);
    }
    p11_wipe(value, len);
    return status;
}

int p11_secret_generate(p11_slot_t *slot, size_t len) {
    uint8_t value[P11_SECRET_MAX];
    *slot = 0;
    if (len < 1 || len > P11_SECRET_MAX) {
        return P11_BAD_LENGTH;
    }
    if (!p11_slot_vacant()) {
        return P11_FULL;
    }
    int status = p11_drbg_fresh();
    if (status == P11_OK) {
        status = p11_random(value, len);
    }
    if (status == P11_OK) {
        status = p11_slot_take(slot, P11_SECRET, value, len);
    }
    p11_wipe(value, sizeof(value));
    p11_wipe_stack();
    return status;
}

int p11_secret_export(uint8_t out[P11_SECRET_MAX], size_t *len, p11_slot_t slot) {
    const p11_key_t *key = p11_slot_get(slot, P11_KIND(P11_SECRET));
    memset(out, 0, P11_SECRET_MAX);
    *len = 0;
    if (key == NULL) {
        return P11_BAD_SLOT;
    }
    *len = key->len;
    memcpy(out, key->value, key->len);
    return P11_OK;
}

int p11_secret_size(size_t *len, p11_slot_t slot) {
    const p11_key_t *key = p11_slot_get(slot, P11_KIND(P11_SECRET));
    *len = key != NULL ? key->len : 0;
    return key != NULL ? P11_OK : P11_BAD_SLOT;
}

int p11_ecdh(p11_slot_t *slot, p11_slot_t key, const uint8_t *point, size_t point_len,
    size_t len) {
    uint8_t x[P11_SCALAR_MAX];
    const p11_key_t *mine = p11_slot_get(key, P11_EC_KINDS);
    *slot = 0;
    if (mine == NULL) {
        return P11_BAD_SLOT;
    }
    size_t size = mine->len;
    if (len < 1 || len > size) {
        return P11_BAD_LENGTH;
    }
    if (point_len != 1 + 2 * size || point[0] != 4) {
        return P11_BAD_POINT;
    }
    if (!p11_slot_vacant()) {
        return P11_FULL;
    }
    int status = p11_backend_dh(mine->kind, x, mine->value, point);
    if (status == P11_OK) {
        status = p11_slot_take(slot, P11_SECRET, x + size - len, len);
    }
    p11_wipe(x, sizeof(x));
    p11_wipe_stack();
    return status;
}
