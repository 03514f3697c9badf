# SPDX-License-Identifier: MIT
"""Facts of the Nucleo F429ZI, frozen into its firmware. A test compares them with memory.ld."""

from stm32_family import CHIP_START, DEVICE_SECRET, FAMILIES, THREATS, opener  # noqa: F401

BOARD = "NUCLEO_F429ZI"
CHIP = "STM32F429ZI"
CHIP_SIZE = 0x200000
FAMILY = "f4"

# name: (first address, bytes)
FLASH_MAP = {
    "vectors": (0x08000000, 0x004000),
    "fs": (0x08004000, 0x01C000),
    "app": (0x08020000, 0x0E0000),
    "keys": (0x08100000, 0x010000),
}
KEY_SECTOR = 0x4000  # bytes of an erase unit of the key region

REQUEST_MAX = 4096  # bytes of one request of p11board: RAM is short

ENTROPY = FAMILIES[FAMILY]
device = opener(FAMILY)
