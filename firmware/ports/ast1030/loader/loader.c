// SPDX-License-Identifier: MIT
// From reset to the application: read its image from the SPI flash, check it, start it.
//
// There are two slots. The image with the higher sequence is tried first, the other one when it is
// not whole: an update writes the slot that does not run, and its header last.
//
// Image (little endian): "P11A", header version, payload length, load address, vector table
// address, sequence, 24 bytes of version text, 3 reserved words, CRC-32 of those 60 bytes,
// SHA-256 of the payload, zeros up to 128, payload. The hash finds damage; it is not a signature.
//
// The payload is copied first and hashed in SRAM, so that what was checked is what runs.

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ast1030.h"
#include "flash_map.h"
#include "sha256.h"

#define HEADER_VERSION 1u
#define HEADER_SIZE 128u
#define HEADER_CHECKED 60u
#define SLOTS 2u
#define NOR_READ 0x03u
#define NOR_READ_STATUS 0x05u
#define NOR_THREE_BYTE_ADDRESS 0xe9u
#define NOR_BUSY 0x01u
#define NOR_POLLS 4000000u // outlasts the slowest sector erase, 400 ms, several times over

typedef struct {
    uint8_t magic[4];
    uint32_t header_version;
    uint32_t length;
    uint32_t load;
    uint32_t entry;
    uint32_t sequence;
    char version[24];
    uint32_t reserved[3];
    uint32_t crc;
    uint8_t digest[32];
    uint8_t zero[32];
} header_t;

_Static_assert(FLASH_APP_SIZE == FLASH_APP2_SIZE, "an image fits into both slots or none");
_Static_assert(sizeof(header_t) == HEADER_SIZE, "the header has 128 bytes");

extern uint8_t _loader_base, _loader_stack;

void loader_start(void);

__attribute__((section(".vectors"), used)) static void *const vectors[2] = { &_loader_stack,
    (void *)loader_start };

static void say(const char *text) {
    for (; *text != '\0'; ++text) {
        while (!(UART_LSR & UART_LSR_TX_EMPTY)) {
        }
        UART_THR = (uint8_t)*text;
    }
}

static volatile uint8_t *const window = (volatile uint8_t *)FMC_WINDOW;

// In user mode the chip stays selected, and each access to the window clocks its bytes.
static void flash_select(void) {
    FMC_CONF |= FMC_CONF_WRITE_CE0; // or the command bytes are not sent
    FMC_CE0_CTRL = FMC_CTRL_MODE_USER | FMC_CTRL_CE_INACTIVE;
    FMC_CE0_CTRL = FMC_CTRL_MODE_USER;
}

static void flash_release(void) {
    FMC_CE0_CTRL = FMC_CTRL_MODE_USER | FMC_CTRL_CE_INACTIVE;
}

// A reset of the processor alone leaves the chip as it is: erasing, or in 4-byte mode.
static void flash_settle(void) {
    uint8_t status = NOR_BUSY;
    for (uint32_t polls = 0; (status & NOR_BUSY) && polls < NOR_POLLS; ++polls) {
        flash_select();
        *window = NOR_READ_STATUS;
        status = *window;
        flash_release();
    }
    flash_select();
    *window = NOR_THREE_BYTE_ADDRESS;
    flash_release();
}

// Reads whole words: a 32-bit access clocks four bytes.
static void flash_read(uint32_t *out, uint32_t address, size_t words) {
    flash_select();
    *window = NOR_READ;
    *window = (uint8_t)(address >> 16);
    *window = (uint8_t)(address >> 8);
    *window = (uint8_t)address;
    for (size_t i = 0; i < words; ++i) {
        out[i] = *(volatile uint32_t *)window;
    }
    flash_release();
}

static uint32_t crc32(const uint8_t *data, size_t len) {
    uint32_t crc = 0xffffffffu;
    for (; len != 0; --len) {
        crc ^= *data++;
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
        }
    }
    return ~crc;
}

static bool same(const uint8_t *a, const uint8_t *b, size_t len) {
    while (len != 0 && *a == *b) {
        --len;
        ++a;
        ++b;
    }
    return len == 0;
}

static const uint8_t erased[4] = { 0xff, 0xff, 0xff, 0xff };

