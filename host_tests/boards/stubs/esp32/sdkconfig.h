// SPDX-License-Identifier: MIT
// As much of ESP-IDF's header of this name as our files use.
#ifndef CONFIG_ESP_WIFI_ENABLED
#define CONFIG_ESP_WIFI_ENABLED 1
#define CONFIG_BT_ENABLED 1
#endif
