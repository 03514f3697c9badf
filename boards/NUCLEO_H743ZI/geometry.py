# SPDX-License-Identifier: MIT
"""Facts of the Nucleo H743ZI, frozen into its firmware. A test compares them with memory.ld."""

from stm32_family import CHIP_START, DEVICE_SECRET, FAMILIES, THREATS, opener  # noqa: F401

BOARD = "NUCLEO_H743ZI"
CHIP = "STM32H743ZI"
CHIP_SIZE = 0x200000
FAMILY = "h7"

# name: (first address, bytes)
FLASH_MAP = {
    "app": (0x08000000, 0x140000),
    "keys": (0x08140000, 0x040000),
    "fs": (0x08180000, 0x080000),
}
KEY_SECTOR = 0x20000  # bytes of an erase unit of the key region

ENTROPY = FAMILIES[FAMILY]
device = opener(FAMILY)
