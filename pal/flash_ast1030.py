# SPDX-License-Identifier: MIT
"""The key region of the AST1030's SPI NOR chip as a flash device (see `pal.flash`).

Plain NOR: bytes are programmable, any bit may go to zero again, reads never fault. The C driver
verifies each program and erase and enforces the bounds of the region.
"""

import rawflash

from .flash import ZERO_ANY, Caps, FlashError, uniform

ENDURANCE = 100000  # erases per sector, as chips of the W25Q class state


class FlashAST1030:
    """Flash device over `rawflash.Region(name)`."""

    def __init__(self, name="keys"):
        self.region = region = rawflash.Region(name)
        unit = region.erase_size()
        self.unit = unit
        self.caps = Caps(
            1, uniform(unit, region.size() // unit), region.page(), ZERO_ANY, ENDURANCE
        )

    def read(self, offset, buf):
        """Fill buf from byte `offset` of the region."""
        self.region.read(offset, buf)
        return 0

    raw_read = read

    def program(self, offset, buf):
        """Program buf at `offset`. FlashError when it did not take."""
        try:
            self.region.program(offset, buf)
        except OSError as error:
            raise FlashError(error)

    def erase(self, sector):
        """Erase one sector. FlashError when it did not take."""
        try:
            self.region.erase(sector * self.unit, self.unit)
        except OSError as error:
            raise FlashError(error)
