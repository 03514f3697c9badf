// SPDX-License-Identifier: MIT
// Upstream's NUCLEO_WB55, and the seams of the token.
#include "ports/stm32/boards/NUCLEO_WB55/mpconfigboard.h"
#include "stm32_port.h"
