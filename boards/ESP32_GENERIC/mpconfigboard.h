// SPDX-License-Identifier: MIT
// Upstream's ESP32_GENERIC as it is.
#include "ports/esp32/boards/ESP32_GENERIC/mpconfigboard.h"
