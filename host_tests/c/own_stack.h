// SPDX-License-Identifier: MIT
// A stack of its own for each operation, searched afterwards, with the arena, for what was left on it.
#ifndef OWN_STACK_H
#define OWN_STACK_H

#include "check.h"

// Nothing but the operation runs on that stack, before or after it; it leaves its status in `result`.
extern int result; // -1 until then
void on_own_stack(void (*run)(void));
// How far down the stack was ever written, in bytes.
size_t depth(void);
// Whether a window of the secret (at most 128 bytes) was left, as bytes or as the little-endian limbs
// of a number.
bool leaked(const void *secret, size_t len);
// Leaves out, while it is true, what wipes the stack at the end of an operation.
extern bool careless_wiping;

#endif
