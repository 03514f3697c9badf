// SPDX-License-Identifier: MIT
// Flash of STM32L4 (RM0351), STM32G4 (RM0440) and STM32WB (RM0434): pages, 64-bit units with error
// correction that may be programmed once (and to zero again), one controller with small
// differences. A unit with two wrong bits raises the NMI when it is read.
//
// MicroPython's NMI handler returns without clearing the flag, so such a read would never end.
// Reads here run, with interrupts off, on a vector table of their own whose NMI entry clears it.
#include "stm32.h"

#if defined(STM32_FAMILY_WB)
#define FLASH 0x58004000u
#define PAGE 0x1000u
#define BANK_PAGES 256u // one bank
#elif defined(STM32_FAMILY_G4)
#define FLASH 0x40022000u
#define PAGE 0x800u
#define BANK_PAGES 128u
#else
#define FLASH 0x40022000u
#define PAGE 0x800u
#define BANK_PAGES 256u
#endif

#define ACR (FLASH + 0x00)
#define ACR_DCEN (1u << 10)
#define ACR_DCRST (1u << 12)
#define KEYR (FLASH + 0x08)
#define SR (FLASH + 0x10)
#define SR_EOP (1u << 0)
#define SR_ERRORS 0xc3fau // OPERR, PROGERR … FASTERR, RDERR, OPTVERR
#define SR_BSY (1u << 16)
#define SR_CFGBSY (1u << 18) // WB: a program or erase has still to be configured
#define CR (FLASH + 0x14)
#define CR_PG (1u << 0)
#define CR_PER (1u << 1)
#define CR_PNB_SHIFT 3
#define CR_BKER (1u << 11)
#define CR_MODE (0xfffu | 1u << 15 | 1u << 18) // PG, PER, MER1, PNB, BKER, MER2, FSTPG
#define CR_STRT (1u << 16)
#define CR_LOCK (1u << 31)
#define ECCR (FLASH + 0x18)
#define ECCR_IE (1u << 24)
#define ECCR_CORRECTED (1u << 30)
#define ECCR_DETECTED (1u << 31)
#define OPTR (FLASH + 0x20)
#define OPTR_DBANK (1u << 22) // G4
#define MEMRMP 0x40010000u    // L4, G4
#define MEMRMP_FB_MODE (1u << 8)
#define VTOR 0xe000ed08u
#define KEY1 0x45670123u
#define KEY2 0xcdef89abu

const uint32_t stm32_unit = 8;
const uint32_t stm32_id_register = 0xe0042000;
const uint32_t stm32_kib_register = 0x1fff75e0;

#ifdef STM32_FAMILY_WB
#include "stm32_wb.h" // the radio processor shares the flash
#else
static inline int share(void) {
    return RAWFLASH_OK;
}
static inline void unshare(void) {
}
static inline int share_erase(void) {
    return RAWFLASH_OK;
}
static inline void unshare_erase(void) {
}
static inline int share_word(void) {
    return RAWFLASH_OK;
}
static inline void unshare_word(void) {
}
#endif

bool stm32_erase_unit(uint32_t address, uint32_t *start, uint32_t *size) {
#ifdef STM32_FAMILY_G4
    if ((reg_read(OPTR) & OPTR_DBANK) == 0) {
        return false; // one bank of 4 KiB pages: another layout than the board's
    }
#endif
    *start = address - address % PAGE;
    *size = PAGE;
    return address >= STM32_FLASH && address - STM32_FLASH < 2 * BANK_PAGES * PAGE;
}

static int wait_ready(void) {
    for (uint32_t polls = 0; polls < STM32_POLLS_MAX; polls++) {
        uint32_t seen = reg_read(SR);
        if ((seen & (SR_BSY | SR_CFGBSY)) == 0) {
            return (seen & SR_ERRORS) == 0 ? RAWFLASH_OK : RAWFLASH_VERIFY;
        }
    }
    return RAWFLASH_TIMEOUT;
}

static void data_cache(bool on) {
    uint32_t off = reg_read(ACR) & ~ACR_DCEN;
    reg_write(ACR, off);
    reg_write(ACR, off | ACR_DCRST);
    reg_write(ACR, off);
    reg_write(ACR, on ? off | ACR_DCEN : off);
}

