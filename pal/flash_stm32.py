# SPDX-License-Identifier: MIT
"""The key region of an STM32's internal flash as a flash device (see `pal.flash`).

Over `rawflash.Region("keys")`: the C driver keeps to the linker script's region, takes whole
program units only, verifies each program and erase, and survives reading a unit that error
correction gives up on. Here: what each family can do.
"""

import rawflash

from .flash import CORRECTED, FAULTED, ZERO_ANY, ZERO_NONE, ZERO_UNIT, Caps, FlashError, uniform

ENDURANCE = 10000  # erases per sector, all families (data sheets)

# family: program unit in bytes, zero mode, whether a read can fault
FAMILIES = {
    "f4": (8, ZERO_ANY, False),  # programmed as two words; no error correction
    "l4": (8, ZERO_UNIT, True),
    "g4": (8, ZERO_UNIT, True),
    "wb": (8, ZERO_UNIT, True),
    "h7": (32, ZERO_NONE, True),
}

# what Region.read() answers -> flags of `pal.flash`
FLAGS = (0, CORRECTED, FAULTED)


class FlashSTM32:
    """Flash device of a chip of `family`, a key of FAMILIES."""

    def __init__(self, family, name="keys"):
        unit, zero_mode, faults = FAMILIES[family]
        self.region = region = rawflash.Region(name)
        if unit % region.unit():
            raise ValueError("program unit")
        self.size = size = region.erase_size()
        self.caps = Caps(
            unit,
            uniform(size, region.size() // size),
            region.page(),
            zero_mode,
            ENDURANCE,
            read_may_fault=faults,
        )

    def read(self, offset, buf):
        """Fill buf from byte `offset` of the region; returns 0, CORRECTED or FAULTED."""
        return FLAGS[self.region.read(offset, buf)]

    raw_read = read

    def program(self, offset, buf):
        """Program whole units at `offset`. FlashError when it did not take."""
        try:
            self.region.program(offset, buf)
        except OSError as error:
            raise FlashError(error)

    def erase(self, sector):
        """Erase one sector. FlashError when it did not take."""
        try:
            self.region.erase(sector * self.size, self.size)
        except OSError as error:
            raise FlashError(error)
