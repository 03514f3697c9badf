# SPDX-License-Identifier: MIT
"""The flash controller of STM32H7, with what it refuses."""

from stm32_model import BASE, DCIMVAC, ONE_BIT, SCB_CCR, SCB_CFSR, TWO_BITS, Chip, Locked


class H7(Chip):
    """RM0433: 256-bit units, two banks, no refusal of a second program, a first-level cache."""

    size = 0x200000
    REGS = 0x52002000
    id_register = 0x5C001000
    kib_register = 0x1FF1E880
    device_id = 0x450
    unit = line = 32
    KEYR, CR, SR, CCR, OPTCR = 0x04, 0x0C, 0x10, 0x14, 0x18
    LOCK, PG, SER, START = 1, 2, 4, 1 << 7
    BSY, WRPERR, PGSERR, INCERR, ONE, TWO = 1, 1 << 17, 1 << 18, 1 << 21, 1 << 25, 1 << 26
    ERRORS = 0x01EE0000

    def reset(self):
        self.locks = [Locked(self), Locked(self)]
        self.sr = [0, 0]
        self.cr = [0, 0]
        self.words = []  # the write buffer
        self.swapped = False

    def cached(self):
        return True

    def place(self, address):
        bank, register = divmod(address - self.REGS, 0x100)
        return (bank, register) if bank in (0, 1) else (None, None)

    def bank_of(self, address):
        return ((address - BASE) >> 20) ^ self.swapped

    def register_read(self, address):
        if address == self.REGS + self.OPTCR:
            return 1 << 31 if self.swapped else 0
        bank, register = self.place(address)
        if register == self.SR:
            return self.sr[bank] | (self.BSY if self.polled() else 0)
        if register == self.CR:
            return self.cr[bank] | (0 if self.locks[bank].open else self.LOCK)
        return super().register_read(address)

    def register_write(self, address, value):
        bank, register = self.place(address)
        if address == DCIMVAC:
            self.cache.pop(value & ~31, None)
        elif address == SCB_CFSR:
            self.regs[SCB_CFSR] = self.regs.get(SCB_CFSR, 0) & ~value
        elif register == self.KEYR:
            self.locks[bank].key(value)
        elif register == self.CCR:
            self.sr[bank] &= ~value
        elif register == self.CR:
            self.control(bank, value)
        else:
            super().register_write(address, value)

    def control(self, bank, value):
        if not self.locks[bank].admits(value, self.LOCK):
            return
        self.cr[bank] = value & ~(self.LOCK | self.START)
        if not value & self.START:
            return
        sector = value >> 8 & 7
        if self.protected:
            self.sr[bank] |= self.WRPERR
        elif not value & self.SER or value & self.PG or self.sr[bank] & self.ERRORS:
            self.sr[bank] |= self.PGSERR
        else:
            self.erase_cells(BASE + (bank ^ self.swapped) * 0x100000 + sector * 0x20000, 0x20000)

    def flash_write(self, address, value):
        bank = self.bank_of(address)
        if not self.locks[bank].open or not self.cr[bank] & self.PG:
            self.sr[bank] |= self.PGSERR
            return
        if not self.mask:
            self.wrong("an interrupt could come between the words of a unit")
        if address != (self.words[-1][0] + 4 if self.words else address - address % 32):
            self.sr[bank] |= self.INCERR
            self.words = []
            return
        self.words.append((address, value))
        if len(self.words) < 8:
            return
        start = self.words[0][0]
        data = b"".join(word.to_bytes(4, "little") for _, word in self.words)
        self.words = []
        if self.protected:
            self.sr[bank] |= self.WRPERR
            return
        again = start in self.spent
        self.program_cells(start, data)
        if again and not self.fail_program:
            self.ecc[start] = TWO_BITS

    def damage(self, unit):
        self.ecc[unit] = self.random.choice((ONE_BIT, TWO_BITS, TWO_BITS))

    def ecc_error(self, address, state):
        bank = self.bank_of(address)
        self.sr[bank] |= self.TWO if state == TWO_BITS else self.ONE
        if state == TWO_BITS:
            self.regs[SCB_CFSR] = self.regs.get(SCB_CFSR, 0) | 0x8200
            if not (self.regs[SCB_CCR] & 1 << 8 and self.faults_off):
                self.wrong("a unit with two wrong bits was read without a guard: bus fault")
