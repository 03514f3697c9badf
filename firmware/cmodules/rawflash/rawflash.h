// SPDX-License-Identifier: MIT
// Raw flash in named regions: bounds, write policy and verification here, the chip behind four
// functions. Nothing above this knows registers, nothing below knows regions.
//
// Programming clears bits, erasing sets them; both are read back. Calls block until the chip is
// done. They must not be made from an interrupt, and interrupts must not touch the controller.
#ifndef RAWFLASH_H
#define RAWFLASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    RAWFLASH_OK,
    RAWFLASH_CORRECTED, // read only: done, some unit needed its error correction
    RAWFLASH_FAULTED,   // read only: done, some unit is lost and reads RAWFLASH_FAULT_BYTE
    RAWFLASH_RANGE,     // outside the region, or not whole units
    RAWFLASH_READ_ONLY, // region not writable by this firmware
    RAWFLASH_VERIFY,    // the flash does not hold what was written
    RAWFLASH_TIMEOUT,   // the chip stayed busy
    RAWFLASH_NO_CHIP,   // no chip answers, or it is too small
};

#define RAWFLASH_FAULT_BYTE 0x5a // as pal.flash.FAULT

typedef struct {
    const char *name;
    uint32_t base; // address in the chip
    uint32_t size; // bytes; base and size are multiples of the erase unit
    bool writable;
} rawflash_region_t;

typedef struct {
    uint32_t id;    // JEDEC: manufacturer << 16 | type << 8 | capacity
    uint32_t size;  // bytes
    uint32_t erase; // bytes of an erase unit
    uint32_t page;  // bytes one program operation may cover, aligned
    uint32_t unit;  // bytes that are programmed together; 1 where any byte may be
} rawflash_chip_t;

// --- for the binding -----------------------------------------------------------------------

// NULL when there is no such region.
const rawflash_region_t *rawflash_region(const char *name);
// Whether this program may write the region: not the one it was started from.
bool rawflash_writable(const rawflash_region_t *region);
int rawflash_info(rawflash_chip_t *out);
int rawflash_read(const rawflash_region_t *region, size_t offset, uint8_t *buf, size_t len);
// Whole units; split at page borders, so a power cut can leave whole pages done and others not.
int rawflash_program(const rawflash_region_t *region, size_t offset, const uint8_t *buf,
    size_t len);
int rawflash_erase(const rawflash_region_t *region, size_t offset, size_t len);

// --- one file per chip family --------------------------------------------------------------

extern const rawflash_region_t rawflash_regions[];
extern const size_t rawflash_region_count;

// Facts of the chip; reads its identity, so that a missing chip is noticed before it is written.
int rawflash_chip_info(rawflash_chip_t *out);
int rawflash_chip_read(uint32_t address, uint8_t *buf, size_t len);
// Whether the running program comes from this region. Optional: without it, none does.
bool rawflash_chip_runs(const rawflash_region_t *region);
// Within one page.
int rawflash_chip_program(uint32_t address, const uint8_t *buf, size_t len);
// One erase unit.
int rawflash_chip_erase(uint32_t address);

#endif
