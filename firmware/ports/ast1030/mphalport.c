// SPDX-License-Identifier: MIT
// Standard input and output on the UART; delays and clocks on the cycle counter.

#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"

#include "ticks.h"
#include "uart.h"

uintptr_t mp_hal_stdio_poll(uintptr_t poll_flags) {
    uintptr_t ready = poll_flags & MP_STREAM_POLL_WR;
    if ((poll_flags & MP_STREAM_POLL_RD) && uart_readable()) {
        ready |= MP_STREAM_POLL_RD;
    }
    return ready;
}

int mp_hal_stdin_rx_chr(void) {
    for (;;) {
        int c = uart_get();
        if (c >= 0) {
            return c;
        }
        mp_event_wait_indefinite();
    }
}

mp_uint_t mp_hal_stdout_tx_strn(const char *str, size_t len) {
    uart_write(str, len);
    return len;
}

void mp_hal_wait_event(mp_uint_t timeout_ms) {
    if (timeout_ms == (mp_uint_t)-1) {
        ticks_wait(TICKS_FOREVER);
    } else {
        ticks_wait(ticks_us() + (uint64_t)timeout_ms * 1000);
    }
}

static void delay(uint64_t us) {
    uint64_t deadline = ticks_us() + us;
    mp_event_handle_nowait();
    while (ticks_us() < deadline) {
        ticks_wait(deadline);
        mp_event_handle_nowait();
    }
}

void mp_hal_delay_ms(mp_uint_t ms) {
    delay((uint64_t)ms * 1000);
}

void mp_hal_delay_us(mp_uint_t us) {
    delay(us);
}

mp_uint_t mp_hal_ticks_ms(void) {
    return (mp_uint_t)(ticks_us() / 1000);
}

mp_uint_t mp_hal_ticks_us(void) {
    return (mp_uint_t)ticks_us();
}

mp_uint_t mp_hal_ticks_cpu(void) {
    return ticks_cpu();
}

// The chip has no battery clock: time starts at 1 January 2000 until somebody sets it.
static uint64_t clock_offset; // us

uint64_t mp_hal_time_ns(void) {
    return (clock_offset + ticks_us()) * 1000;
}

void p11_clock_set(uint64_t us) {
    clock_offset = us - ticks_us();
}
