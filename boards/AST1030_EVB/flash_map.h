// SPDX-License-Identifier: MIT
// The SPI flash of the AST1030 EVB: who owns which bytes. geometry.py says the same (a test
// compares them). A sector belongs to exactly one region.
#ifndef FLASH_MAP_H
#define FLASH_MAP_H

// clang-format off: a table

#define FLASH_CHIP_SIZE     0x02000000  // w25q256: 32 MiB
#define FLASH_SECTOR_SIZE   0x1000      // smallest erase
#define FLASH_PAGE_SIZE     0x100       // largest program

#define FLASH_APP_BASE      0x000000    // the application image, read by the loader
#define FLASH_APP_SIZE      0x100000
#define FLASH_APP2_BASE     0x100000    // kept free for a second image
#define FLASH_APP2_SIZE     0x100000
#define FLASH_FS_BASE       0x200000    // files of the user: littlefs 2
#define FLASH_FS_SIZE       0x100000
#define FLASH_KEYS_BASE     0x400000    // the token's store
#define FLASH_KEYS_SIZE     0x10000

// clang-format on

#endif
