// SPDX-License-Identifier: MIT
// The random number generator of an ESP32. It is fed with true noise only while a radio runs or
// the bootloader's noise source (the ADC) is on; otherwise Espressif calls it pseudo-random and it
// gives no sign of it. So: a running radio is used as it is, else the noise source is switched on
// around the reading, and the first words, which may be older, are thrown away.
//
// The noise source takes the ADC for that moment; machine.ADC has to be set up again afterwards.
#include "bootloader_random.h"
#include "esp_random.h"
#include "p11crypto.h"
#include "sdkconfig.h"

#if CONFIG_ESP_WIFI_ENABLED || CONFIG_ESP32_WIFI_ENABLED
#include "esp_wifi.h"
#endif
#if CONFIG_BT_ENABLED
#include "esp_bt.h"
#endif

#define DISCARDED 64 // bytes: older than the source, from whatever fed the register before

// Has the radio been started? Initialised is not enough: only a running receiver makes noise.
static bool radio_runs(void) {
#if CONFIG_ESP_WIFI_ENABLED || CONFIG_ESP32_WIFI_ENABLED
    int8_t power;
    if (esp_wifi_get_max_tx_power(&power) == ESP_OK) {
        return true;
    }
#endif
#if CONFIG_BT_ENABLED
    if (esp_bt_controller_get_status() == ESP_BT_CONTROLLER_STATUS_ENABLED) {
        return true;
    }
#endif
    return false;
}

bool p11_chip_entropy(uint8_t *out, size_t len) {
    uint8_t discarded[DISCARDED];
    bool own_source = !radio_runs();
    if (own_source) {
        bootloader_random_enable();
        esp_fill_random(discarded, sizeof(discarded));
        p11_wipe(discarded, sizeof(discarded));
    }
    esp_fill_random(out, len);
    if (own_source) {
        bootloader_random_disable();
    }
    return true;
}
