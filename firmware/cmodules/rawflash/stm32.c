// SPDX-License-Identifier: MIT
// What STM32 chips have in common: the key region of the linker script, bounds, whole units,
// reading unit by unit, and quiet while the controller works.
#include "stm32.h"

#include <string.h>

// MicroPython writes its file system from an interrupt of this level (IRQ_PRI_FLASH, 6 of 16).
// Ours and those calls must not mix; SysTick and the UARTs, which are more urgent, go on.
#define PRIORITY (6u << 4)

#ifndef RAWFLASH_MODEL
extern const char _p11_keys_start[], _p11_keys_size[];
#define KEYS_START ((uint32_t)_p11_keys_start)
#define KEYS_SIZE ((uint32_t)_p11_keys_size)
#endif

const rawflash_region_t rawflash_regions[] = {
    { "keys", KEYS_START - STM32_FLASH, KEYS_SIZE, true },
};
const size_t rawflash_region_count = 1;

// The last word on bounds: nothing below this line touches a byte outside the linker's region.
static bool inside(uint32_t address, size_t len) {
    uint32_t offset = STM32_FLASH + address - KEYS_START;
    return offset <= KEYS_SIZE && len <= KEYS_SIZE - offset;
}

int rawflash_chip_info(rawflash_chip_t *out) {
    uint32_t start;
    uint32_t erase;
    if (!stm32_erase_unit(KEYS_START, &start, &erase) || start != KEYS_START
        || KEYS_SIZE < 2 * erase || KEYS_SIZE % erase != 0) {
        return RAWFLASH_NO_CHIP;
    }
    for (uint32_t at = KEYS_START; at < KEYS_START + KEYS_SIZE; at += erase) {
        uint32_t size;
        if (!stm32_erase_unit(at, &start, &size) || start != at || size != erase) {
            return RAWFLASH_NO_CHIP;
        }
    }
    // The two registers need not be aligned to words.
    uint32_t kib = reg_read(stm32_kib_register & ~3u) >> (stm32_kib_register % 4 * 8);
    *out = (rawflash_chip_t){
        .id = reg_read(stm32_id_register) & 0xfff,
        .size = (kib & 0xffff) * 1024,
        .erase = erase,
        .page = 256,
        .unit = stm32_unit,
    };
    return RAWFLASH_OK;
}

int rawflash_chip_read(uint32_t address, uint8_t *buf, size_t len) {
    if (!inside(address, len)) {
        return RAWFLASH_RANGE;
    }
    int status = RAWFLASH_OK;
    for (size_t done = 0; done < len;) {
        uint8_t unit[STM32_UNIT_MAX];
        uint32_t at = STM32_FLASH + address + (uint32_t)done;
        size_t skip = at % stm32_unit;
        size_t part = len - done < stm32_unit - skip ? len - done : stm32_unit - skip;
        int seen = stm32_read_unit(at - (uint32_t)skip, unit);
        if (seen == RAWFLASH_FAULTED) {
            memset(unit, RAWFLASH_FAULT_BYTE, sizeof(unit));
        }
        status = seen > status ? seen : status;
        memcpy(buf + done, unit + skip, part);
        done += part;
    }
    return status;
}

int rawflash_chip_program(uint32_t address, const uint8_t *buf, size_t len) {
    if (!inside(address, len) || address % stm32_unit != 0 || len % stm32_unit != 0) {
        return RAWFLASH_RANGE;
    }
    uint32_t before = cpu_priority(PRIORITY);
    int status = stm32_program(STM32_FLASH + address, buf, len);
    cpu_priority_back(before);
    return status;
}

int rawflash_chip_erase(uint32_t address) {
    uint32_t start;
    uint32_t size;
    if (!stm32_erase_unit(STM32_FLASH + address, &start, &size)
        || start != STM32_FLASH + address || !inside(address, size)) {
        return RAWFLASH_RANGE;
    }
    uint32_t before = cpu_priority(PRIORITY);
    int status = stm32_erase(start);
    cpu_priority_back(before);
    return status;
}
