// SPDX-License-Identifier: MIT
// The chip of the host tests behind the flash and RNG drivers: every access is a call into the
// Python model (stm32_model.py). KEYS_START and KEYS_SIZE come from the command line.
#ifndef STM32_MODEL_H
#define STM32_MODEL_H

#include <stdbool.h>
#include <stdint.h>

// The key region comes from the command line, as it comes from the linker script on a board.
#ifndef KEYS_START
#define KEYS_START 0x08000000u
#define KEYS_SIZE 0u
#endif

typedef struct {
    uint32_t (*reg_read)(uint32_t address);
    void (*reg_write)(uint32_t address, uint32_t value);
    uint32_t (*bus_read32)(uint32_t address);
    void (*bus_write32)(uint32_t address, uint32_t value);
    uint32_t (*cpu)(uint32_t what, uint32_t value);
} stm32_model_t;

extern stm32_model_t stm32_model;

// Drivers with an NMI handler let the model raise it.
void stm32_model_nmi(void);

enum { MODEL_BARRIER,
    MODEL_MASK,
    MODEL_UNMASK,
    MODEL_FAULTS,
    MODEL_PRIORITY,
    MODEL_PRIORITY_BACK };

static inline uint32_t reg_read(uint32_t address) {
    return stm32_model.reg_read(address);
}
static inline void reg_write(uint32_t address, uint32_t value) {
    stm32_model.reg_write(address, value);
}
static inline uint32_t bus_read32(uint32_t address) {
    return stm32_model.bus_read32(address);
}
static inline void bus_write32(uint32_t address, uint32_t value) {
    stm32_model.bus_write32(address, value);
}
static inline void cpu_barrier(void) {
    stm32_model.cpu(MODEL_BARRIER, 0);
}
static inline uint32_t cpu_mask(void) {
    return stm32_model.cpu(MODEL_MASK, 0);
}
static inline void cpu_unmask(uint32_t before) {
    stm32_model.cpu(MODEL_UNMASK, before);
}
static inline void cpu_mask_faults(bool on) {
    stm32_model.cpu(MODEL_FAULTS, on);
}
static inline uint32_t cpu_priority(uint32_t level) {
    return stm32_model.cpu(MODEL_PRIORITY, level);
}
static inline void cpu_priority_back(uint32_t before) {
    stm32_model.cpu(MODEL_PRIORITY_BACK, before);
}

#endif
