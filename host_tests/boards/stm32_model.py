# SPDX-License-Identifier: MIT
"""STM32 flash controllers at the level of their registers, for the drivers in rawflash.

A `Chip` answers every register access, every read and write of flash and every change of the
processor's masks that the compiled driver makes. It refuses what the reference manuals say the
controller refuses, remembers what a unit's error correction would say, and keeps a data cache
that goes stale as the real one does. What a driver must never do ends up in `violations`.

`cut_after` counts programs and erases; the one that reaches zero is left half done and the chip
is dead from then on: it answers nothing until `power_on()`.
"""

import random

BASE = 0x08000000
KEY1, KEY2 = 0x45670123, 0xCDEF89AB
VTOR, SCB_CCR, SCB_CFSR, DCIMVAC = 0xE000ED08, 0xE000ED14, 0xE000ED28, 0xE000EF5C
DEFAULT_VTOR = 0x08000000
GOOD, ONE_BIT, TWO_BITS = 0, 1, 2
BARRIER, MASK, UNMASK, FAULTS, PRIORITY, PRIORITY_BACK = range(6)
RADIO = 0x100


class Chip:
    """What all families share. `keys` is the region a driver may write: (address, bytes)."""

    size = 0x100000
    unit = 8
    line = 16  # of the data cache
    id_register = 0xE0042000
    kib_register = 0x1FFF75E0
    device_id = 0

    def __init__(self, keys, seed=1):
        self.keys = keys
        self.random = random.Random(seed)
        self.cells = bytearray(b"\xff" * self.size)
        self.spent = set()  # units programmed since their erase
        self.ecc = {}  # unit address -> ONE_BIT or TWO_BITS
        self.violations = []
        self.nmi = None  # the driver's handler, set by whoever loads it
        self.kib = self.size // 1024
        self.cut_after = None
        self.fail_erase = self.fail_program = False  # worn cells: nothing happens
        self.protected = False  # write protection
        self.stuck = False  # busy for ever
        self.busy_polls = 2
        self.programs = self.erases = 0
        self.power_on()

    def power_on(self):
        """Volatile state as after a reset; cells stay."""
        self.dead = False
        self.regs = {VTOR: DEFAULT_VTOR, SCB_CCR: 0x200}
        self.mask = 0
        self.faults_off = False
        self.priority = 0
        self.cache = {}
        self.busy = 0
        self.radio = []
        self.reset()

    # --- what the driver calls --------------------------------------------------------------

    def reg_read(self, address):
        if address == self.id_register:
            return 0x10000000 | self.device_id
        if address == self.kib_register & ~3:
            return self.kib << (self.kib_register % 4 * 8) & 0xFFFFFFFF
        if self.dead:
            return 0
        return self.register_read(address) & 0xFFFFFFFF

    def reg_write(self, address, value):
        if not self.dead:
            self.register_write(address, value)

    def bus_read32(self, address):
        if self.dead:
            return 0
        if not BASE <= address <= BASE + self.size - 4 or address % 4:
            self.wrong("read outside the flash: %x" % address)
            return 0
        start = address - address % self.line
        found = self.cache.get(start)
        if found is None:
            found = self.cells[start - BASE : start - BASE + self.line]
            state = self.ecc.get(address - address % self.unit, GOOD)
            if state != GOOD:
                self.ecc_error(address, state)
            if state == TWO_BITS:
                return self.random.getrandbits(32)
            if self.cached():
                self.cache[start] = bytes(found)
        at = address - start
        return int.from_bytes(found[at : at + 4], "little")

    def bus_write32(self, address, value):
        if self.dead:
            return
        start, length = self.keys
        if not start <= address < start + length:
            self.wrong("write outside the key region: %x" % address)
        elif not self.priority:
            self.wrong("programming while the file system's interrupt may come")
        else:
            self.flash_write(address, value)

    def cpu(self, what, value):
        if what == MASK:
            before, self.mask = self.mask, 1
            return before
        if what == UNMASK:
            self.mask = value
        elif what == FAULTS:
            if value and not self.mask:
                self.wrong("faults masked with interrupts on")
            self.faults_off = bool(value)
        elif what == PRIORITY:
            before, self.priority = self.priority, value
            return before
        elif what == PRIORITY_BACK:
            self.priority = value
        elif what == RADIO:
            self.radio.append(value)
        return 0

    # --- for the families -------------------------------------------------------------------

    def register_read(self, address):
        return self.regs.get(address, 0)

    def register_write(self, address, value):
        self.regs[address] = value

    def wrong(self, what):
        self.violations.append(what)

    def polled(self):
        """One look at the busy flag: is it still set?"""
        if self.busy:
            self.busy -= not self.stuck
            return True
        return False

    def cut(self):
        """Does the power go during this operation?"""
        if self.cut_after is None:
            return False
        self.cut_after -= 1
        if self.cut_after:
            return False
        self.dead = True
        return True

    def erase_cells(self, start, size):
        """Erase an erase unit; torn when the power goes."""
        self.erases += 1
        self.busy = self.busy_polls
        if not self.keys[0] <= start < self.keys[0] + self.keys[1]:
            self.wrong("erase outside the key region: %x" % start)
            return
        if self.fail_erase:
            return
        at = start - BASE
        if self.cut():
            for i in range(at, at + size):
                if self.random.random() < 0.5:
                    self.cells[i] |= self.random.getrandbits(8)
            for unit in range(start, start + size, self.unit):
                self.damage(unit)
            return
        self.cells[at : at + size] = b"\xff" * size
        for unit in range(start, start + size, self.unit):
            self.spent.discard(unit)
            self.ecc.pop(unit, None)

    def program_cells(self, address, data):
        """Clear bits; torn when the power goes."""
        self.programs += 1
        self.busy = self.busy_polls
        if self.fail_program:
            return
        torn = self.cut()
        at = address - BASE
        for i, byte in enumerate(data):
            if torn:
                byte |= self.random.getrandbits(8)
            self.cells[at + i] &= byte
        unit = address - address % self.unit
        self.spent.add(unit)
        if torn:
            self.damage(unit)

    def damage(self, unit):
        """The correction of a unit after a torn operation: anything is possible."""

    def cached(self):
        """Is the data cache on?"""
        return False

    def ecc_error(self, address, state):
        """A read met a unit with ONE_BIT or TWO_BITS wrong."""

    def reset(self):
        """Registers of the family."""


