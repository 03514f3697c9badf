// SPDX-License-Identifier: MIT
#include "slots.h"

#include <string.h>

#include "wipe.h"

#define GENERATION_LAST ((1u << 22) - 1)

#define ALL (P11_SLOTS + P11_LARGE_SLOTS)

_Static_assert(P11_SLOTS >= 1 && P11_LARGE_SLOTS >= 1 && ALL <= 256, "the index has 8 bits");

// One memory, so that nothing is left outside what tests search and a reset wipes.
static struct {
    p11_key_t keys[ALL]; // the large ones last
    uint8_t small[P11_SLOTS][P11_SECRET_MAX];
    uint8_t large[P11_LARGE_SLOTS][P11_RSA_KEY];
} slots;

static size_t room_of(int kind) {
    return kind == P11_RSA_2048 ? P11_RSA_KEY : P11_SECRET_MAX;
}

static void release(p11_key_t *key) {
    p11_wipe(key->value, room_of(key->kind));
    key->kind = 0;
    key->len = 0;
    key->generation = key->generation % GENERATION_LAST + 1;
}

static p11_key_t *vacancy(int kind) {
    bool large = kind == P11_RSA_2048;
    for (size_t i = large ? P11_SLOTS : 0; i < (large ? ALL : P11_SLOTS); i++) {
        if (slots.keys[i].kind == 0) {
            slots.keys[i].value = large ? slots.large[i - P11_SLOTS] : slots.small[i];
            return &slots.keys[i];
        }
    }
    return NULL;
}

static p11_key_t *find(p11_slot_t slot) {
    uint32_t index = slot & 0xff;
    if (index >= ALL) {
        return NULL;
    }
    p11_key_t *key = &slots.keys[index];
    return key->kind != 0 && key->generation == slot >> 8 ? key : NULL;
}

int p11_slot_take(p11_slot_t *slot, int kind, const uint8_t *value, size_t len) {
    uint8_t *room = p11_slot_room(kind);
    *slot = 0;
    if (room == NULL) {
        return P11_FULL;
    }
    if (len > room_of(kind)) {
        return P11_INTERNAL;
    }
    memcpy(room, value, len);
    p11_slot_fill(slot, kind, len);
    return P11_OK;
}

uint8_t *p11_slot_room(int kind) {
    p11_key_t *key = vacancy(kind);
    return key != NULL ? key->value : NULL;
}

void p11_slot_fill(p11_slot_t *slot, int kind, size_t len) {
    p11_key_t *key = vacancy(kind);
    if (key->generation == 0) {
        key->generation = 1; // the array starts as zeros; generation 0 would allow handle 0
    }
    key->len = (uint16_t)len;
    key->kind = (uint8_t)kind; // last: an interrupted call leaves the slot free
    *slot = (uint32_t)(key - slots.keys) | key->generation << 8;
}

const p11_key_t *p11_slot_get(p11_slot_t slot, uint32_t kinds) {
    const p11_key_t *key = find(slot);
    return key != NULL && (P11_KIND(key->kind) & kinds) != 0 ? key : NULL;
}

bool p11_slot_vacant(void) {
    return vacancy(P11_SECRET) != NULL;
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
    for (size_t i = 0; i < ALL; i++) {
        if (slots.keys[i].kind != 0) {
            release(&slots.keys[i]);
        }
    }
}

size_t p11_slots_used(void) {
    size_t used = 0;
    for (size_t i = 0; i < ALL; i++) {
        used += slots.keys[i].kind != 0;
    }
    return used;
}

#if P11_TEST
// The raw memory, so that tests can look for what should be gone.
const void *p11_test_slots(size_t *len) {
    *len = sizeof(slots);
    return &slots;
}
#endif
