// SPDX-License-Identifier: MIT
#include "ports/stm32/boards/B_L475E_IOT01A/stm32l4xx_hal_conf.h"
