# SPDX-License-Identifier: MIT
"""Facts of the B-L475E-IOT01A Discovery kit, frozen into its firmware. A test compares them with memory.ld."""

from stm32_family import CHIP_START, DEVICE_SECRET, FAMILIES, THREATS, opener  # noqa: F401

BOARD = "B_L475E_IOT01A"
CHIP = "STM32L475VG"
CHIP_SIZE = 0x100000
FAMILY = "l4"

# name: (first address, bytes)
FLASH_MAP = {
    "app": (0x08000000, 0x090000),
    "fs": (0x08090000, 0x068000),
    "keys": (0x080F8000, 0x008000),
}
KEY_SECTOR = 0x800  # bytes of an erase unit of the key region

REQUEST_MAX = 4096  # bytes of one request of p11board: RAM is short

ENTROPY = FAMILIES[FAMILY]
device = opener(FAMILY)
