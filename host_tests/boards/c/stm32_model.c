// SPDX-License-Identifier: MIT
#include "stm32_model.h"

#ifdef STM32_FAMILY_WB
void rfcore_start_flash_erase(void);
void rfcore_end_flash_erase(void);

// MicroPython's calls to the radio processor, made visible to the model.
void rfcore_start_flash_erase(void) {
    stm32_model.cpu(0x100, 1);
}

void rfcore_end_flash_erase(void) {
    stm32_model.cpu(0x100, 0);
}
#endif

stm32_model_t stm32_model;
