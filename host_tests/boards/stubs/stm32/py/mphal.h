// SPDX-License-Identifier: MIT
// As much of the stm32 port's header of this name as our files use.
#include <stdint.h>
uint32_t mp_hal_ticks_cpu(void);
