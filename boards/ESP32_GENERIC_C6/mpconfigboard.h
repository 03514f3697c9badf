// SPDX-License-Identifier: MIT
// Upstream's ESP32_GENERIC_C6 as it is.
#include "ports/esp32/boards/ESP32_GENERIC_C6/mpconfigboard.h"
