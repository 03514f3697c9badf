// SPDX-License-Identifier: MIT
// Hardware abstraction for MicroPython's core.
#ifndef MPHALPORT_H
#define MPHALPORT_H

#include <stddef.h>
#include <stdint.h>

#include "ast1030.h"

#define MICROPY_BEGIN_ATOMIC_SECTION() irq_disable()
#define MICROPY_END_ATOMIC_SECTION(state) irq_restore(state)

// Sleeps until an event (an interrupt that matters) or the timeout; -1 is forever.
void mp_hal_wait_event(mp_uint_t timeout_ms);
#define MICROPY_INTERNAL_WFE(TIMEOUT_MS) mp_hal_wait_event((mp_uint_t)(TIMEOUT_MS))

void mp_hal_set_interrupt_char(int c);

// Random bytes from the generator that makes the keys; OSError(EIO) without tested entropy.
void mp_hal_get_random(size_t len, uint8_t *buf);

#endif
