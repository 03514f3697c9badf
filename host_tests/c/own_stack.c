// SPDX-License-Identifier: MIT
#include "own_stack.h"

#include <sys/mman.h>
#include <ucontext.h>

#include "wipe.h"

#define STACK (256 * 1024)
#define WINDOW 6
#define PAINT 0xa5

static uint8_t *stack;
static void (*operation)(void);
int result;

static void enter(void) {
    operation();
}

void on_own_stack(void (*run)(void)) {
    static ucontext_t here;
    static ucontext_t there;
    if (stack == NULL) {
        stack = mmap(NULL, STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    }
    memset(stack, PAINT, STACK);
    operation = run;
    result = -1;
    getcontext(&there);
    there.uc_stack.ss_sp = stack;
    there.uc_stack.ss_size = STACK;
    there.uc_link = &here;
    makecontext(&there, enter, 0);
    swapcontext(&here, &there);
}

size_t depth(void) {
    size_t low = 0;
    while (low < STACK && stack[low] == PAINT) {
        low++;
    }
    return STACK - low;
}

bool leaked(const void *secret, size_t len) {
    size_t arena_len;
    size_t deep = depth(); // below it there is only paint
    const uint8_t *used = stack + STACK - deep;
    const void *arena = p11_test_arena(&arena_len);
    uint8_t reversed[128];
    for (size_t i = 0; i < len; i++) {
        reversed[i] = ((const uint8_t *)secret)[len - 1 - i];
    }
    for (size_t i = 0; i + WINDOW <= len; i++) {
        const uint8_t *forward = (const uint8_t *)secret + i;
        if (contains(used, deep, forward, WINDOW) || contains(arena, arena_len, forward, WINDOW)
            || contains(used, deep, reversed + i, WINDOW)
            || contains(arena, arena_len, reversed + i, WINDOW)) {
            return true;
        }
    }
    return false;
}

// The linker sends calls of p11_wipe_stack here (--wrap), so that a test can leave them out.
bool careless_wiping;
void __real_p11_wipe_stack(void);
void __wrap_p11_wipe_stack(void);

void __wrap_p11_wipe_stack(void) {
    if (!careless_wiping) {
        __real_p11_wipe_stack();
    }
}
