// SPDX-License-Identifier: MIT
#include "rawflash.h"

#include <string.h>

#define CHUNK 128 // bytes read back at a time, on the stack

const rawflash_region_t *rawflash_region(const char *name) {
    for (size_t i = 0; i < rawflash_region_count; i++) {
        if (strcmp(rawflash_regions[i].name, name) == 0) {
            return &rawflash_regions[i];
        }
    }
    return NULL;
}

// The chip's facts, read once it has answered.
static int chip(const rawflash_chip_t **out) {
    static rawflash_chip_t facts;
    if (facts.size == 0) {
        rawflash_chip_t read;
        int status = rawflash_chip_info(&read);
        if (status != RAWFLASH_OK) {
            return status;
        }
        facts = read;
    }
    *out = &facts;
    return RAWFLASH_OK;
}

int rawflash_info(rawflash_chip_t *out) {
    const rawflash_chip_t *facts;
    int status = chip(&facts);
    if (status == RAWFLASH_OK) {
        *out = *facts;
    }
    return status;
}

__attribute__((weak)) bool rawflash_chip_runs(const rawflash_region_t *region) {
    (void)region;
    return false;
}

bool rawflash_writable(const rawflash_region_t *region) {
    return region->writable && !rawflash_chip_runs(region);
}

// Bounds first: they hold whatever the chip says.
static int check(const rawflash_region_t *region, size_t offset, size_t len,
    const rawflash_chip_t **facts) {
    if (offset > region->size || len > region->size - offset) {
        return RAWFLASH_RANGE;
    }
    int status = chip(facts);
    if (status == RAWFLASH_OK
        && ((*facts)->size < region->size || (*facts)->size - region->size < region->base)) {
        status = RAWFLASH_NO_CHIP;
    }
    return status;
}

int rawflash_read(const rawflash_region_t *region, size_t offset, uint8_t *buf, size_t len) {
    const rawflash_chip_t *facts;
    int status = check(region, offset, len, &facts);
    if (status != RAWFLASH_OK || len == 0) {
        return status;
    }
    return rawflash_chip_read(region->base + (uint32_t)offset, buf, len);
}

// Compares the flash with wanted, or with the erased state when wanted is NULL.
static int verify(uint32_t address, const uint8_t *wanted, size_t len) {
    uint8_t seen[CHUNK];
    for (size_t done = 0; done < len;) {
        size_t part = len - done < CHUNK ? len - done : CHUNK;
        int status = rawflash_chip_read(address + (uint32_t)done, seen, part);
        if (status != RAWFLASH_OK && status != RAWFLASH_CORRECTED) {
            return status == RAWFLASH_FAULTED ? RAWFLASH_VERIFY : status;
        }
        for (size_t i = 0; i < part; i++) {
            if (seen[i] != (wanted != NULL ? wanted[done + i] : 0xff)) {
                return RAWFLASH_VERIFY;
            }
        }
        done += part;
    }
    return RAWFLASH_OK;
}

int rawflash_program(const rawflash_region_t *region, size_t offset, const uint8_t *buf,
    size_t len) {
    const rawflash_chip_t *facts;
    if (!rawflash_writable(region)) {
        return RAWFLASH_READ_ONLY;
    }
    int status = check(region, offset, len, &facts);
    if (status == RAWFLASH_OK && (offset % facts->unit != 0 || len % facts->unit != 0)) {
        status = RAWFLASH_RANGE;
    }
    uint32_t address = region->base + (uint32_t)offset;
    for (size_t done = 0; status == RAWFLASH_OK && done < len;) {
        size_t room = facts->page - (address + done) % facts->page;
        size_t part = len - done < room ? len - done : room;
        status = rawflash_chip_program(address + (uint32_t)done, buf + done, part);
        if (status == RAWFLASH_OK) {
            status = verify(address + (uint32_t)done, buf + done, part);
        }
        done += part;
    }
    return status;
}

int rawflash_erase(const rawflash_region_t *region, size_t offset, size_t len) {
    const rawflash_chip_t *facts;
    if (!rawflash_writable(region)) {
        return RAWFLASH_READ_ONLY;
    }
    int status = check(region, offset, len, &facts);
    if (status == RAWFLASH_OK && (offset % facts->erase != 0 || len % facts->erase != 0)) {
        status = RAWFLASH_RANGE;
    }
    uint32_t address = region->base + (uint32_t)offset;
    for (size_t done = 0; status == RAWFLASH_OK && done < len; done += facts->erase) {
        status = rawflash_chip_erase(address + (uint32_t)done);
        if (status == RAWFLASH_OK) {
            status = verify(address + (uint32_t)done, NULL, facts->erase);
        }
    }
    return status;
}
