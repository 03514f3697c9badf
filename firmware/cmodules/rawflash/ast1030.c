// SPDX-License-Identifier: MIT
// SPI NOR chip on chip select 0 of the AST1030's flash controller (FMC), in user mode: bytes
// written to the window go out on the bus, reading the window clocks bytes in.
//
// The code runs from SRAM, so the window may be unreadable meanwhile. Between select and release
// no interrupt handler may use the controller; none does.
#include "flash_map.h"
#include "rawflash.h"

#ifdef RAWFLASH_MODEL
#include "fmc_model.h" // the host tests' registers
#else
#define WINDOW 0x80000000u
static inline uint32_t reg_read(uint32_t address) {
    return *(volatile uint32_t *)address;
}
static inline void reg_write(uint32_t address, uint32_t value) {
    *(volatile uint32_t *)address = value;
}
static inline uint8_t bus_read(void) {
    return *(volatile uint8_t *)WINDOW;
}
// Four bytes of the bus in one access, the first one lowest.
static inline uint32_t bus_read32(void) {
    return *(volatile uint32_t *)WINDOW;
}
static inline void bus_write(uint8_t byte) {
    *(volatile uint8_t *)WINDOW = byte;
}
#endif

#define FMC_CONF 0x7e620000u
#define CONF_WRITE_CE0 (1u << 16)
#define FMC_CE0_CTRL 0x7e620010u
#define CTRL_USER_MODE 3u
#define CTRL_RELEASE (1u << 2)
#define CTRL_IO_MODE (0xfu << 28) // 0: one data line

// JEDEC commands.
#define CMD_PAGE_PROGRAM 0x02
#define CMD_READ 0x03
#define CMD_READ_STATUS 0x05
#define CMD_WRITE_ENABLE 0x06
#define CMD_SECTOR_ERASE 0x20
#define CMD_READ_ID 0x9f
#define CMD_THREE_BYTE_ADDRESS 0xe9
#define STATUS_BUSY 0x01
#define STATUS_WRITABLE 0x02

// A poll clocks two bytes, no less than 0.3 us at the bus's 50 MHz: 4 M polls outlast the 400 ms of
// the slowest sector erase several times over, without a clock that must be running.
#define POLLS_MAX 4000000u

_Static_assert(FLASH_KEYS_BASE + FLASH_KEYS_SIZE <= 0x1000000, "three address bytes");
_Static_assert(FLASH_FS_BASE + FLASH_FS_SIZE <= 0x1000000, "three address bytes");
_Static_assert(FLASH_ID_BASE + FLASH_ID_SIZE <= 0x1000000, "three address bytes");

const rawflash_region_t rawflash_regions[] = {
    { "keys", FLASH_KEYS_BASE, FLASH_KEYS_SIZE, true },
    { "app", FLASH_APP_BASE, FLASH_APP_SIZE, true },
    { "app2", FLASH_APP2_BASE, FLASH_APP2_SIZE, true },
    { "fs", FLASH_FS_BASE, FLASH_FS_SIZE, true },
    { "id", FLASH_ID_BASE, FLASH_ID_SIZE, false },
};
const size_t rawflash_region_count = sizeof(rawflash_regions) / sizeof(rawflash_regions[0]);

extern uint32_t p11_boot_note; // of the port: the loader's mark, and in bit 0 the slot that runs
#define BOOT_NOTE 0x50313140u

// When it is not known which slot runs, neither may be written.
bool rawflash_chip_runs(const rawflash_region_t *region) {
    if (region->base != FLASH_APP_BASE && region->base != FLASH_APP2_BASE) {
        return false;
    }
    bool known = (p11_boot_note & ~1u) == BOOT_NOTE;
    return !known || (region->base == FLASH_APP2_BASE) == (p11_boot_note & 1u);
}

