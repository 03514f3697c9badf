# SPDX-License-Identifier: MIT
"""The flash controller of STM32F4, with what it refuses."""

from stm32_model import BASE, OneController


class F4(OneController):
    """RM0090: 32-bit parallelism, no error correction, bits may be cleared later."""

    REGS = 0x40023C00
    kib_register = 0x1FFF7A22
    device_id = 0x413
    KEYR, SR, CR = 0x04, 0x0C, 0x10
    PGSERR, PGPERR, PGAERR, WRPERR, OPERR = 1 << 7, 1 << 6, 1 << 5, 1 << 4, 1 << 1
    PG, SER = 1, 2

    def sector(self, number):
        """(first address, bytes) of a sector as CR.SNB numbers it, or None."""
        bank, index = divmod(number, 16)
        if index >= 12 or (bank + 1) * 0x100000 > self.size:
            return None
        sizes = [0x4000] * 4 + [0x10000] + [0x20000] * 7
        return BASE + bank * 0x100000 + sum(sizes[:index]), sizes[index]

    def start(self, value):
        place = self.sector(value >> 3 & 0x1F)
        if self.protected:
            self.sr |= self.WRPERR
        elif not value & self.SER or value & self.PG or place is None or value >> 8 & 3 != 2:
            self.sr |= self.PGSERR
        else:
            self.erase_cells(*place)

    def flash_write(self, address, value):
        if not self.lock.open or not self.cr & self.PG:
            self.sr |= self.PGSERR
        elif self.cr >> 8 & 3 != 2:
            self.sr |= self.PGPERR
        elif address % 4:
            self.sr |= self.PGAERR
        elif self.protected:
            self.sr |= self.WRPERR
        elif self.busy:
            self.wrong("programming while busy")
        else:
            self.program_cells(address, value.to_bytes(4, "little"))


class F429(F4):
    """Two banks of 1 MiB."""

    size = 0x200000
    device_id = 0x419
