// SPDX-License-Identifier: MIT
#include "ports/stm32/boards/NUCLEO_H743ZI/stm32h7xx_hal_conf.h"