static uint32_t select(void) {
    uint32_t before = reg_read(FMC_CE0_CTRL);
    uint32_t user = (before & ~(CTRL_IO_MODE | CTRL_RELEASE)) | CTRL_USER_MODE;
    reg_write(FMC_CONF, reg_read(FMC_CONF) | CONF_WRITE_CE0);
    reg_write(FMC_CE0_CTRL, user | CTRL_RELEASE);
    reg_write(FMC_CE0_CTRL, user);
    return before;
}

static void release(uint32_t before) {
    uint32_t user = (before & ~CTRL_IO_MODE) | CTRL_USER_MODE;
    reg_write(FMC_CE0_CTRL, user | CTRL_RELEASE);
    reg_write(FMC_CE0_CTRL, before);
}

static void send_address(uint8_t command, uint32_t address) {
    bus_write(command);
    bus_write((uint8_t)(address >> 16));
    bus_write((uint8_t)(address >> 8));
    bus_write((uint8_t)address);
}

static void command(uint8_t code) {
    uint32_t before = select();
    bus_write(code);
    release(before);
}

static uint8_t status(void) {
    uint32_t before = select();
    bus_write(CMD_READ_STATUS);
    uint8_t value = bus_read();
    release(before);
    return value;
}

static int wait_ready(void) {
    for (uint32_t polls = 0; polls < POLLS_MAX; polls++) {
        if ((status() & STATUS_BUSY) == 0) {
            return RAWFLASH_OK;
        }
    }
    return RAWFLASH_TIMEOUT;
}

static int write_enable(void) {
    int result = wait_ready();
    if (result == RAWFLASH_OK) {
        command(CMD_WRITE_ENABLE);
        if ((status() & STATUS_WRITABLE) == 0) {
            result = RAWFLASH_VERIFY;
        }
    }
    return result;
}

int rawflash_chip_info(rawflash_chip_t *out) {
    int result = wait_ready(); // an erase may still run when the processor was reset alone
    if (result != RAWFLASH_OK) {
        return result;
    }
    command(CMD_THREE_BYTE_ADDRESS);
    uint32_t before = select();
    bus_write(CMD_READ_ID);
    uint32_t id = (uint32_t)bus_read() << 16;
    id |= (uint32_t)bus_read() << 8;
    id |= bus_read();
    release(before);
    uint32_t capacity = id & 0xff; // the exponent of two, on every chip this board takes
    if (capacity < 16 || capacity > 30) {
        return RAWFLASH_NO_CHIP;
    }
    *out = (rawflash_chip_t){
        .id = id,
        .size = 1u << capacity,
        .erase = FLASH_SECTOR_SIZE,
        .page = FLASH_PAGE_SIZE,
        .unit = 1,
    };
    return RAWFLASH_OK;
}

int rawflash_chip_read(uint32_t address, uint8_t *buf, size_t len) {
    uint32_t before = select();
    send_address(CMD_READ, address);
    size_t i = 0;
    for (; i + 4 <= len; i += 4) {
        uint32_t word = bus_read32();
        buf[i] = (uint8_t)word;
        buf[i + 1] = (uint8_t)(word >> 8);
        buf[i + 2] = (uint8_t)(word >> 16);
        buf[i + 3] = (uint8_t)(word >> 24);
    }
    for (; i < len; i++) {
        buf[i] = bus_read();
    }
    release(before);
    return RAWFLASH_OK;
}

int rawflash_chip_program(uint32_t address, const uint8_t *buf, size_t len) {
    int result = write_enable();
    if (result != RAWFLASH_OK) {
        return result;
    }
    uint32_t before = select();
    send_address(CMD_PAGE_PROGRAM, address);
    for (size_t i = 0; i < len; i++) {
        bus_write(buf[i]);
    }
    release(before);
    return wait_ready();
}

int rawflash_chip_erase(uint32_t address) {
    int result = write_enable();
    if (result != RAWFLASH_OK) {
        return result;
    }
    uint32_t before = select();
    send_address(CMD_SECTOR_ERASE, address);
    release(before);
    return wait_ready();
}
