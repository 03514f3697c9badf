// SPDX-License-Identifier: MIT
// How the STM32 drivers reach registers, memory and the processor's masks. Under RAWFLASH_MODEL all
// of it is the host tests' model.
#ifndef STM32_BUS_H
#define STM32_BUS_H

#include <stdbool.h>
#include <stdint.h>

#ifdef RAWFLASH_MODEL
#include "stm32_model.h" // the host tests' chip
#else
static inline uint32_t reg_read(uint32_t address) {
    return *(volatile uint32_t *)address;
}
static inline void reg_write(uint32_t address, uint32_t value) {
    *(volatile uint32_t *)address = value;
}
static inline uint32_t bus_read32(uint32_t address) {
    return *(volatile uint32_t *)address;
}
static inline void bus_write32(uint32_t address, uint32_t value) {
    *(volatile uint32_t *)address = value;
}
static inline void cpu_barrier(void) {
    __asm volatile("dsb\n isb" ::: "memory");
}
// Interrupts off; the result goes to cpu_unmask.
static inline uint32_t cpu_mask(void) {
    uint32_t before;
    __asm volatile("mrs %0, primask\n cpsid i" : "=r"(before)::"memory");
    return before;
}
static inline void cpu_unmask(uint32_t before) {
    __asm volatile("msr primask, %0" ::"r"(before) : "memory");
}
// Faults off as well: priority -1. Interrupts must be off already.
static inline void cpu_mask_faults(bool on) {
    if (on) {
        __asm volatile("cpsid f" ::: "memory");
    } else {
        __asm volatile("cpsie f" ::: "memory");
    }
}
// Keeps interrupts of the given and lower urgency out; the result goes to cpu_priority_back.
static inline uint32_t cpu_priority(uint32_t level) {
    uint32_t before;
    __asm volatile("mrs %0, basepri\n msr basepri_max, %1"
        : "=&r"(before) : "r"(level) : "memory");
    return before;
}
static inline void cpu_priority_back(uint32_t before) {
    __asm volatile("msr basepri, %0" ::"r"(before) : "memory");
}
#endif

static inline void reg_modify(uint32_t address, uint32_t clear, uint32_t set) {
    reg_write(address, (reg_read(address) & ~clear) | set);
}

#endif
