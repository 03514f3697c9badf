// SPDX-License-Identifier: MIT
// rawflash and the FMC driver over the model. rawflash remembers the chip once it answered, so the
// tests of a missing chip come first in the suite.
#include "check.h"
#include "flash_map.h"
#include "fmc_model.h"
#include "rawflash.h"

static const rawflash_region_t *keys(void) {
    fmc_model_reset();
    return rawflash_region("keys");
}

// What must hold after every call: nothing forbidden happened, the chip is released and the
// controller is back in the mode it was in.
static bool orderly(void) {
    return fmc_model.violations == 0 && !fmc_model.selected && fmc_model.control == 0x40000200u;
}

TEST(a_missing_or_small_chip_is_reported) {
    rawflash_chip_t chip;
    uint8_t byte;
    const rawflash_region_t *region = keys();
    fmc_model.id = 0xffffff;
    CHECK(rawflash_info(&chip) == RAWFLASH_NO_CHIP);
    CHECK(rawflash_read(region, 0, &byte, 1) == RAWFLASH_NO_CHIP);
    fmc_model.id = 0;
    CHECK(rawflash_info(&chip) == RAWFLASH_NO_CHIP);
    fmc_model.stays_busy = true;
    CHECK(rawflash_info(&chip) == RAWFLASH_TIMEOUT);
    CHECK(orderly());
}

TEST(the_chip_tells_its_identity_and_size) {
    rawflash_chip_t chip;
    keys();
    CHECK(rawflash_info(&chip) == RAWFLASH_OK);
    CHECK(chip.id == 0xef4019 && chip.size == 32u << 20);
    CHECK(chip.erase == 4096 && chip.page == 256 && orderly());
}

TEST(regions_have_their_places) {
    keys();
    CHECK(rawflash_region("keys")->base == FLASH_KEYS_BASE);
    CHECK(rawflash_region("keys")->size == FLASH_KEYS_SIZE);
    CHECK(rawflash_region("fs")->base == FLASH_FS_BASE && rawflash_region("fs")->writable);
    CHECK(rawflash_region("app2")->base == FLASH_APP2_BASE);
    CHECK(rawflash_region("app")->base == FLASH_APP_BASE);
    CHECK(rawflash_region("key") == NULL && rawflash_region("keys2") == NULL);
    CHECK(rawflash_region("") == NULL);
    for (size_t i = 0; i < rawflash_region_count; i++) {
        const rawflash_region_t *a = &rawflash_regions[i];
        CHECK(a->base % FLASH_SECTOR_SIZE == 0 && a->size % FLASH_SECTOR_SIZE == 0);
        for (size_t j = 0; j < i; j++) {
            const rawflash_region_t *b = &rawflash_regions[j];
            CHECK(a->base + a->size <= b->base || b->base + b->size <= a->base);
        }
    }
}

TEST(what_is_programmed_is_read_back_across_pages) {
    uint8_t wanted[1000];
    uint8_t seen[1000];
    const rawflash_region_t *region = keys();
    host_bytes(wanted, sizeof(wanted));
    CHECK(rawflash_program(region, 200, wanted, sizeof(wanted)) == RAWFLASH_OK);
    CHECK(fmc_model.programs == 5); // 56 + 256 + 256 + 256 + 176
    CHECK(rawflash_read(region, 200, seen, sizeof(seen)) == RAWFLASH_OK);
    CHECK(memcmp(wanted, seen, sizeof(seen)) == 0);
    CHECK(memcmp(fmc_memory + FLASH_KEYS_BASE + 200, wanted, sizeof(wanted)) == 0);
    CHECK(fmc_memory[FLASH_KEYS_BASE + 199] == 0xff && fmc_memory[FLASH_KEYS_BASE + 1200] == 0xff);
    CHECK(orderly());
}

TEST(every_small_length_and_alignment_reads_right) {
    uint8_t seen[24];
    const rawflash_region_t *region = keys();
    host_bytes(fmc_memory + FLASH_KEYS_BASE, 64);
    for (size_t offset = 0; offset < 9; offset++) {
        for (size_t len = 0; len < 17; len++) {
            memset(seen, 0, sizeof(seen));
            CHECK(rawflash_read(region, offset, seen + 1, len) == RAWFLASH_OK);
            CHECK(memcmp(seen + 1, fmc_memory + FLASH_KEYS_BASE + offset, len) == 0);
            CHECK(seen[0] == 0 && seen[len + 1] == 0);
        }
    }
    CHECK(orderly());
}

TEST(bits_can_be_cleared_later_but_not_set) {
    uint8_t value = 0xf0;
    const rawflash_region_t *region = keys();
    CHECK(rawflash_program(region, 0, &value, 1) == RAWFLASH_OK);
    value = 0x30;
    CHECK(rawflash_program(region, 0, &value, 1) == RAWFLASH_OK);
    value = 0x31;
    CHECK(rawflash_program(region, 0, &value, 1) == RAWFLASH_VERIFY);
    CHECK(fmc_memory[FLASH_KEYS_BASE] == 0x30 && orderly());
}

TEST(erasing_touches_exactly_its_sectors) {
    const rawflash_region_t *region = keys();
    memset(fmc_memory, 0, sizeof(fmc_memory));
    CHECK(rawflash_erase(region, 4096, 8192) == RAWFLASH_OK && fmc_model.erases == 2);
    const uint8_t *p = fmc_memory + FLASH_KEYS_BASE;
    CHECK(p[4095] == 0 && p[4096] == 0xff && p[12287] == 0xff && p[12288] == 0);
    CHECK(orderly());
}

