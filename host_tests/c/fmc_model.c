// SPDX-License-Identifier: MIT
#include "fmc_model.h"

#include <string.h>

fmc_model_t fmc_model;
uint8_t fmc_memory[MODEL_BYTES];
uint32_t p11_boot_note;

static uint32_t conf;
static bool four_bytes = true;
static bool write_enabled;
static uint32_t busy;

// The command in progress.
static uint8_t code;
static uint32_t bytes; // clocked since selection, command included
static uint32_t address;
static uint8_t page[256];
static bool page_set[256];

#define CONTROL_AT_BOOT 0x40000200u

void fmc_model_reset(void) {
    memset(&fmc_model, 0, sizeof(fmc_model));
    memset(fmc_memory, 0xff, sizeof(fmc_memory));
    p11_boot_note = 0x50313140u;
    fmc_model.id = 0xef4019;
    fmc_model.busy_polls = 3;
    fmc_model.control = CONTROL_AT_BOOT;
    conf = 0;
    write_enabled = false;
    busy = 0;
}

static void violation(bool wrong) {
    fmc_model.violations += wrong;
}

static void end_of_command(void) {
    uint32_t address_bytes = four_bytes ? 4 : 3;
    if (code == 0x06 && bytes == 1) {
        write_enabled = !fmc_model.ignores_write_enable;
    } else if (code == 0xe9 && bytes == 1) {
        four_bytes = false;
    } else if (code == 0x02 && bytes > 1 + address_bytes) {
        violation(!write_enabled);
        for (uint32_t i = 0; write_enabled && i < 256; i++) {
            uint32_t at = (address & ~0xffu) + i;
            if (page_set[i] && !fmc_model.ignores_program && at < MODEL_BYTES) {
                uint8_t keep = at == fmc_model.weak_address && at != 0 ? 1 : 0;
                fmc_memory[at] &= page[i] | keep;
            }
        }
        fmc_model.programs++;
        write_enabled = false;
        busy = fmc_model.busy_polls;
    } else if (code == 0x20 && bytes == 1 + address_bytes) {
        violation(!write_enabled);
        uint32_t sector = address & ~0xfffu;
        if (write_enabled && !fmc_model.ignores_erase && sector < MODEL_BYTES) {
            memset(fmc_memory + sector, 0xff, 0x1000);
            if (fmc_model.weak_address != 0 && fmc_model.weak_address - sector < 0x1000) {
                fmc_memory[fmc_model.weak_address] = 0xfe;
            }
        }
        fmc_model.erases++;
        write_enabled = false;
        busy = fmc_model.busy_polls;
    }
}

static void clock_in(uint8_t byte) {
    uint32_t address_bytes = four_bytes ? 4 : 3;
    violation((conf & (1u << 16)) == 0);
    if (bytes == 0) {
        code = byte;
        address = 0;
        memset(page_set, 0, sizeof(page_set));
        violation(busy > 0 && code != 0x05);
    } else if (bytes <= address_bytes) {
        address = address << 8 | byte;
    } else if (code == 0x02) {
        uint32_t place = (address + bytes - 1 - address_bytes) & 0xff;
        violation(page_set[place] || place < (address & 0xff)); // wrapped inside the page
        page[place] = byte;
        page_set[place] = true;
    }
    bytes++;
}

static uint8_t clock_out(void) {
    uint32_t address_bytes = four_bytes ? 4 : 3;
    uint8_t out = 0xff;
    if (code == 0x05) {
        out = (uint8_t)((busy > 0 || fmc_model.stays_busy ? 1 : 0) | (write_enabled ? 2 : 0));
        busy -= busy > 0;
    } else if (code == 0x9f && bytes >= 1 && bytes <= 3) {
        out = (uint8_t)(fmc_model.id >> (24 - 8 * bytes));
    } else if (code == 0x03 && bytes > address_bytes) {
        uint32_t at = address + bytes - 1 - address_bytes;
        violation(at >= MODEL_BYTES);
        out = at < MODEL_BYTES ? fmc_memory[at] : 0;
    } else {
        violation(true);
    }
    bytes++;
    return out;
}

static void check_window(void) {
    violation(!fmc_model.selected || (fmc_model.control & 3) != 3 || fmc_model.control >> 28 != 0);
}

uint32_t reg_read(uint32_t where) {
    return where == 0x7e620000u ? conf : fmc_model.control;
}

void reg_write(uint32_t where, uint32_t value) {
    if (where == 0x7e620000u) {
        conf = value;
        return;
    }
    bool select = (value & 3) == 3 && (value & 4) == 0;
    if (fmc_model.selected && !select) {
        end_of_command();
    } else if (!fmc_model.selected && select) {
        bytes = 0;
    }
    fmc_model.selected = select;
    fmc_model.control = value;
}

uint8_t bus_read(void) {
    check_window();
    return clock_out();
}

uint32_t bus_read32(void) {
    uint32_t word = 0;
    for (int i = 0; i < 4; i++) {
        word |= (uint32_t)bus_read() << 8 * i;
    }
    return word;
}

void bus_write(uint8_t byte) {
    check_window();
    clock_in(byte);
}
