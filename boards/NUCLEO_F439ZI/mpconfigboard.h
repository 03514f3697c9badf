// SPDX-License-Identifier: MIT
// Upstream's NUCLEO_F439ZI, and the seams of the token.
#include "ports/stm32/boards/NUCLEO_F439ZI/mpconfigboard.h"
#include "stm32_port.h"