static int begin(void) {
    int status = share();
    if (status != RAWFLASH_OK) {
        return status;
    }
    if (wait_ready() == RAWFLASH_TIMEOUT) {
        return RAWFLASH_TIMEOUT;
    }
    if ((reg_read(CR) & CR_LOCK) != 0) {
        reg_write(KEYR, KEY1);
        reg_write(KEYR, KEY2);
    }
    reg_write(SR, SR_EOP | SR_ERRORS); // a flag left over would refuse the next command
    return (reg_read(CR) & CR_LOCK) == 0 ? RAWFLASH_OK : RAWFLASH_READ_ONLY;
}

static void end(bool cached) {
    reg_modify(CR, CR_MODE, CR_LOCK);
    data_cache(cached);
    cpu_barrier();
    unshare();
}

int stm32_erase(uint32_t address) {
    uint32_t page = (address - STM32_FLASH) / PAGE;
    uint32_t mode = CR_PER | (page % BANK_PAGES) << CR_PNB_SHIFT;
#ifndef STM32_FAMILY_WB
    bool second = page >= BANK_PAGES;
    bool swapped = (reg_read(MEMRMP) & MEMRMP_FB_MODE) != 0;
    mode |= second != swapped ? CR_BKER : 0;
#endif
    bool cached = (reg_read(ACR) & ACR_DCEN) != 0;
    int status = begin();
    if (status == RAWFLASH_OK) {
        status = share_erase();
    }
    if (status == RAWFLASH_OK) {
        reg_modify(CR, CR_MODE, mode);
        reg_modify(CR, 0, CR_STRT);
        cpu_barrier();
        status = wait_ready();
        unshare_erase();
    }
    end(cached);
    return status;
}

int stm32_program(uint32_t address, const uint8_t *data, size_t len) {
    bool cached = (reg_read(ACR) & ACR_DCEN) != 0;
    int status = begin();
    if (status == RAWFLASH_OK) {
        data_cache(false); // not to be trusted while the cells below it change
    }
    for (size_t done = 0; status == RAWFLASH_OK && done < len; done += 8) {
        status = share_word();
        if (status == RAWFLASH_OK) {
            reg_modify(CR, CR_MODE, CR_PG);
            bus_write32(address + (uint32_t)done, stm32_load32(data + done));
            cpu_barrier();
            bus_write32(address + (uint32_t)done + 4, stm32_load32(data + done + 4));
            cpu_barrier();
            status = wait_ready();
            reg_modify(CR, CR_MODE, 0);
            unshare_word();
        }
    }
    end(cached);
    return status;
}

// --- reading -------------------------------------------------------------------------------

static volatile bool detected;
static uint32_t vectors[32] __attribute__((aligned(128)));
static void (*other_nmi)(void);

// The NMI while a unit is read. It may also come from the clock or the RAM: not ours.
static void nmi(void) {
    uint32_t eccr = reg_read(ECCR);
    if ((eccr & ECCR_DETECTED) != 0) {
        detected = true;
        reg_write(ECCR, (eccr & ECCR_IE) | ECCR_DETECTED);
    } else {
        other_nmi();
    }
}

#ifdef RAWFLASH_MODEL
void stm32_model_nmi(void) {
    nmi();
}
#endif

int stm32_read_unit(uint32_t address, uint8_t *out) {
    uint32_t before = cpu_mask();
    uint32_t table = reg_read(VTOR);
    for (uint32_t i = 0; i < 16; i++) {
        vectors[i] = reg_read(table + 4 * i);
    }
    other_nmi = (void (*)(void))(uintptr_t)vectors[2];
    vectors[2] = (uint32_t)(uintptr_t)nmi;
    reg_write(VTOR, (uint32_t)(uintptr_t)vectors);

    bool cached = (reg_read(ACR) & ACR_DCEN) != 0;
    data_cache(false);
    reg_modify(ECCR, 0, ECCR_CORRECTED | ECCR_DETECTED); // both are cleared by writing one
    detected = false;
    cpu_barrier();
    uint32_t low = bus_read32(address);
    uint32_t high = bus_read32(address + 4);
    cpu_barrier();
    uint32_t eccr = reg_read(ECCR);
    int status = detected || (eccr & ECCR_DETECTED) != 0 ? RAWFLASH_FAULTED
                 : (eccr & ECCR_CORRECTED) != 0          ? RAWFLASH_CORRECTED
                                                         : RAWFLASH_OK;
    reg_modify(ECCR, 0, ECCR_CORRECTED | ECCR_DETECTED);
    data_cache(cached);

    reg_write(VTOR, table);
    cpu_barrier();
    cpu_unmask(before);
    stm32_store32(out, low);
    stm32_store32(out + 4, high);
    return status;
}
