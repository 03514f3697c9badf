// SPDX-License-Identifier: MIT
// The seams between MicroPython's stm32 port and p11crypto: identity, soft reset, and the port's
// own random numbers.
//
// Up to MicroPython 1.28 the port's rng_get() answers 0 when the generator fails, and os.urandom
// and TLS believe it. The linker sends all its callers here (--wrap in micropython.mk): they get
// the tested generator, or OSError.
#include <string.h>

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"

#include "boardctrl.h"
#include "p11crypto.h"
#include "stm32_bus.h"
#include "stm32_chip.h"
#include "stm32_port.h"

uint32_t __wrap_rng_get(void);
uint32_t __wrap_mp_hal_get_hw_random_u32(void);

// 96 bits of the factory. Public: it tells chips apart, it is no secret.
void p11_chip_unique_id(uint8_t out[16]) {
    memset(out, 0, 16);
    memcpy(out, (const void *)UNIQUE_ID_AT, 12);
}

void p11_board_end_soft_reset(struct _boardctrl_state_t *state) {
    p11crypto_soft_reset();
    boardctrl_end_soft_reset(state);
}

static uint32_t random_word(void) {
    uint32_t word;
    uint32_t exception;
    __asm volatile("mrs %0, ipsr" : "=r"(exception));
    if (exception != 0) {
        // An interrupt can neither wait for the generator nor raise. Only lwIP asks from here, for
        // port and transaction numbers.
        return reg_read(RNG_DR_AT) ^ mp_hal_ticks_cpu();
    }
    if (p11crypto_random((uint8_t *)&word, sizeof(word)) != 0) {
        mp_raise_OSError(MP_EIO);
    }
    return word;
}

uint32_t __wrap_rng_get(void) {
    return random_word();
}

uint32_t __wrap_mp_hal_get_hw_random_u32(void) {
    return random_word();
}
