# SPDX-License-Identifier: MIT
"""The flash controllers of STM32L4, G4 and WB, with what each of them refuses."""

from stm32_model import BASE, DEFAULT_VTOR, ONE_BIT, TWO_BITS, VTOR, OneController


class L4(OneController):
    """RM0351: 64-bit units with correction, two banks of 256 pages of 2 KiB."""

    REGS = 0x40022000
    device_id = 0x415
    unit = line = 8
    page = 0x800
    bank_pages = 256
    page_bits = 0xFF
    KEYR, SR, CR, ECCR, OPTR = 0x08, 0x10, 0x14, 0x18, 0x20
    PROGERR, WRPERR, SIZERR, PGSERR = 1 << 3, 1 << 4, 1 << 6, 1 << 7
    ERRORS = 0xC3FA
    PG, PER, BKER = 1, 2, 1 << 11
    ECCC, ECCD = 1 << 30, 1 << 31
    MEMRMP = 0x40010000
    optr = 1 << 22

    def reset(self):
        super().reset()
        self.eccr = 0
        self.first = None  # the low word of a unit, waiting for the high one
        self.swapped = False

    def register_read(self, address):
        register = address - self.REGS
        if register == self.ECCR:
            return self.eccr
        if register == self.OPTR:
            return self.optr
        if address == self.MEMRMP:
            return 1 << 8 if self.swapped else 0
        return super().register_read(address)

    def register_write(self, address, value):
        if address - self.REGS == self.ECCR:
            self.eccr &= ~(value & (self.ECCC | self.ECCD))
        else:
            super().register_write(address, value)

    def allowed(self):
        """Does the other processor, where there is one, let the flash be changed?"""
        return True

    def start(self, value):
        page = value >> 3 & self.page_bits
        if self.sr & self.ERRORS or not value & self.PER or value & self.PG:
            self.sr |= self.PGSERR
        elif self.protected:
            self.sr |= self.WRPERR
        elif self.allowed():
            second = bool(value & self.BKER) != self.swapped
            self.erase_cells(BASE + (page + second * self.bank_pages) * self.page, self.page)

    def flash_write(self, address, value):
        if not self.lock.open or not self.cr & self.PG or self.sr & self.ERRORS:
            self.sr |= self.PGSERR
            return
        if self.cached():
            self.wrong("data cache on while programming")
        if address % 8 == 0:
            if self.first is not None:
                self.sr |= self.SIZERR
            self.first = (address, value)
            return
        if self.first is None or self.first[0] + 4 != address:
            self.sr |= self.SIZERR
            return
        start, low = self.first
        self.first = None
        data = low.to_bytes(4, "little") + value.to_bytes(4, "little")
        if self.protected:
            self.sr |= self.WRPERR
        elif start in self.spent and data != bytes(8):
            self.sr |= self.PROGERR
        elif self.busy:
            self.wrong("programming while busy")
        elif self.allowed():
            if data == bytes(8):
                self.ecc.pop(start, None)
            self.program_cells(start, data)

    def damage(self, unit):
        self.ecc[unit] = self.random.choice((ONE_BIT, TWO_BITS, TWO_BITS))
        if self.ecc[unit] == TWO_BITS:
            self.spent.add(unit)

    def ecc_error(self, address, state):
        if state == ONE_BIT:
            self.eccr |= self.ECCC
            return
        self.eccr |= self.ECCD
        if self.regs[VTOR] == DEFAULT_VTOR or not self.mask:
            self.wrong("a unit with two wrong bits was read without a guard: endless NMI")
        elif self.nmi:
            self.nmi()


class G4(L4):
    """RM0440: two banks of 128 pages."""

    size = 0x80000
    device_id = 0x469
    bank_pages = 128
    page_bits = 0x7F


class WB(L4):
    """RM0434: one bank of 4 KiB pages, shared with the radio processor."""

    REGS = 0x58004000
    HSEM = 0x58001400
    device_id = 0x495
    page = 0x1000
    BKER = 0
    PESD = 1 << 19

    def reset(self):
        super().reset()
        self.held = set()
        self.taken_by_radio = set()
        self.forbidden = 0  # looks at the status register until the radio allows

    def register_read(self, address):
        number, rest = divmod(address - self.HSEM - 0x80, 4)
        if 0 <= number < 32 and rest == 0:
            if number in self.taken_by_radio:
                return 0x80000800
            self.held.add(number)
            return 0x80000400
        if address == self.REGS + self.SR and self.forbidden:
            self.forbidden -= 1
            return super().register_read(address) | self.PESD
        return super().register_read(address)

    def register_write(self, address, value):
        number, rest = divmod(address - self.HSEM, 4)
        if 0 <= number < 32 and rest == 0:
            if value == 0x400:
                self.held.discard(number)
            return
        super().register_write(address, value)

    def allowed(self):
        if not {2, 7} <= self.held or self.forbidden:
            self.wrong("flash changed without the semaphores")
            return False
        return True

    def erase_cells(self, start, size):
        if not self.radio or self.radio[-1] != 1:
            self.wrong("erase without telling the radio processor")
        super().erase_cells(start, size)
