// SPDX-License-Identifier: MIT
// As much of ESP-IDF's header of this name as our files use.
#include <stdint.h>
#include "esp_err.h"
esp_err_t esp_wifi_get_max_tx_power(int8_t *power);
