// SPDX-License-Identifier: MIT
// As much of the stm32 port's header of this name as our files use.
void mp_raise_OSError(int errno_) __attribute__((noreturn));
