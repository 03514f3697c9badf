// SPDX-License-Identifier: MIT
// Flash of STM32F4 (RM0090 chapter 3): sectors of 16, 64 and 128 KiB, 32-bit programming at
// 2.7 to 3.6 V, no error correction, so a torn cell is plain garbage and a read never faults.
#include "stm32.h"

#define FLASH 0x40023c00u
#define ACR (FLASH + 0x00)
#define ACR_DCEN (1u << 10)
#define ACR_DCRST (1u << 12)
#define KEYR (FLASH + 0x04)
#define SR (FLASH + 0x0c)
#define SR_EOP (1u << 0)
#define SR_ERRORS (1u << 1 | 0x1fu << 4) // OPERR, WRPERR, PGAERR, PGPERR, PGSERR, RDERR
#define SR_BSY (1u << 16)
#define CR (FLASH + 0x10)
#define CR_PG (1u << 0)
#define CR_SER (1u << 1)
#define CR_SNB_SHIFT 3
#define CR_PSIZE_32 (2u << 8)
#define CR_MODE (0x7fffu | 1u << 15) // all of PG, SER, MER, SNB, PSIZE, MER1
#define CR_STRT (1u << 16)
#define CR_LOCK (1u << 31)
#define KEY1 0x45670123u
#define KEY2 0xcdef89abu

// Without error correction half a unit may be cleared later; eight bytes are what the store wants.
const uint32_t stm32_unit = 8;
const uint32_t stm32_id_register = 0xe0042000;
const uint32_t stm32_kib_register = 0x1fff7a22;

// Each bank of 1 MiB has the same sectors: 4 of 16 KiB, 1 of 64 KiB, 7 of 128 KiB.
#define BANK 0x100000u
#define SECTORS 12

static uint32_t sector_size(uint32_t sector) {
    return sector < 4 ? 0x4000 : sector == 4 ? 0x10000
                                             : 0x20000;
}

// Number of the sector as CR_SNB wants it: the second bank starts at 16.
static bool find(uint32_t address, uint32_t *start, uint32_t *size, uint32_t *number) {
    uint32_t bank = (address - STM32_FLASH) / BANK;
    if (address < STM32_FLASH || bank > 1) {
        return false;
    }
    *start = STM32_FLASH + bank * BANK;
    for (uint32_t sector = 0; sector < SECTORS; sector++) {
        *size = sector_size(sector);
        *number = bank * 16 + sector;
        if (address - *start < *size) {
            return true;
        }
        *start += *size;
    }
    return false;
}

bool stm32_erase_unit(uint32_t address, uint32_t *start, uint32_t *size) {
    uint32_t number;
    return find(address, start, size, &number);
}

static int wait_ready(void) {
    for (uint32_t polls = 0; polls < STM32_POLLS_MAX; polls++) {
        uint32_t seen = reg_read(SR);
        if ((seen & SR_BSY) == 0) {
            return (seen & SR_ERRORS) == 0 ? RAWFLASH_OK : RAWFLASH_VERIFY;
        }
    }
    return RAWFLASH_TIMEOUT;
}

static int begin(void) {
    if (wait_ready() == RAWFLASH_TIMEOUT) {
        return RAWFLASH_TIMEOUT;
    }
    if ((reg_read(CR) & CR_LOCK) != 0) {
        reg_write(KEYR, KEY1);
        reg_write(KEYR, KEY2);
    }
    reg_write(SR, SR_EOP | SR_ERRORS);
    return (reg_read(CR) & CR_LOCK) == 0 ? RAWFLASH_OK : RAWFLASH_READ_ONLY;
}

// Locks, and empties the data cache of the flash interface: the next read sees the cells.
static void end(void) {
    reg_modify(CR, CR_MODE, CR_LOCK);
    uint32_t before = reg_read(ACR);
    reg_write(ACR, before & ~ACR_DCEN);
    reg_write(ACR, (before & ~ACR_DCEN) | ACR_DCRST);
    reg_write(ACR, before & ~ACR_DCEN);
    reg_write(ACR, before);
    cpu_barrier();
}

int stm32_erase(uint32_t address) {
    uint32_t start;
    uint32_t size;
    uint32_t number;
    if (!find(address, &start, &size, &number)) {
        return RAWFLASH_RANGE;
    }
    int status = begin();
    if (status == RAWFLASH_OK) {
        uint32_t mode = CR_SER | number << CR_SNB_SHIFT | CR_PSIZE_32;
        reg_modify(CR, CR_MODE, mode);
        reg_modify(CR, 0, CR_STRT);
        cpu_barrier();
        status = wait_ready();
    }
    end();
    return status;
}

int stm32_program(uint32_t address, const uint8_t *data, size_t len) {
    int status = begin();
    if (status == RAWFLASH_OK) {
        reg_modify(CR, CR_MODE, CR_PG | CR_PSIZE_32);
    }
    for (size_t done = 0; status == RAWFLASH_OK && done < len; done += 4) {
        bus_write32(address + (uint32_t)done, stm32_load32(data + done));
        cpu_barrier();
        status = wait_ready();
    }
    end();
    return status;
}

int stm32_read_unit(uint32_t address, uint8_t *out) {
    for (uint32_t i = 0; i < stm32_unit; i += 4) {
        stm32_store32(out + i, bus_read32(address + i));
    }
    return RAWFLASH_OK;
}
