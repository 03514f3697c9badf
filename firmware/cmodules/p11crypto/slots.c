// SPDX-License-Identifier: MIT
#include "slots.h"

#include <string.h>

#include "wipe.h"

#define GENERATION_LAST ((1u << 22) - 1)

_Static_assert(P11_SLOTS >= 1 && P11_SLOTS <= 256, "the index has 8 bits");

static p11_key_t slots[P11_SLOTS];

static void release(p11_key_t *key) {
    p11_wipe(key->value, sizeof(key->value));
    key->kind = 0;
    key->len = 0;
    key->generation = key->generation % GENERATION_LAST + 1;
}

static p11_key_t *vacancy(void) {
    for (size_t i = 0; i < P11_SLOTS; i++) {
        if (slots[i].kind == 0) {
            return &slots[i];
        }
    }
    return NULL;
}

static p11_key_t *find(p11_slot_t slot) {
    uint32_t index = slot & 0xff;
    if (index >= P11_SLOTS) {
        return NULL;
    }
    p11_key_t *key = &slots[index];
    return key->kind != 0 && key->generation == slot >> 8 ? key : NULL;
}

int p11_slot_take(p11_slot_t *slot, int kind, const uint8_t *value, size_t len) {
    p11_key_t *key = vacancy();
    *slot = 0;
    if (key == NULL) {
        return P11_FULL;
    }
    if (len > sizeof(key->value)) {
        return P11_INTERNAL;
    }
    if (key->generation == 0) {
        key->generation = 1; // the array starts as zeros; generation 0 would allow handle 0
    }
    memcpy(key->value, value, len);
    key->len = (uint8_t)len;
    key->kind = (uint8_t)kind; // last: an interrupted call leaves the slot free
    *slot = (uint32_t)(key - slots) | key->generation << 8;
    return P11_OK;
}

const p11_key_t *p11_slot_get(p11_slot_t slot, uint32_t kinds) {
    const p11_key_t *key = find(slot);
    return key != NULL && (P11_KIND(key->kind) & kinds) != 0 ? key : NULL;
}

bool p11_slot_vacant(void) {
    return vacancy() != NULL;
}

int p11_release(p11_slot_t slot) {
    p11_key_t *key = find(slot);
    if (key == NULL) {
        return P11_BAD_SLOT;
    }
    release(key);
    return P11_OK;
}

void p11_wipe_all(void) {
    for (size_t i = 0; i < P11_SLOTS; i++) {
        if (slots[i].kind != 0) {
            release(&slots[i]);
        }
    }
}

size_t p11_slots_used(void) {
    size_t used = 0;
    for (size_t i = 0; i < P11_SLOTS; i++) {
        used += slots[i].kind != 0;
    }
    return used;
}

#if P11_TEST
// The raw array, so that tests can look for what should be gone.
const void *p11_test_slots(size_t *len) {
    *len = sizeof(slots);
    return slots;
}
#endif
