// SPDX-License-Identifier: MIT
// Identity of an ESP32, and its device secret on the chips that can keep one: the HMAC peripheral
// computes with a key from the eFuses that no software can read. A flash dump then does not help
// with trying PINs. Which key: the one whose purpose is HMAC_UP; burning it is the user's step
// (docs/BOARDS.md). A key that is not read-protected can be read over the serial port, so it is none:
// secure boot leaves no way to protect one afterwards. Without a key, or on the first ESP32, there is
// no secret.
#include <string.h>

#include "esp_mac.h"
#include "p11crypto.h"
#include "sdkconfig.h"
#include "soc/soc_caps.h"

#if SOC_HMAC_SUPPORTED
#include "esp_efuse.h"
#include "esp_hmac.h"
#endif

// The factory's MAC address. Public: it tells chips apart, it is no secret.
void p11_chip_unique_id(uint8_t out[16]) {
    memset(out, 0, 16);
    if (esp_efuse_mac_get_default(out) != ESP_OK) {
        memset(out, 0, 16);
    }
}

#if SOC_HMAC_SUPPORTED
size_t p11_chip_device_secret(uint8_t out[32]) {
    static const char message[] = "micropython-pkcs11 device secret 1";
    esp_efuse_block_t block;
    if (esp_efuse_find_purpose(ESP_EFUSE_KEY_PURPOSE_HMAC_UP, &block)
        && esp_efuse_get_key_dis_read(block)
        && esp_hmac_calculate((hmac_key_id_t)(block - EFUSE_BLK_KEY0), message,
               sizeof(message) - 1, out)
               == ESP_OK) {
        return 32;
    }
    p11_wipe(out, 32);
    return 0;
}
#endif
