// SPDX-License-Identifier: MIT
// ESP-IDF's calls for the host tests: what was called is written down, what it answers is set.
#include <string.h>

#include "bootloader_random.h"
#include "esp_bt.h"
#include "esp_efuse.h"
#include "esp_hmac.h"
#include "esp_mac.h"
#include "esp_random.h"
#include "esp_wifi.h"
#include "p11crypto.h"

char model_calls[64]; // a letter per call: E enable, D disable, R random
int model_wifi_runs, model_bluetooth_runs, model_noise_on;
int model_key_block = -1, model_key_readable, model_hmac_fails;
static uint8_t counter;

static void note(char call) {
    size_t length = strlen(model_calls);
    if (length < sizeof(model_calls) - 1) {
        model_calls[length] = call;
    }
}

void bootloader_random_enable(void) {
    note('E');
    model_noise_on = 1;
}

void bootloader_random_disable(void) {
    note('D');
    model_noise_on = 0;
}

// Bytes that tell whether noise was on when they were drawn.
void esp_fill_random(void *buf, size_t len) {
    note('R');
    for (size_t i = 0; i < len; i++) {
        bool noise = model_noise_on || model_wifi_runs || model_bluetooth_runs;
        ((uint8_t *)buf)[i] = noise ? (uint8_t)(0x80 | ++counter) : 0;
    }
}

esp_err_t esp_wifi_get_max_tx_power(int8_t *power) {
    *power = 20;
    return model_wifi_runs ? ESP_OK : ESP_FAIL;
}

esp_bt_controller_status_t esp_bt_controller_get_status(void) {
    return model_bluetooth_runs ? ESP_BT_CONTROLLER_STATUS_ENABLED : ESP_BT_CONTROLLER_STATUS_INITED;
}

esp_err_t esp_efuse_mac_get_default(uint8_t *mac) {
    memcpy(mac, "\x24\x0a\xc4\x01\x02\x03", 6);
    return ESP_OK;
}

bool esp_efuse_find_purpose(esp_efuse_purpose_t purpose, esp_efuse_block_t *block) {
    *block = (esp_efuse_block_t)(EFUSE_BLK_KEY0 + model_key_block);
    return purpose == ESP_EFUSE_KEY_PURPOSE_HMAC_UP && model_key_block >= 0;
}

bool esp_efuse_get_key_dis_read(esp_efuse_block_t block) {
    return (int)block - (int)EFUSE_BLK_KEY0 == model_key_block && !model_key_readable;
}

// Key number and message in recognisable form.
esp_err_t esp_hmac_calculate(hmac_key_id_t key, const void *message, size_t len, uint8_t *hmac) {
    memset(hmac, 0xa0 + (int)key, 32);
    hmac[0] = (uint8_t)len;
    hmac[1] = *(const uint8_t *)message;
    return model_hmac_fails ? ESP_FAIL : ESP_OK;
}

void p11_wipe(void *buf, size_t len) {
    memset(buf, 0, len);
}
