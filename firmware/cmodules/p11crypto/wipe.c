// SPDX-License-Identifier: MIT
#include "wipe.h"

#include <string.h>

_Static_assert(P11_STACK_DEPTH % 32 == 0, "whole rounds");

// The empty statement claims to read the memory, so the stores before it cannot be optimised away.
#define KEEP_STORES(p) __asm__ volatile("" : : "r"(p) : "memory")

void p11_wipe(void *buf, size_t len) {
    if (len > 0) {
        memset(buf, 0, len);
        KEEP_STORES(buf);
    }
}

// Unrolled: this runs at the end of every operation, and a firmware's memset may go by bytes.
__attribute__((noinline)) void p11_wipe_stack(void) {
    uint64_t frame[P11_STACK_DEPTH / 8];
    for (size_t i = 0; i < P11_STACK_DEPTH / 8; i += 4) {
        frame[i] = 0;
        frame[i + 1] = 0;
        frame[i + 2] = 0;
        frame[i + 3] = 0;
        KEEP_STORES(&frame[i]);
    }
    KEEP_STORES(frame);
}

bool p11_equal(const void *a, const void *b, size_t len) {
    const volatile uint8_t *x = a;
    const volatile uint8_t *y = b;
    uint32_t difference = 0;
    for (size_t i = 0; i < len; i++) {
        uint8_t left = x[i];
        difference |= (uint32_t)(left ^ y[i]);
    }
    return ((difference - 1) >> 31) != 0;
}
