// SPDX-License-Identifier: MIT
// Registers of the Aspeed AST1030 (Cortex-M4F, 768 KiB SRAM at address 0) that this port uses.
// Shared by the port and its loader: no MicroPython header here.
#ifndef AST1030_H
#define AST1030_H

#include <stdint.h>

// clang-format off: tables

#define CPU_HZ                  200000000u
#define SRAM_SIZE               0x000c0000u

#define REG32(address)          (*(volatile uint32_t *)(address))

// Cortex-M4 system registers (ARMv7-M ARM, B3).
#define SYST_CSR                REG32(0xe000e010u)
#define SYST_RVR                REG32(0xe000e014u)
#define SYST_CVR                REG32(0xe000e018u)
#define NVIC_ISER0              REG32(0xe000e100u)
#define SCB_ICSR                REG32(0xe000ed04u)
#define SCB_VTOR                REG32(0xe000ed08u)
#define SCB_AIRCR               REG32(0xe000ed0cu)
#define SCB_CFSR                REG32(0xe000ed28u)
#define SCB_MMFAR               REG32(0xe000ed34u)
#define SCB_BFAR                REG32(0xe000ed38u)
#define SCB_CPACR               REG32(0xe000ed88u)
#define MPU_CTRL                REG32(0xe000ed94u)
#define MPU_RBAR                REG32(0xe000ed9cu)
#define MPU_RASR                REG32(0xe000eda0u)
#define FPU_FPCCR               REG32(0xe000ef34u)

#define FPU_FPCCR_LSPACT        (1u << 0)
#define SYST_CSR_ENABLE         (1u << 0)
#define SYST_CSR_TICKINT        (1u << 1)
#define SYST_CSR_CLKSOURCE      (1u << 2)
#define SCB_ICSR_PENDSTSET      (1u << 26)
#define SCB_ICSR_PENDSTCLR      (1u << 25)
#define SCB_AIRCR_VECTKEY       (0x05fau << 16)
#define SCB_AIRCR_SYSRESETREQ   (1u << 2)

// UART5, the console: 16550 registers, one in each 32-bit word.
#define UART5_BASE              0x7e784000u
#define UART5_IRQ               8
#define UART_RBR                REG32(UART5_BASE + 0x00)    // read: received byte
#define UART_THR                REG32(UART5_BASE + 0x00)    // write: byte to send
#define UART_DLL                REG32(UART5_BASE + 0x00)    // while LCR.DLAB is set
#define UART_IER                REG32(UART5_BASE + 0x04)
#define UART_DLM                REG32(UART5_BASE + 0x04)    // while LCR.DLAB is set
#define UART_IIR                REG32(UART5_BASE + 0x08)    // read
#define UART_FCR                REG32(UART5_BASE + 0x08)    // write
#define UART_LCR                REG32(UART5_BASE + 0x0c)
#define UART_MCR                REG32(UART5_BASE + 0x10)
#define UART_LSR                REG32(UART5_BASE + 0x14)

#define UART_IER_RX             0x01u
#define UART_IER_TX             0x02u
#define UART_FCR_ENABLE         0x01u
#define UART_FCR_CLEAR          0x06u
#define UART_FCR_TRIGGER_14     0xc0u
#define UART_LCR_8N1            0x03u
#define UART_LCR_DLAB           0x80u
#define UART_MCR_OUT2           0x08u                       // gates the interrupt line
#define UART_LSR_RX             0x01u
#define UART_LSR_TX_EMPTY       0x20u                       // transmit FIFO empty
#define UART_LSR_TX_IDLE        0x40u                       // and the last bit is out
#define UART_FIFO_BYTES         16u

// Timer 1: counts down, at 1 MHz from the external clock.
#define TIMER_BASE              0x7e782000u
#define TIMER1_COUNT            REG32(TIMER_BASE + 0x00)
#define TIMER1_RELOAD           REG32(TIMER_BASE + 0x04)
#define TIMER1_MATCH0           REG32(TIMER_BASE + 0x08)
#define TIMER1_MATCH1           REG32(TIMER_BASE + 0x0c)
#define TIMER2_COUNT            REG32(TIMER_BASE + 0x10)
#define TIMER2_RELOAD           REG32(TIMER_BASE + 0x14)
#define TIMER_CTRL              REG32(TIMER_BASE + 0x30)
#define TIMER1_CTRL_ENABLE      (1u << 0)
#define TIMER1_CTRL_1MHZ        (1u << 1)
#define TIMER2_CTRL_ENABLE      (1u << 4)
#define TIMER2_CTRL_1MHZ        (1u << 5)

// System control unit: identification and the random number generator.
#define SCU_BASE                0x7e6e2000u
#define SCU_SILICON_REV         REG32(SCU_BASE + 0x004)
#define SCU_CHIP_ID0            REG32(SCU_BASE + 0x150)
#define SCU_CHIP_ID1            REG32(SCU_BASE + 0x154)
#define SCU_RNG_DATA            REG32(SCU_BASE + 0x540)     // a fresh word at each read

// SPI flash controller (FMC), chip select 0.
#define FMC_BASE                0x7e620000u
#define FMC_CONF                REG32(FMC_BASE + 0x00)
#define FMC_CE0_CTRL            REG32(FMC_BASE + 0x10)
#define FMC_WINDOW              0x80000000u
#define FMC_CONF_WRITE_CE0      (1u << 16)
#define FMC_CTRL_MODE_USER      0x3u
#define FMC_CTRL_CE_INACTIVE    (1u << 2)

// What the loader leaves in r2: its mark and, in bit 0, the slot that runs (0 app, 1 app2).
#define BOOT_NOTE               0x50313140u

// clang-format on

static inline uint32_t irq_disable(void) {
    uint32_t state;
    __asm volatile("mrs %0, primask\n\tcpsid i" : "=r"(state) : : "memory");
    return state;
}

static inline void irq_restore(uint32_t state) {
    __asm volatile("msr primask, %0" : : "r"(state) : "memory");
}

static inline void wait_for_interrupt(void) {
    __asm volatile("dsb\n\twfi\n\tisb" : : : "memory");
}

// Resets the chip; its boot ROM (under QEMU: the image given to -kernel) starts the loader.
__attribute__((noreturn)) static inline void chip_reset(void) {
    __asm volatile("dsb" : : : "memory");
    SCB_AIRCR = SCB_AIRCR_VECTKEY | SCB_AIRCR_SYSRESETREQ;
    for (;;) {
        __asm volatile("dsb" : : : "memory");
    }
}

#endif
