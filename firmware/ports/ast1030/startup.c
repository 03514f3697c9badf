// SPDX-License-Identifier: MIT
// From reset to main: vectors, clean memory, memory protection, FPU.
//
// The loader has copied the image, initialised data included, to its place in SRAM.

#include "ast1030.h"
#include "faults.h"

extern uint32_t _etext, _clean_start, _clean_end, _stack_bottom, _stack_top;

// What the loader said; anything without its mark when something else started this program.
uint32_t p11_boot_note;

int main(void);
void Reset_Handler(void);
void SysTick_Handler(void);
void UART5_Handler(void);

typedef void (*vector_t)(void);

// Vectors 0..15 of the core, then one for each interrupt up to the UART's, the only one enabled.
__attribute__((section(".vectors"), used)) static const vector_t vectors[16 + UART5_IRQ + 1] = {
    [0] = (vector_t)&_stack_top,
    [1] = Reset_Handler,
    [2 ... 14] = Fault_Handler,
    [15] = SysTick_Handler,
    [16 ... 16 + UART5_IRQ - 1] = Fault_Handler,
    [16 + UART5_IRQ] = UART5_Handler,
};

#define MPU_RASR_ENABLE (1u << 0)
#define MPU_RASR_SIZE(log2) (((log2) - 1u) << 1)
#define MPU_RASR_SRD(mask) ((mask) << 8)
#define MPU_RASR_NORMAL (1u << 17)
#define MPU_RASR_READ_ONLY (6u << 24)
#define MPU_RASR_NO_ACCESS (1u << 28) // AP = 0, never executed
#define MPU_RBAR_REGION(n) ((1u << 4) | (n))
#define MPU_CTRL_ENABLE ((1u << 0) | (1u << 2)) // the default map applies elsewhere

// Code cannot be written, from vectors to the last whole 64 KiB of text: a stray write through
// a null pointer faults instead of changing a vector. The KiB under the stack faults on overflow.
static void mpu_init(void) {
    uint32_t parts = (uint32_t)&_etext >> 16; // of the eight parts of 512 KiB
    if (parts > 8) {
        parts = 8;
    }
    MPU_RBAR = 0x00000000u | MPU_RBAR_REGION(0);
    MPU_RASR = MPU_RASR_ENABLE | MPU_RASR_SIZE(19) | MPU_RASR_SRD((0xffu << parts) & 0xffu) | MPU_RASR_NORMAL | MPU_RASR_READ_ONLY;
    MPU_RBAR = (uint32_t)&_stack_bottom | MPU_RBAR_REGION(1);
    _Static_assert(STACK_GUARD_BYTES == 1u << 10, "the size of region 1");
    MPU_RASR = MPU_RASR_ENABLE | MPU_RASR_SIZE(10) | MPU_RASR_NORMAL | MPU_RASR_NO_ACCESS;
    __asm volatile("dsb" : : : "memory");
    MPU_CTRL = MPU_CTRL_ENABLE;
    __asm volatile("dsb\n\tisb" : : : "memory");
}

__attribute__((used)) static void start(void) {
    SCB_VTOR = (uint32_t)vectors;
    SCB_CPACR |= 0xfu << 20; // FPU: full access
    __asm volatile("dsb\n\tisb" : : : "memory");
    mpu_init();
    __asm volatile("cpsie i" : : : "memory");
    main();
    chip_reset();
}

// Zeroes everything behind the image, bss, heap and stack: no secret of an earlier run, of this
// application or another, survives a reset in memory.
__attribute__((naked, noreturn)) void Reset_Handler(void) {
    __asm volatile("cpsid i\n\t"
                   "mov r4, r2\n\t"
                   "ldr r0, =_clean_start\n\t"
                   "ldr r1, =_clean_end\n\t"
                   "mov sp, r1\n\t"
                   "movs r2, #0\n"
                   "1:\n\t"
                   "cmp r0, r1\n\t"
                   "it lo\n\t"
                   "strlo r2, [r0], #4\n\t"
                   "blo 1b\n\t"
                   "ldr r0, =p11_boot_note\n\t"
                   "str r4, [r0]\n\t"
                   "b start\n\t"
                   ".ltorg");
}
