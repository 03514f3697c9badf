# SPDX-License-Identifier: MIT
"""Facts of the Nucleo G474RE, frozen into its firmware. A test compares them with memory.ld."""

from stm32_family import CHIP_START, DEVICE_SECRET, FAMILIES, THREATS, opener  # noqa: F401

BOARD = "NUCLEO_G474RE"
CHIP = "STM32G474RE"
CHIP_SIZE = 0x80000
FAMILY = "g4"

# name: (first address, bytes)
FLASH_MAP = {
    "app": (0x08000000, 0x075000),
    "keys": (0x08075000, 0x004000),
    "fs": (0x08079000, 0x007000),
}
KEY_SECTOR = 0x800  # bytes of an erase unit of the key region

REQUEST_MAX = 4096  # bytes of one request of p11board: RAM is short

ENTROPY = FAMILIES[FAMILY]
device = opener(FAMILY)
