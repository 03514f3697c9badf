// SPDX-License-Identifier: MIT
// Identity and entropy of the AST1030, and the seams to the p11crypto module.

#include <string.h>

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"

#include "chip.h"

// The generator has no status flag, so this cannot fail; the health tests are p11crypto's.
bool p11_chip_entropy(uint8_t *out, size_t len) {
    while (len != 0) {
        uint32_t word = SCU_RNG_DATA;
        size_t part = len < sizeof(word) ? len : sizeof(word);
        memcpy(out, &word, part);
        out += part;
        len -= part;
    }
    return true;
}

// 4 bytes of silicon revision, 4 reserved, 8 of the board's own number: the chip's id, or, where
// that reads zero as in QEMU, what the factory wrote into the flash. Not secret, and in the flash
// anybody's to change: it tells boards apart and proves nothing.
void p11_chip_unique_id(uint8_t out[P11_UNIQUE_ID_BYTES]) {
    uint32_t words[P11_UNIQUE_ID_BYTES / 4] = { SCU_SILICON_REV, 0, SCU_CHIP_ID0, SCU_CHIP_ID1 };
    if ((words[2] | words[3]) == 0 && rawflash_region != NULL && rawflash_read != NULL) {
        uint32_t number[2];
        const rawflash_region_t *region = rawflash_region("id");
        if (region != NULL
            && rawflash_read(region, 0, (uint8_t *)number, sizeof(number)) == RAWFLASH_OK
            && (number[0] & number[1]) != 0xffffffff) { // erased: no number was given
            memcpy(&words[2], number, sizeof(number));
        }
    }
    memcpy(out, words, sizeof(words));
}

void p11_port_forget(void) {
    if (p11crypto_soft_reset != NULL) {
        p11crypto_soft_reset();
    }
}

void mp_hal_get_random(size_t len, uint8_t *buf) {
    if (p11crypto_random == NULL || p11crypto_random(buf, len) != 0) {
        memset(buf, 0, len);
        mp_raise_OSError(MP_EIO);
    }
}

// Seeds the random module when it is imported: an error rather than a constant seed.
uint32_t p11_random_seed(void) {
    uint32_t seed;
    mp_hal_get_random(sizeof(seed), (uint8_t *)&seed);
    return seed;
}
