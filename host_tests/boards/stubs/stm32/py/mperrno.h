// SPDX-License-Identifier: MIT
// As much of the stm32 port's header of this name as our files use.
#define MP_EIO 5