// NULL, or why the header is no good. No sum below can overflow: each is bounded before.
static const char *check_header(const header_t *header) {
    static const uint8_t magic[4] = { 'P', '1', '1', 'A' };
    const uint32_t top = (uint32_t)&_loader_base;
    if (same(header->magic, erased, sizeof(erased))) {
        return "the application region is erased";
    }
    if (!same(header->magic, magic, sizeof(magic))) {
        return "no image header";
    }
    if (crc32((const uint8_t *)header, HEADER_CHECKED) != header->crc) {
        return "the header is damaged";
    }
    if (header->header_version != HEADER_VERSION) {
        return "unknown header version";
    }
    if (header->length < 8 || header->length > FLASH_APP_SIZE - HEADER_SIZE || header->load % 4 != 0 || header->load >= top || header->length > top - header->load) {
        return "the payload does not fit";
    }
    if (header->entry % 128 != 0 || header->entry < header->load || header->entry - header->load > header->length - 8) {
        return "the vector table lies outside the payload";
    }
    return NULL;
}

static const char *load(const header_t *header, uint32_t base) {
    uint8_t *const payload = (uint8_t *)header->load;
    // Rounded up to a word: `top` is a multiple of 4, so this still ends below the loader.
    flash_read((uint32_t *)payload, base + HEADER_SIZE, (header->length + 3) / 4);
    uint8_t digest[32];
    sha256(digest, payload, header->length);
    if (!same(digest, header->digest, sizeof(digest))) {
        return "the payload is damaged";
    }
    const uint32_t *const table = (const uint32_t *)header->entry;
    if (table[0] == 0 || table[0] > SRAM_SIZE || table[0] % 8 != 0 || table[1] % 2 != 1 || table[1] < header->load || table[1] - header->load >= header->length) {
        return "the vector table is invalid";
    }
    return NULL;
}

// Tells the application in r2 which slot it runs from: that one it must not write.
__attribute__((noreturn)) static void jump(uint32_t table, uint32_t note) {
    SCB_VTOR = table;
    register uint32_t r2 __asm("r2") = note;
    __asm volatile("dsb\n\t"
                   "isb\n\t"
                   "ldmia %0, {r0, r1}\n\t"
                   "msr msp, r0\n\t"
                   "bx r1"
        :
        : "r"(table), "r"(r2)
        : "r0", "r1", "memory");
    __builtin_unreachable();
}

// Microseconds since reset, for whoever wants to know what starting takes (`make bench`); the
// application's own clock is Timer 1.
static void start_stopwatch(void) {
    TIMER2_RELOAD = UINT32_MAX;
    TIMER2_COUNT = UINT32_MAX;
    TIMER_CTRL |= TIMER2_CTRL_1MHZ;
    TIMER_CTRL |= TIMER2_CTRL_ENABLE;
}

// Starts the best image there is. Returns why there is none: what is wrong with the first slot,
// or with the second one when the first is erased.
static const char *boot(void) {
    static const uint32_t bases[SLOTS] = { FLASH_APP_BASE, FLASH_APP2_BASE };
    header_t headers[SLOTS];
    const char *why[SLOTS];
    flash_settle();
    for (unsigned slot = 0; slot < SLOTS; ++slot) {
        flash_read((uint32_t *)&headers[slot], bases[slot], sizeof(header_t) / 4);
        why[slot] = check_header(&headers[slot]);
    }
    unsigned slot = why[1] == NULL && (why[0] != NULL || headers[1].sequence > headers[0].sequence);
    for (unsigned tries = 0; tries < SLOTS; ++tries, slot ^= 1) {
        if (why[slot] == NULL) {
            why[slot] = load(&headers[slot], bases[slot]);
            if (why[slot] == NULL) {
                jump(headers[slot].entry, BOOT_NOTE | slot);
            }
        }
    }
    return why[same(headers[0].magic, erased, sizeof(erased))];
}

void loader_start(void) {
    irq_disable();
    start_stopwatch();
    const char *why = boot();
    UART_LCR = UART_LCR_DLAB | UART_LCR_8N1;
    UART_DLL = 1;
    UART_DLM = 0;
    UART_LCR = UART_LCR_8N1;
    UART_FCR = UART_FCR_ENABLE;
    say("\r\nloader: no valid application image in flash: ");
    say(why);
    say("\r\n");
    for (;;) {
        wait_for_interrupt();
    }
}
