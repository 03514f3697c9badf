// SPDX-License-Identifier: MIT
// A clock that hardly ticks.
//
// Timer 1 is the clock: 1 MHz, never touched once it runs. SysTick counts CPU cycles and is the
// alarm: it runs through its longest period (84 ms), so a running program is disturbed 12 times
// a second and an idle emulator needs next to no CPU; a sleep that ends earlier restarts it
// with a shorter one.

#include <stdbool.h>

#include "ast1030.h"
#include "ticks.h"

#define CYCLES_PER_US (CPU_HZ / 1000000)
#define LONGEST 0x01000000u // cycles of the longest period
#define SHORTEST_US 50      // shorter waits spin

static uint64_t clock_us;    // the clock when it was last read
static uint32_t clock_count; // and the 32 bits of Timer 1 then

static uint32_t period = LONGEST; // cycles of the current SysTick period
static uint32_t period_start;     // ticks_cpu() when it began
static volatile bool event;       // something happened since the last wait

void ticks_init(void) {
    TIMER1_RELOAD = UINT32_MAX;
    TIMER1_COUNT = UINT32_MAX;
    TIMER1_MATCH0 = UINT32_MAX;
    TIMER1_MATCH1 = UINT32_MAX;
    TIMER_CTRL |= TIMER1_CTRL_1MHZ;
    TIMER_CTRL |= TIMER1_CTRL_ENABLE;
    clock_count = ~TIMER1_COUNT;
    SYST_RVR = LONGEST - 1;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ENABLE | SYST_CSR_TICKINT | SYST_CSR_CLKSOURCE;
}

// Timer 1 wraps after 71 minutes; SysTick_Handler reads it often enough to notice.
uint64_t ticks_us(void) {
    uint32_t irq = irq_disable();
    uint32_t count = ~TIMER1_COUNT;
    clock_us += count - clock_count;
    clock_count = count;
    uint64_t now = clock_us;
    irq_restore(irq);
    return now;
}

void SysTick_Handler(void) {
    period_start += period;
    period = LONGEST;
    ticks_us();
}

// The counter falls from period - 1 to 0, where it raises the interrupt, then is reloaded.
uint32_t ticks_cpu(void) {
    uint32_t irq = irq_disable();
    uint32_t left = SYST_CVR;
    uint32_t start = period_start;
    uint32_t length = period;
    if (SCB_ICSR & SCB_ICSR_PENDSTSET) { // a period ended, its interrupt is still to come
        left = SYST_CVR;
        start += length;
        length = LONGEST;
    }
    irq_restore(irq);
    return start + length - 1 - left;
}

// Ends the current period now; the new one has `cycles`, those after it are long again.
static void restart(uint32_t cycles) {
    SYST_RVR = cycles - 1;
    period_start = ticks_cpu();
    SYST_CVR = 0;
    // The reload value must stay until it is taken: one cycle for the chip, 10 us in QEMU.
    for (int patience = 0; SYST_CVR == 0 && patience < 1000000; ++patience) {
    }
    SYST_RVR = LONGEST - 1;
    SCB_ICSR = SCB_ICSR_PENDSTCLR;
    period = cycles;
}

// Called with interrupts disabled. Returns false when the deadline is too near to sleep.
static bool set_alarm(uint64_t deadline) {
    uint64_t now = ticks_us();
    if (deadline < now + SHORTEST_US) {
        return false;
    }
    uint64_t cycles = (deadline - now) * CYCLES_PER_US;
    if (cycles < SYST_CVR) {
        restart((uint32_t)cycles);
    }
    return true;
}

void ticks_wait(uint64_t deadline) {
    uint32_t irq = irq_disable();
    // With interrupts disabled a pending one still ends WFI: no event can slip in between.
    if (!event && (deadline == TICKS_FOREVER || set_alarm(deadline))) {
        wait_for_interrupt();
    }
    event = false;
    irq_restore(irq);
}

void ticks_wake(void) {
    event = true;
}
