# SPDX-License-Identifier: MIT
"""The flash device: what the store asks of a board's flash, and what it may assume.

A device is any object with

    caps                      a `Caps`
    read(offset, buf)         fills buf; returns 0, or CORRECTED and FAULTED or-ed. A unit that
                              faults never traps: it is presented as FAULT bytes (as erased bytes
                              where erased_read_may_fault is set and the raw data is all ones).
    raw_read(offset, buf)     the same below any encryption; `read` itself on plain flash
    program(offset, buf)      whole program units of erased flash, at most caps.max_prog bytes,
                              read back and compared. FlashError when it did not take.
    erase(sector)             erases sector number `sector`, reads it back. FlashError likewise.

Offsets count from the start of the region. Zeros may be programmed over anything where
caps.zero_mode allows it, and over the traces of an interrupted program everywhere.
Assumed: bits only go from 1 to 0 between erases; a program that returned stays. Nothing is
assumed of an operation that power cut short, nor of a cell that merely reads erased.
"""

from micropython import const

ZERO_NONE = const(0)  # a unit is programmed once
ZERO_UNIT = const(1)  # a whole unit may be programmed to zero again
ZERO_ANY = const(2)  # any bit may go to zero at any time

CORRECTED = const(1)  # read: some unit needed its error correction
FAULTED = const(2)  # read: some unit could not be read
FAULT = const(0x5A)  # what such a unit is presented as


class FlashError(Exception):
    """A program or an erase that did not take, or was refused by the flash."""


class Caps:
    """What a flash region can do.

    prog_unit 1, 8, 16 or 32 bytes; sectors a list of (offset, size), size in bytes, 2 to 32 of
    them; max_prog the most bytes of one program call; endurance in erases.
    """

    def __init__(
        self,
        prog_unit,
        sectors,
        max_prog,
        zero_mode,
        endurance=10000,
        read_may_fault=False,
        erased_read_may_fault=False,
        encrypted=False,
    ):
        self.prog_unit = prog_unit
        self.sectors = sectors
        self.max_prog = max_prog
        self.zero_mode = zero_mode
        self.endurance = endurance
        self.read_may_fault = read_may_fault
        self.erased_read_may_fault = erased_read_may_fault
        self.encrypted = encrypted
        self.count = len(sectors)
        self.erase_unit = min(size for _, size in sectors)


def uniform(erase_unit, count):
    """Return the sector list of a region of `count` equal erase units of `erase_unit` bytes."""
    return [(i * erase_unit, erase_unit) for i in range(count)]