TEST(nothing_outside_a_region_can_be_reached) {
    uint8_t buf[16] = { 0 };
    const rawflash_region_t *region = keys();
    const size_t size = region->size;
    memset(fmc_memory, 0xa5, sizeof(fmc_memory));
    const size_t offsets[] = { size, size + 1, SIZE_MAX, SIZE_MAX - 15, size - 15, SIZE_MAX - 4095 };
    for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
        CHECK(rawflash_read(region, offsets[i], buf, 16) == RAWFLASH_RANGE);
        CHECK(rawflash_program(region, offsets[i], buf, 16) == RAWFLASH_RANGE);
        CHECK(rawflash_erase(region, offsets[i], 4096) == RAWFLASH_RANGE);
    }
    CHECK(rawflash_read(region, 0, buf, SIZE_MAX) == RAWFLASH_RANGE);
    CHECK(rawflash_erase(region, 4096, size) == RAWFLASH_RANGE);
    CHECK(rawflash_erase(region, 1, 4096) == RAWFLASH_RANGE);
    CHECK(rawflash_erase(region, 0, 4095) == RAWFLASH_RANGE);
    CHECK(rawflash_erase(region, 0, size + 4096) == RAWFLASH_RANGE);
    CHECK(rawflash_read(region, size, buf, 0) == RAWFLASH_OK);
    CHECK(rawflash_erase(region, size, 0) == RAWFLASH_OK);
    CHECK(fmc_model.programs == 0 && fmc_model.erases == 0);
    for (size_t i = 0; i < sizeof(fmc_memory); i++) {
        if (fmc_memory[i] != 0xa5) {
            CHECK(false);
        }
    }
    CHECK(orderly());
}

// Neither slot when the loader's mark is missing.
TEST(the_slot_that_runs_is_read_only) {
    static const struct {
        uint32_t note;
        bool app, app2;
    } cases[] = {
        { 0x50313140u, false, true },
        { 0x50313141u, true, false },
        { 0x50313142u, false, false },
        { 0, false, false },
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        keys();
        p11_boot_note = cases[i].note;
        for (unsigned slot = 0; slot < 2; slot++) {
            uint8_t byte = 0x50;
            const rawflash_region_t *region = rawflash_region(slot ? "app2" : "app");
            bool may = slot ? cases[i].app2 : cases[i].app;
            int expected = may ? RAWFLASH_OK : RAWFLASH_READ_ONLY;
            CHECK(rawflash_writable(region) == may);
            CHECK(rawflash_erase(region, 0, 4096) == expected);
            CHECK(rawflash_program(region, 0, &byte, 1) == expected);
            CHECK(rawflash_program(region, region->size - 1, &byte, 2) != RAWFLASH_OK);
            CHECK(fmc_memory[region->base] == (may ? 0x50 : 0xff));
        }
        CHECK(rawflash_writable(rawflash_region("keys")));
        CHECK(rawflash_writable(rawflash_region("fs")));
        CHECK(fmc_model.programs == (unsigned)(cases[i].app + cases[i].app2) && orderly());
    }
}

TEST(a_weak_bit_fails_verification) {
    uint8_t zero = 0;
    const rawflash_region_t *region = keys();
    fmc_model.weak_address = FLASH_KEYS_BASE + 300;
    CHECK(rawflash_program(region, 300, &zero, 1) == RAWFLASH_VERIFY);
    CHECK(rawflash_erase(region, 0, 4096) == RAWFLASH_VERIFY);
    CHECK(rawflash_erase(region, 4096, 4096) == RAWFLASH_OK);
    CHECK(orderly());
}

TEST(operations_that_silently_do_nothing_are_noticed) {
    uint8_t byte = 0x12;
    const rawflash_region_t *region = keys();
    fmc_model.ignores_program = true;
    CHECK(rawflash_program(region, 0, &byte, 1) == RAWFLASH_VERIFY);
    fmc_model.ignores_program = false;
    CHECK(rawflash_program(region, 0, &byte, 1) == RAWFLASH_OK);
    fmc_model.ignores_erase = true;
    CHECK(rawflash_erase(region, 0, 4096) == RAWFLASH_VERIFY);
    fmc_model.ignores_erase = false;
    fmc_model.ignores_write_enable = true;
    CHECK(rawflash_erase(region, 0, 4096) == RAWFLASH_VERIFY);
    CHECK(rawflash_program(region, 9, &byte, 1) == RAWFLASH_VERIFY);
    CHECK(orderly());
}

TEST(a_chip_that_stays_busy_times_out) {
    uint8_t byte = 0x12;
    const rawflash_region_t *region = keys();
    fmc_model.stays_busy = true;
    CHECK(rawflash_program(region, 0, &byte, 1) == RAWFLASH_TIMEOUT);
    CHECK(rawflash_erase(region, 0, 4096) == RAWFLASH_TIMEOUT);
    CHECK(fmc_model.programs == 0 && fmc_model.erases == 0 && orderly());
}

// clang-format off
SUITE(flash_suite,
    LIST(a_missing_or_small_chip_is_reported)
    LIST(the_chip_tells_its_identity_and_size)
    LIST(regions_have_their_places)
    LIST(what_is_programmed_is_read_back_across_pages)
    LIST(every_small_length_and_alignment_reads_right)
    LIST(bits_can_be_cleared_later_but_not_set)
    LIST(erasing_touches_exactly_its_sectors)
    LIST(nothing_outside_a_region_can_be_reached)
    LIST(the_slot_that_runs_is_read_only)
    LIST(a_weak_bit_fails_verification)
    LIST(operations_that_silently_do_nothing_are_noticed)
    LIST(a_chip_that_stays_busy_times_out)
);
// clang-format on