class Locked:
    """The unlock sequence of one control register."""

    def __init__(self, chip):
        self.chip = chip
        self.open = False
        self.half = False
        self.broken = False

    def key(self, value):
        """One write to the key register: a wrong sequence locks until the next reset."""
        if self.open or self.broken or value != (KEY2 if self.half else KEY1):
            self.broken = True
            self.chip.wrong("wrong key sequence")
        elif self.half:
            self.open = True
        self.half = not self.half

    def lock(self):
        self.open = self.half = False

    def admits(self, value, bit):
        """One write to the control register: does it take? bit: that of the lock itself."""
        if not self.open:
            if value & ~bit:
                self.chip.wrong("control register written while locked")
            return False
        if self.chip.busy:
            self.chip.wrong("control register written while busy")
        if value & bit:
            self.lock()
        return True


class OneController(Chip):
    """F4 and L4, G4, WB: one control register for all banks, a data cache that ACR switches."""

    ACR = 0x00  # the others lie elsewhere in each family
    BSY, STRT, LOCK = 1 << 16, 1 << 16, 1 << 31

    def reset(self):
        self.lock = Locked(self)
        self.acr = 0x700  # prefetch and both caches on, as MicroPython sets them
        self.sr = 0
        self.cr = 0

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
        if not self.lock.admits(value, self.LOCK):
            return
        self.cr = value & ~(self.LOCK | self.STRT)
        if value & self.STRT:
            self.start(value)

    def start(self, value):
        """An erase begins, as `value` of the control register says."""
