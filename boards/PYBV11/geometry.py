# SPDX-License-Identifier: MIT
"""Facts of the Pyboard v1.1, frozen into its firmware. A test compares them with memory.ld."""

from stm32_family import CHIP_START, DEVICE_SECRET, FAMILIES, THREATS, opener  # noqa: F401

BOARD = "PYBV11"
CHIP = "STM32F405RG"
CHIP_SIZE = 0x100000
FAMILY = "f4"

# name: (first address, bytes)
FLASH_MAP = {
    "vectors": (0x08000000, 0x004000),
    "fs": (0x08004000, 0x01C000),
    "app": (0x08020000, 0x0A0000),
    "keys": (0x080C0000, 0x040000),
}
KEY_SECTOR = 0x20000  # bytes of an erase unit of the key region

REQUEST_MAX = 4096  # bytes of one request of p11board: RAM is short

ENTROPY = FAMILIES[FAMILY]
device = opener(FAMILY)
