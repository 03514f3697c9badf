// SPDX-License-Identifier: MIT
// As much of ESP-IDF's header of this name as our files use.
typedef enum {
    ESP_BT_CONTROLLER_STATUS_IDLE = 0,
    ESP_BT_CONTROLLER_STATUS_INITED,
    ESP_BT_CONTROLLER_STATUS_ENABLED,
} esp_bt_controller_status_t;
esp_bt_controller_status_t esp_bt_controller_get_status(void);
