// SPDX-License-Identifier: MIT
// The memory of the arithmetic library: a fixed arena, zeroed piece by piece as it is freed and
// as a whole when an operation ends. Nothing of the library lies in a heap shared with others.
#ifndef P11_ARENA_H
#define P11_ARENA_H

#include <stdbool.h>
#include <stddef.h>

// Enough for the deepest operation, an RSA signature, with room to spare (tests measure it).
#ifndef P11_ARENA_BYTES
#define P11_ARENA_BYTES 10240
#endif

// The library's calloc and free: zeroed memory or NULL.
void *p11_calloc(size_t count, size_t size);
void p11_free(void *p);
// Ends an operation: wipes what was used; false when something was never freed.
bool p11_arena_wipe(void);

#endif
