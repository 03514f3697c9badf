// SPDX-License-Identifier: MIT
#include "ports/stm32/boards/NUCLEO_G474RE/stm32g4xx_hal_conf.h"
