// SPDX-License-Identifier: MIT
#include "ports/stm32/boards/NUCLEO_WB55/stm32wbxx_hal_conf.h"
