// SPDX-License-Identifier: MIT
#include "ports/stm32/boards/NUCLEO_F429ZI/stm32f4xx_hal_conf.h"
