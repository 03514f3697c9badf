# SPDX-License-Identifier: MIT
"""Facts of the Nucleo WB55, frozen into its firmware. A test compares them with memory.ld."""

from stm32_family import CHIP_START, DEVICE_SECRET, FAMILIES, THREATS, opener  # noqa: F401

BOARD = "NUCLEO_WB55"
CHIP = "STM32WB55RG"
CHIP_SIZE = 0x100000
FAMILY = "wb"

# name: (first address, bytes)
FLASH_MAP = {
    "app": (0x08000000, 0x0A0000),
    "keys": (0x080A0000, 0x008000),
    "fs": (0x080A8000, 0x018000),
}
KEY_SECTOR = 0x1000  # bytes of an erase unit of the key region

ENTROPY = FAMILIES[FAMILY]
device = opener(FAMILY)
