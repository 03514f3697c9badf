// SPDX-License-Identifier: MIT
// First fit over a chain of blocks that covers the arena. Freeing marks and wipes; allocation
// joins free neighbours as it passes them.
#include "arena.h"

#include <stdint.h>

#include "wipe.h"

typedef struct {
    uint32_t size; // of the block with its header; a multiple of the header
    uint32_t used;
} block_t;

// Where the arena lies, if not with all other variables: a board with a second RAM names a section of
// it. Start-up code does not zero that, so the first use does.
#ifdef P11_ARENA_PLACE
static void blank_at_first(void);
#else
#define P11_ARENA_PLACE
#define blank_at_first() ((void)0)
#endif

static union {
    block_t first;
    uint8_t bytes[P11_ARENA_BYTES];
    uint64_t aligned;
} arena P11_ARENA_PLACE;
static uint32_t touched; // bytes from the start that may differ from zero
static uint32_t in_use;  // blocks handed out
#if P11_TEST
static uint32_t deepest;
#endif

_Static_assert(P11_ARENA_BYTES % sizeof(block_t) == 0, "whole units");

#ifndef blank_at_first
static bool blank;

static void blank_at_first(void) {
    if (!blank) {
        p11_wipe(arena.bytes, sizeof(arena.bytes));
        blank = true;
    }
}
#endif

static block_t *next(block_t *block) {
    return (block_t *)(void *)((uint8_t *)block + block->size);
}

static bool inside(const block_t *block) {
    return (const uint8_t *)block < arena.bytes + sizeof(arena.bytes);
}

// Lets a free block take in the free blocks behind it.
static void absorb(block_t *block) {
    for (block_t *after = next(block); inside(after) && !after->used; after = next(block)) {
        block->size += after->size;
        p11_wipe(after, sizeof(block_t));
    }
}

void *p11_calloc(size_t count, size_t size) {
    if (size != 0 && count > P11_ARENA_BYTES / size) {
        return NULL;
    }
    uint32_t wanted = (uint32_t)(count * size + 2 * sizeof(block_t) - 1);
    wanted -= wanted % sizeof(block_t);

    blank_at_first();
    if (arena.first.size == 0) {
        arena.first.size = P11_ARENA_BYTES;
    }
    for (block_t *block = &arena.first; inside(block); block = next(block)) {
        if (block->used) {
            continue;
        }
        absorb(block);
        if (block->size < wanted) {
            continue;
        }
        if (block->size > wanted) {
            uint32_t rest = block->size - wanted;
            block->size = wanted;
            next(block)->size = rest;
            next(block)->used = 0;
        }
        block->used = 1;
        in_use++;
        uint32_t end = (uint32_t)((uint8_t *)next(block) - arena.bytes) + sizeof(block_t);
        if (end > touched) {
            touched = end;
        }
        return block + 1; // free memory is zero: it starts so and is wiped when it is freed
    }
    return NULL;
}

void p11_free(void *p) {
    if (p != NULL) {
        block_t *block = (block_t *)p - 1;
        p11_wipe(p, block->size - sizeof(block_t));
        block->used = 0;
        in_use--;
    }
}

bool p11_arena_wipe(void) {
    bool clean = in_use == 0;
    blank_at_first();
#if P11_TEST
    deepest = touched > deepest ? touched : deepest;
#endif
    p11_wipe(arena.bytes, touched < sizeof(arena.bytes) ? touched : sizeof(arena.bytes));
    touched = 0;
    in_use = 0;
    return clean;
}

#if P11_TEST
// Since the last question.
size_t p11_test_arena_deepest(void) {
    size_t answer = deepest;
    deepest = 0;
    return answer;
}

const void *p11_test_arena(size_t *len) {
    *len = sizeof(arena.bytes);
    return arena.bytes;
}
#endif
