// SPDX-License-Identifier: MIT
// Upstream's ESP32_GENERIC_C3 as it is.
#include "ports/esp32/boards/ESP32_GENERIC_C3/mpconfigboard.h"
