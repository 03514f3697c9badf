// SPDX-License-Identifier: MIT
// Flash of STM32H742/743/753 (RM0433 chapter 4): two banks of eight 128 KiB sectors, 256-bit units
// with error correction, programmed once. The controller does not refuse a second program: it
// leaves a unit whose correction is wrong. Reading a unit with two wrong bits is a bus fault.
#include "stm32.h"

#define FLASH 0x52002000u
#define BANK 0x100000u
#define SECTOR 0x20000u
#define BANK_REGISTERS 0x100u
#define KEYR (FLASH + 0x04) // these five exist once per bank
#define CR (FLASH + 0x0c)
#define CR_LOCK (1u << 0)
#define CR_PG (1u << 1)
#define CR_SER (1u << 2)
#define CR_PSIZE_32 (2u << 4)
#define CR_START (1u << 7)
#define CR_SNB_SHIFT 8
#define CR_MODE (0x7feu) // PG, SER, BER, PSIZE, FW, START, SNB
#define SR (FLASH + 0x10)
#define SR_BUSY (1u << 0 | 1u << 2) // BSY, QW
#define SR_ERRORS 0x01ee0000u       // WRPERR, PGSERR, STRBERR, INCERR, OPERR, RDPERR, RDSERR
#define SR_CORRECTED (1u << 25)
#define SR_DETECTED (1u << 26)
#define SR_EOP (1u << 16)
#define CCR (FLASH + 0x14)
#define OPTCR (FLASH + 0x18)
#define OPTCR_SWAP (1u << 31)
#define KEY1 0x45670123u
#define KEY2 0xcdef89abu

// Cortex-M7.
#define SCB_CCR 0xe000ed14u
#define SCB_CCR_BFHFNMIGN (1u << 8)
#define SCB_CFSR 0xe000ed28u
#define SCB_CFSR_BUS 0x0000ff00u
#define SCB_DCIMVAC 0xe000ef5cu
#define CACHE_LINE 32u

const uint32_t stm32_unit = 32;
const uint32_t stm32_id_register = 0x5c001000;
const uint32_t stm32_kib_register = 0x1ff1e880;

bool stm32_erase_unit(uint32_t address, uint32_t *start, uint32_t *size) {
    *start = address - address % SECTOR;
    *size = SECTOR;
    return address >= STM32_FLASH && address - STM32_FLASH < 2 * BANK;
}

// Distance from bank 1's registers to those of the bank that answers at address.
static uint32_t bank_of(uint32_t address) {
    bool second = address - STM32_FLASH >= BANK;
    bool swapped = (reg_read(OPTCR) & OPTCR_SWAP) != 0;
    return second != swapped ? BANK_REGISTERS : 0;
}

static int wait_ready(uint32_t bank) {
    for (uint32_t polls = 0; polls < STM32_POLLS_MAX; polls++) {
        uint32_t seen = reg_read(SR + bank);
        if ((seen & SR_BUSY) == 0) {
            return (seen & SR_ERRORS) == 0 ? RAWFLASH_OK : RAWFLASH_VERIFY;
        }
    }
    return RAWFLASH_TIMEOUT;
}

static int begin(uint32_t bank) {
    if (wait_ready(bank) == RAWFLASH_TIMEOUT) {
        return RAWFLASH_TIMEOUT;
    }
    if ((reg_read(CR + bank) & CR_LOCK) != 0) {
        reg_write(KEYR + bank, KEY1);
        reg_write(KEYR + bank, KEY2);
    }
    reg_write(CCR + bank, SR_EOP | SR_ERRORS);
    return (reg_read(CR + bank) & CR_LOCK) == 0 ? RAWFLASH_OK : RAWFLASH_READ_ONLY;
}

// Locks, and drops from the data cache what it holds of the cells.
static void end(uint32_t bank, uint32_t address, size_t len) {
    reg_modify(CR + bank, CR_MODE, CR_LOCK);
    cpu_barrier();
    for (size_t done = 0; done < len; done += CACHE_LINE) {
        reg_write(SCB_DCIMVAC, address + (uint32_t)done);
    }
    cpu_barrier();
}

int stm32_erase(uint32_t address) {
    uint32_t bank = bank_of(address);
    uint32_t sector = (address - STM32_FLASH) % BANK / SECTOR;
    int status = begin(bank);
    if (status == RAWFLASH_OK) {
        reg_modify(CR + bank, CR_MODE, CR_SER | CR_PSIZE_32 | sector << CR_SNB_SHIFT);
        reg_modify(CR + bank, 0, CR_START);
        cpu_barrier();
        status = wait_ready(bank);
    }
    end(bank, address, SECTOR);
    return status;
}

int stm32_program(uint32_t address, const uint8_t *data, size_t len) {
    uint32_t bank = bank_of(address);
    int status = begin(bank);
    if (status == RAWFLASH_OK) {
        reg_modify(CR + bank, CR_MODE, CR_PG | CR_PSIZE_32);
    }
    for (size_t done = 0; status == RAWFLASH_OK && done < len; done += 32) {
        uint32_t before = cpu_mask(); // nothing may come between the eight words
        cpu_barrier();
        for (uint32_t i = 0; i < 32; i += 4) {
            bus_write32(address + (uint32_t)done + i, stm32_load32(data + done + i));
        }
        cpu_barrier();
        cpu_unmask(before);
        status = wait_ready(bank);
    }
    end(bank, address, len);
    return status;
}

int stm32_read_unit(uint32_t address, uint8_t *out) {
    uint32_t bank = bank_of(address);
    uint32_t before = cpu_mask();
    cpu_mask_faults(true);
    uint32_t control = reg_read(SCB_CCR);
    reg_write(SCB_CCR, control | SCB_CCR_BFHFNMIGN);
    reg_write(CCR + bank, SR_CORRECTED | SR_DETECTED);
    cpu_barrier();
    for (uint32_t i = 0; i < 32; i += 4) {
        stm32_store32(out + i, bus_read32(address + i));
    }
    cpu_barrier();
    uint32_t seen = reg_read(SR + bank);
    reg_write(CCR + bank, SR_CORRECTED | SR_DETECTED);
    reg_write(SCB_CFSR, SCB_CFSR_BUS); // the fault that was ignored must not be blamed later
    reg_write(SCB_CCR, control);
    cpu_barrier();
    cpu_mask_faults(false);
    cpu_unmask(before);
    return (seen & SR_DETECTED) != 0    ? RAWFLASH_FAULTED
           : (seen & SR_CORRECTED) != 0 ? RAWFLASH_CORRECTED
                                        : RAWFLASH_OK;
}
