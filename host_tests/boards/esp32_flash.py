# SPDX-License-Identifier: MIT
"""`esp32.Partition` and `esp.flash_read` as MicroPython's esp32 port gives them, over SPI NOR.

The chip has NOR semantics. With flash encryption the cells hold a keyed permutation of the
data that depends on the address, writes must be whole 16-byte blocks, and a row of 32 bytes on
the first ESP32 is encrypted and written as a whole. A power cut leaves a write or an erase half
done.
"""

import hashlib
import random

from layout import partitions

from p11board.flash_real_files import ENCRYPTED

SECTOR = 4096
ESP_ERR_INVALID_ARG = 0x102
ESP_ERR_INVALID_SIZE = 0x104
ESP_ERR_FLASH_OP_FAIL = 0x6001


class Chip:
    """The SPI NOR chip with its partitions: [(type, subtype, address, size, label, encrypted)]."""

    def __init__(self, table, size=0x400000, encryption=False, seed=1):
        self.table = table
        self.cells = bytearray(b"\xff" * size)
        self.encryption = encryption
        self.random = random.Random(seed)
        self.cut_after = None
        self.dead = False
        self.fails = False  # the driver reports errors
        self.worn = False  # nothing takes, nothing is reported
        self.touched = []  # (address, length) of every program and erase

    def pad(self, address, length):
        """The key stream of the model's cipher for `length` bytes at `address`."""
        out = b""
        for block in range(address // 16, (address + length + 15) // 16):
            out += hashlib.sha256(b"key %d" % block).digest()[:16]
        return out[address % 16 :][:length]

    def change(self, address, data):
        """Clear bits (data) or erase (None); returns nothing, tears at a power cut."""
        if self.dead:
            return
        length = SECTOR if data is None else len(data)
        self.touched.append((address, length))
        if self.worn:
            return
        torn = False
        if self.cut_after is not None:
            self.cut_after -= 1
            torn = self.dead = self.cut_after == 0
        for i in range(length):
            old = self.cells[address + i]
            new = 0xFF if data is None else old & data[i]
            if torn:
                chosen = self.random.getrandbits(8)
                new = old & ~chosen | new & chosen
            self.cells[address + i] = new


class Partition:
    """esp32.Partition."""

    chip = None  # set by whoever installs the module
    TYPE_APP = 0
    TYPE_DATA = 1

    def __init__(self, row):
        self.row = row
        self.encrypted = bool(row[5] and self.chip.encryption)

    @classmethod
    def find(cls, type=0, subtype=0xFF, label=None, block_size=SECTOR):
        """Partitions that match, in the order of the table."""
        return [
            cls(row)
            for row in cls.chip.table
            if row[0] == type and subtype in (0xFF, row[1]) and label in (None, row[4])
        ]

    def info(self):
        return self.row[:5] + (self.encrypted,)

    def readblocks(self, block, buf, offset=0):
        at = self.place(block, offset, len(buf))
        data = bytes(self.chip.cells[at : at + len(buf)])
        if self.encrypted:
            data = bytes(a ^ b for a, b in zip(data, self.chip.pad(at, len(buf))))
        buf[:] = data

    def writeblocks(self, block, buf, offset=None):
        if offset is None:
            for i in range(len(buf) // SECTOR):
                self.ioctl(6, block + i)
            offset = 0
        at = self.place(block, offset, len(buf))
        if self.chip.fails:
            raise OSError(ESP_ERR_FLASH_OP_FAIL)
        data = bytes(buf)
        if self.encrypted:
            if at % 16 or len(buf) % 16:
                raise OSError(ESP_ERR_INVALID_SIZE)
            data = bytes(a ^ b for a, b in zip(data, self.chip.pad(at, len(buf))))
        self.chip.change(at, data)

    def ioctl(self, command, argument):
        if command == 4:
            return self.row[3] // SECTOR
        if command == 5:
            return SECTOR
        if command == 6:
            at = self.place(argument, 0, SECTOR)
            if self.chip.fails:
                raise OSError(ESP_ERR_FLASH_OP_FAIL)
            self.chip.change(at, None)
            return 0
        return None

    def place(self, block, offset, length):
        at = block * SECTOR + offset
        if at < 0 or at + length > self.row[3]:
            raise OSError(ESP_ERR_INVALID_ARG)
        return self.row[2] + at


def flash_read(address, buf):
    """esp.flash_read: the cells as they are."""
    chip = Partition.chip
    buf[:] = chip.cells[address : address + len(buf)]


def table(board="ESP32_GENERIC"):
    """The board's own partition table as the port reports it."""
    for part in partitions(board):
        encrypted = part.flags == ENCRYPTED
        yield (part.kind, part.subtype, part.offset, part.size, part.name, encrypted)
