// SPDX-License-Identifier: MIT
// Internal flash of STM32 chips behind rawflash.h: stm32.c has what the families share, one file
// per family has its controller. Register numbers are those of the reference manuals; a build in
// MicroPython's port compares them with the vendor's headers (p11chip/stm32_check.c).
//
// The key region comes from the board's linker script: _p11_keys_start, _p11_keys_size. No section
// lies in it, so no image contains it.
#ifndef STM32_H
#define STM32_H

#include "rawflash.h"
#include "stm32_bus.h"

#define STM32_FLASH 0x08000000u // where the flash lies in the address space
#define STM32_UNIT_MAX 32

// --- a family ------------------------------------------------------------------------------

extern const uint32_t stm32_unit; // bytes of a program unit; written once between erases
extern const uint32_t stm32_id_register;
extern const uint32_t stm32_kib_register; // 16 bits: the flash of this very chip in KiB

// The erase unit around address: where it starts and its bytes. False where the chip has none or
// is set up otherwise than the board's layout says.
bool stm32_erase_unit(uint32_t address, uint32_t *start, uint32_t *size);
// One erase unit; status codes of rawflash.h. Not verified here.
int stm32_erase(uint32_t address);
// Whole units, stops at the first that fails.
int stm32_program(uint32_t address, const uint8_t *data, size_t len);
// One unit, never a trap: RAWFLASH_OK, RAWFLASH_CORRECTED, or RAWFLASH_FAULTED with out undefined.
int stm32_read_unit(uint32_t address, uint8_t *out);

// A poll takes no less than 10 ns on any of these chips: the slowest erase (4 s) is outlasted.
#ifndef STM32_POLLS_MAX
#define STM32_POLLS_MAX 800000000u
#endif

static inline uint32_t stm32_load32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}
static inline void stm32_store32(uint8_t *p, uint32_t word) {
    p[0] = (uint8_t)word;
    p[1] = (uint8_t)(word >> 8);
    p[2] = (uint8_t)(word >> 16);
    p[3] = (uint8_t)(word >> 24);
}

#endif
