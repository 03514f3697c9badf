// SPDX-License-Identifier: MIT
// The SPI flash of the AST1030 EVB: who owns which bytes. geometry.py says the same (a test
// compares them). A sector belongs to exactly one region.
#ifndef FLASH_MAP_H
#define FLASH_MAP_H

// clang-format off: a table

#define FLASH_CHIP_SIZE     0x02000000  // w25q256: 32 MiB
#define FLASH_SECTOR_SIZE   0x1000      // smallest erase
#define FLASH_PAGE_SIZE     0x100       // largest program

#define FLASH_APP_BASE      0x000000    // application image, slot A; read by the loader
#define FLASH_APP_SIZE      0x100000
#define FLASH_APP2_BASE     0x100000    // slot B: an update goes where none runs
#define FLASH_APP2_SIZE     0x100000
#define FLASH_FS_BASE       0x200000    // files of the user: littlefs 2
#define FLASH_FS_SIZE       0x100000
#define FLASH_KEYS_BASE     0x400000    // the token's store
#define FLASH_KEYS_SIZE     0x10000
#define FLASH_ID_BASE       0x410000    // the board's number, written by the factory
#define FLASH_ID_SIZE       0x1000

// clang-format on

_Static_assert(FLASH_APP_BASE + FLASH_APP_SIZE <= FLASH_APP2_BASE, "application over its second");
_Static_assert(FLASH_APP2_BASE + FLASH_APP2_SIZE <= FLASH_FS_BASE, "application over the files");
_Static_assert(FLASH_FS_BASE + FLASH_FS_SIZE <= FLASH_KEYS_BASE, "files over the key region");
_Static_assert(FLASH_KEYS_BASE + FLASH_KEYS_SIZE <= FLASH_CHIP_SIZE, "key region beyond the chip");
_Static_assert(FLASH_KEYS_BASE % FLASH_SECTOR_SIZE == 0 && FLASH_KEYS_SIZE % FLASH_SECTOR_SIZE == 0,
    "key region of half sectors");

#endif
