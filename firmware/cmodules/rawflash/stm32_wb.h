// SPDX-License-Identifier: MIT
// Sharing the flash with the radio processor of an STM32WB (AN5289): semaphore 2 guards the
// controller's registers, semaphore 7 is held by whoever keeps the radio processor's code running,
// and before an erase that processor is told to leave room between its radio events.
#ifndef STM32_WB_H
#define STM32_WB_H

// MicroPython's way to tell the radio processor (ports/stm32/rfcore.c).
void rfcore_start_flash_erase(void);
void rfcore_end_flash_erase(void);

#define HSEM 0x58001400u
#define HSEM_LOCKED_BY_CPU1 0x80000400u
#define HSEM_CPU1 0x00000400u
#define HSEM_REGISTERS 2u
#define HSEM_RADIO_RUNS 7u
#define SR_SUSPENDED (1u << 19) // PESD: the radio processor forbids program and erase

static int take(uint32_t semaphore) {
    for (uint32_t polls = 0; polls < STM32_POLLS_MAX; polls++) {
        if (reg_read(HSEM + 0x80 + 4 * semaphore) == HSEM_LOCKED_BY_CPU1) {
            return RAWFLASH_OK;
        }
    }
    return RAWFLASH_TIMEOUT;
}

// Has no effect on a semaphore that somebody else holds.
static void give(uint32_t semaphore) {
    reg_write(HSEM + 4 * semaphore, HSEM_CPU1);
}

static int allowed(void) {
    for (uint32_t polls = 0; polls < STM32_POLLS_MAX; polls++) {
        if ((reg_read(SR) & SR_SUSPENDED) == 0) {
            return RAWFLASH_OK;
        }
    }
    return RAWFLASH_TIMEOUT;
}

static int share(void) {
    return take(HSEM_REGISTERS);
}

static void unshare(void) {
    give(HSEM_REGISTERS);
}

static int share_word(void) {
    int status = allowed();
    return status == RAWFLASH_OK ? take(HSEM_RADIO_RUNS) : status;
}

static void unshare_word(void) {
    give(HSEM_RADIO_RUNS);
}

static void unshare_erase(void) {
    give(HSEM_RADIO_RUNS);
    rfcore_end_flash_erase();
}

static int share_erase(void) {
    rfcore_start_flash_erase();
    int status = share_word();
    if (status != RAWFLASH_OK) {
        unshare_erase();
    }
    return status;
}

#endif
