// SPDX-License-Identifier: MIT
#include "word.h"

// Deepest use of stack below an entry point of the engine (docs/P256.md, "Stack"), rounded up. The
// entry points keep their own secrets in one struct that they wipe; this is for the frames of the
// field and point routines below them.
#define STACK_WORDS 160

void p256_words(uint32_t out[8], const uint8_t in[32]) {
    for (size_t i = 0; i < 8; i++) {
        const uint8_t *b = in + 28 - 4 * i;
        out[i] = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
    }
}

void p256_bytes(uint8_t out[32], const uint32_t in[8]) {
    for (size_t i = 0; i < 8; i++) {
        uint8_t *b = out + 28 - 4 * i;
        b[0] = (uint8_t)(in[i] >> 24);
        b[1] = (uint8_t)(in[i] >> 16);
        b[2] = (uint8_t)(in[i] >> 8);
        b[3] = (uint8_t)in[i];
    }
}

uint32_t p256_add8(uint32_t r[8], const uint32_t a[8], const uint32_t b[8]) {
    uint32_t carry = 0;
    for (size_t i = 0; i < 8; i++) {
        r[i] = p256_add_carry(&carry, a[i], b[i]);
    }
    return carry;
}

uint32_t p256_sub8(uint32_t r[8], const uint32_t a[8], const uint32_t b[8]) {
    uint32_t borrow = 0;
    for (size_t i = 0; i < 8; i++) {
        r[i] = p256_sub_borrow(&borrow, a[i], b[i]);
    }
    return borrow;
}

void p256_move8(uint32_t r[8], const uint32_t a[8], uint32_t mask) {
    mask = p256_hide(mask);
    for (size_t i = 0; i < 8; i++) {
        r[i] ^= mask & (r[i] ^ a[i]);
    }
}

uint32_t p256_zero8(const uint32_t a[8]) {
    uint32_t any = 0;
    for (size_t i = 0; i < 8; i++) {
        any |= a[i];
    }
    return p256_mask_zero(any);
}

void p256_wipe(void *buffer, size_t size) {
    uint8_t *byte = buffer;
    // volatile: the stores stay although nobody reads them, and stay word by word.
    while (size >= 4 && ((uintptr_t)byte & 3) == 0) {
        *(volatile uint32_t *)(void *)byte = 0;
        byte += 4;
        size -= 4;
    }
    while (size > 0) {
        *(volatile uint8_t *)byte = 0;
        byte++;
        size--;
    }
}

__attribute__((noinline)) void p256_wipe_stack(void) {
    uint32_t frame[STACK_WORDS];
    p256_wipe(frame, sizeof(frame));
}
