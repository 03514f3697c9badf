// SPDX-License-Identifier: MIT
// As much of ESP-IDF's header of this name as our files use.
#include <stdbool.h>
typedef enum { EFUSE_BLK_KEY0 = 4,
    EFUSE_BLK_KEY_MAX = 10 } esp_efuse_block_t;
typedef enum { ESP_EFUSE_KEY_PURPOSE_HMAC_UP = 8 } esp_efuse_purpose_t;
bool esp_efuse_get_key_dis_read(esp_efuse_block_t block);
bool esp_efuse_find_purpose(esp_efuse_purpose_t purpose, esp_efuse_block_t *block);
