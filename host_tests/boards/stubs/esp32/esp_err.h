// SPDX-License-Identifier: MIT
// As much of ESP-IDF's header of this name as our files use.
#ifndef ESP_ERR_H
#define ESP_ERR_H
typedef int esp_err_t;
#define ESP_OK 0
#define ESP_FAIL -1
#endif
