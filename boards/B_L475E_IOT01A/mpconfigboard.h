// SPDX-License-Identifier: MIT
// Upstream's B_L475E_IOT01A, and the seams of the token.
#include "ports/stm32/boards/B_L475E_IOT01A/mpconfigboard.h"
#include "stm32_port.h"
