// SPDX-License-Identifier: MIT
// As much of ESP-IDF's header of this name as our files use.
#include <stddef.h>
#include <stdint.h>
#include "esp_err.h"
typedef enum { HMAC_KEY0,
    HMAC_KEY1,
    HMAC_KEY2,
    HMAC_KEY3,
    HMAC_KEY4,
    HMAC_KEY5 } hmac_key_id_t;
esp_err_t esp_hmac_calculate(hmac_key_id_t key, const void *message, size_t len, uint8_t *hmac);
