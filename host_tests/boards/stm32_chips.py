# SPDX-License-Identifier: MIT
"""The flash controllers of STM32F4, L4, G4, WB and H7, with what each of them refuses."""

from stm32_model import (
    BASE,
    DCIMVAC,
    DEFAULT_VTOR,
    ONE_BIT,
    SCB_CCR,
    SCB_CFSR,
    TWO_BITS,
    VTOR,
    Chip,
    Locked,
)


def bits(*numbers):
    """Mask of the given bit numbers."""
    return sum(1 << n for n in numbers)


class F4(Chip):
    """RM0090: 32-bit parallelism, no error correction, bits may be cleared later."""

    REGS = 0x40023C00
    kib_register = 0x1FFF7A22
    device_id = 0x413
    ACR, KEYR, SR, CR = 0x00, 0x04, 0x0C, 0x10
    BSY, PGSERR, PGPERR, PGAERR, WRPERR, OPERR = 1 << 16, 1 << 7, 1 << 6, 1 << 5, 1 << 4, 1 << 1
    PG, SER, STRT, LOCK = 1, 2, 1 << 16, 1 << 31

    def reset(self):
        self.lock = Locked(self)
        self.acr = 0x700  # prefetch and both caches on, as MicroPython sets them
        self.sr = 0
        self.cr = 0

    def sector(self, number):
        """(first address, bytes) of a sector as CR.SNB numbers it, or None."""
        bank, index = divmod(number, 16)
        if index >= 12 or (bank + 1) * 0x100000 > self.size:
            return None
        sizes = [0x4000] * 4 + [0x10000] + [0x20000] * 7
        return BASE + bank * 0x100000 + sum(sizes[:index]), sizes[index]

    def cached(self):
        return bool(self.acr & 1 << 10)

    def register_read(self, address):
        register = address - self.REGS
        if register == self.ACR:
            return self.acr
        if register == self.SR:
            return self.sr | (self.BSY if self.polled() else 0)
        if register == self.CR:
            return self.cr | (0 if self.lock.open else self.LOCK)
        return super().register_read(address)

    def register_write(self, address, value):
        register = address - self.REGS
        if register == self.ACR:
            if value & 1 << 12 and not value & 1 << 10:
                self.cache.clear()
            elif value & 1 << 12:
                self.wrong("data cache reset while it is on")
            self.acr = value
        elif register == self.KEYR:
            self.lock.key(value)
        elif register == self.SR:
            self.sr &= ~value
        elif register == self.CR:
            self.control(value)
        else:
            super().register_write(address, value)

    def control(self, value):
        if not self.lock.open:
            if value & ~self.LOCK:
                self.wrong("control register written while locked")
            return
        if self.busy:
            self.wrong("control register written while busy")
        if value & self.LOCK:
            self.lock.lock()
        self.cr = value & ~(self.LOCK | self.STRT)
        if value & self.STRT:
            self.start(value)

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


class L4(Chip):
    """RM0351: 64-bit units with correction, two banks of 256 pages of 2 KiB."""

    REGS = 0x40022000
    device_id = 0x415
    unit = line = 8
    page = 0x800
    bank_pages = 256
    page_bits = 0xFF
    ACR, KEYR, SR, CR, ECCR, OPTR = 0x00, 0x08, 0x10, 0x14, 0x18, 0x20
    PROGERR, WRPERR, SIZERR, PGSERR, BSY = 1 << 3, 1 << 4, 1 << 6, 1 << 7, 1 << 16
    ERRORS = 0xC3FA
    PG, PER, BKER, STRT, LOCK = 1, 2, 1 << 11, 1 << 16, 1 << 31
    ECCC, ECCD = 1 << 30, 1 << 31
    MEMRMP = 0x40010000
    optr = 1 << 22

    def reset(self):
        self.lock = Locked(self)
        self.acr = 0x700
        self.sr = 0
        self.cr = 0
        self.eccr = 0
        self.first = None  # the low word of a unit, waiting for the high one
        self.swapped = False

    def cached(self):
        return bool(self.acr & 1 << 10)

    def register_read(self, address):
        register = address - self.REGS
        if register == self.ACR:
            return self.acr
        if register == self.SR:
            return self.sr | (self.BSY if self.polled() else 0)
        if register == self.CR:
            return self.cr | (0 if self.lock.open else self.LOCK)
        if register == self.ECCR:
            return self.eccr
        if register == self.OPTR:
            return self.optr
        if address == self.MEMRMP:
            return 1 << 8 if self.swapped else 0
        return super().register_read(address)

    def register_write(self, address, value):
        register = address - self.REGS
        if register == self.ACR:
            if value & 1 << 12 and not value & 1 << 10:
                self.cache.clear()
            elif value & 1 << 12:
                self.wrong("data cache reset while it is on")
            self.acr = value
        elif register == self.KEYR:
            self.lock.key(value)
        elif register == self.SR:
            self.sr &= ~value
        elif register == self.ECCR:
            self.eccr &= ~(value & (self.ECCC | self.ECCD))
        elif register == self.CR:
            self.control(value)
        else:
            super().register_write(address, value)

    control = F4.control

    def allowed(self):
        """May the other processor's rules be kept?"""
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
        if not self.locks[bank].open:
            if value & ~self.LOCK:
                self.wrong("control register written while locked")
            return
        if self.busy:
            self.wrong("control register written while busy")
        if value & self.LOCK:
            self.locks[bank].lock()
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
