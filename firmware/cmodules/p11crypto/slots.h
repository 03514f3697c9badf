// SPDX-License-Identifier: MIT
// Key slots: a fixed array in static memory, the only place where key values live in clear.
//
// A handle carries the slot's generation, which grows each time the slot is freed, so a handle
// kept after release is refused instead of reaching the next key.
#ifndef P11_SLOTS_H
#define P11_SLOTS_H

#include "p11crypto.h"

#ifndef P11_SLOTS
#define P11_SLOTS 64
#endif
// Of these there are few: an RSA key takes as much memory as ten others.
#ifndef P11_LARGE_SLOTS
#define P11_LARGE_SLOTS 4
#endif

typedef struct {
    uint32_t generation; // 1..2^22-1, kept when the slot is wiped; 0 never used
    uint8_t kind;        // 0 free
    uint16_t len;
    uint8_t *value; // NULL before the first use
} p11_key_t;

// Sets of kinds for p11_slot_get.
#define P11_KIND(kind) (1u << (kind))
#define P11_EC_KINDS (P11_KIND(P11_P256) | P11_KIND(P11_P384))
#define P11_OBJECT_KINDS (P11_EC_KINDS | P11_KIND(P11_SECRET) | P11_KIND(P11_RSA_2048))

// Copies a value into a free slot: P11_OK or P11_FULL. The caller wipes its own copy.
int p11_slot_take(p11_slot_t *slot, int kind, const uint8_t *value, size_t len);
// The same for a value that is made where it stays: the memory of a free slot for a kind, NULL when
// there is none, and what turns it into a key. In between no other slot is taken; who gives up
// wipes the memory.
uint8_t *p11_slot_room(int kind);
void p11_slot_fill(p11_slot_t *slot, int kind, size_t len);
// The key behind a handle, NULL for a stale or foreign handle or a kind outside the set.
const p11_key_t *p11_slot_get(p11_slot_t slot, uint32_t kinds);
// Whether there is room for a key that is not RSA.
bool p11_slot_vacant(void);

#endif
