// SPDX-License-Identifier: MIT
// Upstream's NUCLEO_H743ZI, and the seams of the token.
#include "ports/stm32/boards/NUCLEO_H743ZI/mpconfigboard.h"
#include "stm32_port.h"
