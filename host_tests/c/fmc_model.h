// SPDX-License-Identifier: MIT
// A flash controller and a NOR chip as the driver sees them: registers and bytes on a bus. The
// model counts what a driver must never do.
#ifndef FMC_MODEL_H
#define FMC_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

uint32_t reg_read(uint32_t address);
void reg_write(uint32_t address, uint32_t value);
uint8_t bus_read(void);
uint32_t bus_read32(void);
void bus_write(uint8_t byte);

#define MODEL_BYTES 0x00420000u // of the chip's 32 MiB, enough for all regions

typedef struct {
    // Faults.
    uint32_t id;         // 0xef4019; 0xffffff: no chip
    uint32_t busy_polls; // status reads until an operation is done
    bool stays_busy;
    bool ignores_write_enable;
    bool ignores_program;
    bool ignores_erase;
    uint32_t weak_address; // bit 0 of this byte cannot be erased or programmed; 0 none
    // Observations.
    uint32_t violations; // window used outside user mode, page crossed, write while off, …
    uint32_t programs;
    uint32_t erases;
    bool selected;
    uint32_t control;
} fmc_model_t;

extern fmc_model_t fmc_model;
extern uint32_t p11_boot_note; // of the port; at reset: the loader started slot "app"
extern uint8_t fmc_memory[MODEL_BYTES];

// A blank chip without faults. At the very start it is in four-byte mode, as a boot ROM may leave
// it, and the controller's normal mode uses several data lines.
void fmc_model_reset(void);

#endif
