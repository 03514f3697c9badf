// SPDX-License-Identifier: MIT
// The random number generator of an STM32, read with its flags.
//
// A word counts when the generator said it is ready, no error flag stood before or after it was
// read, it is not zero (the value that goes with an error) and it differs from the word before. On
// anything else the generator is restarted, its pipeline discarded, and the whole request begun
// anew; after three restarts the request fails. Zeros are never handed out as random.
#include "p11crypto.h"
#include "stm32_bus.h"
#include "stm32_chip.h"

// A word takes about a microsecond. A poll takes no less than 10 ns.
#define POLLS_MAX 100000u
#define RESTARTS_MAX 3
#define PIPELINE 12 // words in the generator when an error strikes (RM0433, RM0440)

static uint32_t last; // previous word; 0: the generator has not been started by us

static bool next(uint32_t *word) {
    for (uint32_t polls = 0; polls < POLLS_MAX; polls++) {
        uint32_t status = reg_read(RNG_SR_AT);
        if ((status & RNG_SR_ERRORS) != 0) {
            return false;
        }
        if ((status & RNG_SR_READY) != 0) {
            *word = reg_read(RNG_DR_AT);
            bool good = *word != 0 && *word != last && (reg_read(RNG_SR_AT) & RNG_SR_ERRORS) == 0;
            last = *word;
            return good;
        }
    }
    return false;
}

static bool clock_on(void) {
#ifdef RNG_SOURCE_AT
    reg_modify(RCC_CR_AT, 0, RCC_CR_HSI48_ON);
    uint32_t polls = 0;
    while ((reg_read(RCC_CR_AT) & RCC_CR_HSI48_READY) == 0) {
        if (++polls == POLLS_MAX) {
            return false;
        }
    }
    reg_modify(RNG_SOURCE_AT, RNG_SOURCE_MASK, 0);
#endif
    reg_modify(RNG_CLOCK_AT, 0, RNG_CLOCK_BIT);
    return (reg_read(RNG_CLOCK_AT) & RNG_CLOCK_BIT) != 0;
}

static bool restart(void) {
    last = 0;
    if (!clock_on()) {
        return false;
    }
    reg_modify(RNG_CR_AT, RNG_CR_ENABLE, 0);
    reg_write(RNG_SR_AT, 0);
    reg_modify(RNG_CR_AT, 0, RNG_CR_ENABLE);
    bool good = true;
    for (int i = 0; good && i <= PIPELINE; i++) {
        uint32_t discarded;
        good = next(&discarded);
    }
    return good;
}

static bool fill(uint8_t *out, size_t len) {
    for (size_t done = 0; done < len;) {
        uint32_t word;
        if (!next(&word)) {
            return false;
        }
        for (int i = 0; i < 4 && done < len; i++) {
            out[done++] = (uint8_t)(word >> (8 * i));
        }
    }
    return true;
}

static bool take(void) {
#ifdef RNG_SEMAPHORE_AT
    uint32_t polls = 0;
    while (reg_read(RNG_SEMAPHORE_AT) != 0x80000400u) { // locked by this processor
        if (++polls == POLLS_MAX) {
            return false;
        }
    }
#endif
    return true;
}

static void give(void) {
#ifdef RNG_SEMAPHORE_AT
    reg_write(RNG_SEMAPHORE_RELEASE_AT, 0x00000400u);
#endif
}

bool p11_chip_entropy(uint8_t *out, size_t len) {
    if (!take()) {
        p11_wipe(out, len);
        return false;
    }
    bool running = last != 0 && (reg_read(RNG_CR_AT) & RNG_CR_ENABLE) != 0;
    bool good = running && fill(out, len);
    for (int i = 0; !good && i < RESTARTS_MAX; i++) {
        good = restart() && fill(out, len);
    }
    give();
    if (!good) {
        last = 0;
        p11_wipe(out, len);
    }
    return good;
}
