// SPDX-License-Identifier: MIT
// Forgetting: memory that held secrets, and the stack below the caller.
#ifndef P11_WIPE_H
#define P11_WIPE_H

#include "p11crypto.h"

// More than the deepest stack use of an operation below its entry point (host tests measure it).
#ifndef P11_STACK_DEPTH
#define P11_STACK_DEPTH (__SIZEOF_POINTER__ == 4 ? 2560 : 3072)
#endif

// Overwrites P11_STACK_DEPTH bytes of stack below the caller's frame. Call it last, after every
// operation that computes with a secret: the library leaves copies in frames it has left.
void p11_wipe_stack(void);

#endif
