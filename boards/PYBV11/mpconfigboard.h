// SPDX-License-Identifier: MIT
// Upstream's PYBV11, and the seams of the token.
#include "ports/stm32/boards/PYBV11/mpconfigboard.h"
#include "stm32_port.h"
