// SPDX-License-Identifier: MIT
// Faults: one readable line on the console, the keys wiped, a reset.

#include "ast1030.h"
#include "chip.h"
#include "faults.h"
#include "uart.h"

extern uint32_t _stack_bottom, _stack_top;

#if P11_LOCKED
#define uart_write_polled(text) ((void)(text)) // a locked build says nothing
#endif

#define CFSR_STACKING_FAILED ((1u << 4) | (1u << 12))
#define CFSR_MMFAR_VALID (1u << 7)
#define CFSR_BFAR_VALID (1u << 15)

static const struct {
    uint32_t cfsr;
    const char *what;
} causes[] = {
    // clang-format off
    { 0x00000001u, "execution of no-execute memory" },
    { 0x00000002u, "forbidden access" },
    { 0x00000100u, "bus error on instruction fetch" },
    { 0x00000600u, "bus error" },
    { 0x00010000u, "undefined instruction" },
    { 0x00020000u, "invalid state (branch to an even address)" },
    { 0x00080000u, "coprocessor disabled" },
    { 0x01000000u, "unaligned access" },
    { 0x02000000u, "division by zero" },
    // clang-format on
};

static void put_hex(const char *label, uint32_t value) {
    char text[11] = "0x00000000";
    for (int i = 9; i >= 2; --i, value >>= 4) {
        text[i] = "0123456789abcdef"[value & 0xf];
    }
    uart_write_polled(label);
    uart_write_polled(text);
}

__attribute__((noreturn)) static void finish(void) {
    uart_write_polled("; resetting\r\n");
    p11_port_forget();
    chip_reset();
}

void fatal(const char *why) {
    irq_disable();
    uart_write_polled("\r\nfatal: ");
    uart_write_polled(why);
    finish();
}

static const char *cause(uint32_t cfsr) {
    uint32_t guard = (uint32_t)&_stack_bottom;
    if ((cfsr & CFSR_STACKING_FAILED) || ((cfsr & CFSR_MMFAR_VALID) && SCB_MMFAR - guard < STACK_GUARD_BYTES)) {
        return "stack overflow";
    }
    for (unsigned i = 0; i < sizeof(causes) / sizeof(causes[0]); ++i) {
        if (cfsr & causes[i].cfsr) {
            return causes[i].what;
        }
    }
    return "unexpected exception";
}

// `frame` is what the core stacked: r0-r3, r12, lr, pc, xpsr. It may itself be out of bounds.
__attribute__((used, noreturn)) static void report(const uint32_t *frame, uint32_t exception) {
    uint32_t cfsr = SCB_CFSR;
    FPU_FPCCR &= ~FPU_FPCCR_LSPACT; // floating-point registers are not saved to the old stack
    uart_write_polled("\r\nfault: ");
    uart_write_polled(cause(cfsr));
    if (!(cfsr & CFSR_STACKING_FAILED) && frame + 8 <= &_stack_top) {
        put_hex(" at pc ", frame[6]);
        put_hex(" lr ", frame[5]);
    }
    if (cfsr & CFSR_MMFAR_VALID) {
        put_hex(" address ", SCB_MMFAR);
    } else if (cfsr & CFSR_BFAR_VALID) {
        put_hex(" address ", SCB_BFAR);
    }
    put_hex(" exception ", exception);
    put_hex(" cfsr ", cfsr);
    finish();
}

// Starts a fresh stack: the old one may be what is broken.
__attribute__((naked)) void Fault_Handler(void) {
    __asm volatile("cpsid i\n\t"
                   "mov r0, sp\n\t"
                   "mrs r1, ipsr\n\t"
                   "ldr r2, =_stack_top\n\t"
                   "mov sp, r2\n\t"
                   "b report\n\t"
                   ".ltorg");
}
