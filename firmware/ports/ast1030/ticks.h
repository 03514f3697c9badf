// SPDX-License-Identifier: MIT
// Time since boot, and sleeping.
#ifndef TICKS_H
#define TICKS_H

#include <stdint.h>

#define TICKS_FOREVER UINT64_MAX

void ticks_init(void);
uint64_t ticks_us(void);            // microseconds since boot
uint32_t ticks_cpu(void);           // CPU cycles; a sleep may lose a few
void ticks_wait(uint64_t deadline); // sleeps until an event or this time in us
void ticks_wake(void);              // for interrupt handlers: an event has happened

// Wall clock: microseconds since 2000 (mp_hal_time_ns), as somebody set it.
void p11_clock_set(uint64_t us);

#endif
