// SPDX-License-Identifier: MIT
// Part of extmod/modmachine.c: reset, identity, clock and sleep of this chip.

#include "chip.h"
#include "uart.h"

#ifndef MP_NORETURN
#define MP_NORETURN NORETURN
#endif

static void mp_machine_idle(void) {
    mp_event_wait_indefinite();
}

MP_NORETURN static void mp_machine_reset(void) {
    uart_drain();
    p11_port_forget();
    chip_reset();
}

// The chip's reset log is not read: 0 is "not known".
static mp_int_t mp_machine_reset_cause(void) {
    return 0;
}

static mp_obj_t mp_machine_unique_id(void) {
    uint8_t id[P11_UNIQUE_ID_BYTES];
    p11_chip_unique_id(id);
    return mp_obj_new_bytes(id, sizeof(id));
}

static mp_obj_t mp_machine_get_freq(void) {
    return mp_obj_new_int_from_uint(CPU_HZ);
}

static void mp_machine_set_freq(size_t n_args, const mp_obj_t *args) {
    (void)n_args;
    (void)args;
    mp_raise_NotImplementedError(MP_ERROR_TEXT("the clock is fixed"));
}

static void mp_machine_lightsleep(size_t n_args, const mp_obj_t *args) {
    if (n_args == 0) {
        mp_event_wait_indefinite();
    } else {
        mp_hal_delay_ms(mp_obj_get_int(args[0]));
    }
}

MP_NORETURN static void mp_machine_deepsleep(size_t n_args, const mp_obj_t *args) {
    mp_machine_lightsleep(n_args, args);
    mp_machine_reset();
}
