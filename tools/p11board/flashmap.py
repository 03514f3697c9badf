# SPDX-License-Identifier: MIT
"""Regions of the emulated board's SPI flash, as the host tool needs them.

The board's own description is boards/AST1030_EVB/geometry.py; a test compares the two.
Offsets and sizes are in bytes.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Region:
    """A named part of the chip: `offset` and `size` in bytes."""

    name: str
    offset: int
    size: int

    @property
    def end(self):
        """First byte behind the region."""
        return self.offset + self.size


CHIP_SIZE = 32 * 1024 * 1024  # w25q256
SECTOR_SIZE = 4096  # smallest erase
PAGE_SIZE = 256  # largest program
ERASED = 0xFF

APP = Region("app", 0x000000, 0x100000)
APP2 = Region("app2", 0x100000, 0x100000)
FS = Region("fs", 0x200000, 0x100000)
KEYS = Region("keys", 0x400000, 0x010000)
ID = Region("id", 0x410000, 0x001000)  # 8 bytes: the board's number

REGIONS = (APP, APP2, FS, KEYS, ID)
SLOTS = (APP, APP2)  # application images; the loader starts the one with the higher sequence


def regions_touched(offset, length):
    """Regions that a write of `length` bytes at `offset` would reach, in order of address."""
    end = offset + length
    return [region for region in REGIONS if offset < region.end and region.offset < end]
