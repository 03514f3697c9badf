// SPDX-License-Identifier: MIT
// MicroPython's runtime, the same in every build.
#ifndef RUNTIME_H
#define RUNTIME_H

void runtime_start(void); // on an empty heap

#endif
