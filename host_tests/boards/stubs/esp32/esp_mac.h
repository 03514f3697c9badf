// SPDX-License-Identifier: MIT
// As much of ESP-IDF's header of this name as our files use.
#include <stdint.h>
#include "esp_err.h"
esp_err_t esp_efuse_mac_get_default(uint8_t *mac);
