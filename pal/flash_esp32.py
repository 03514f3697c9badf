# SPDX-License-Identifier: MIT
"""A partition of an ESP32's SPI flash as a flash device (see `pal.flash`), without C of our own.

The partition has the type 0x40 (applications' own) and the label "pkcs11". The driver below it
is ESP-IDF's: it stalls the other core and parks the cache. Nothing verifies there, so programs
and erases are read back here.

Under flash encryption a unit is 32 bytes (the first ESP32 encrypts rows of 32), is programmed
once, and erased flash decrypts to noise: whether it is blank is asked below the encryption.
"""

from .flash import ZERO_ANY, ZERO_NONE, Caps, FlashError, uniform

LABEL = "pkcs11"
TYPE = 0x40
SECTOR = 4096
PAGE = 256
ENDURANCE = 100000  # erases per sector, as SPI NOR chips state
ENCRYPTED_UNIT = 32


def partition(label=LABEL):
    """Return the token's partition. OSError when the partition table has none."""
    from esp32 import Partition

    found = Partition.find(type=TYPE, label=label)
    if not found:
        raise OSError("no partition '%s' of type 0x40: flash this board's partition table" % label)
    return found[0]


class FlashESP32:
    """Flash device over an `esp32.Partition` (or anything with its readblocks, writeblocks …)."""

    def __init__(self, part=None):
        self.part = part = part or partition()
        _, _, self.address, size, _, encrypted = part.info()
        self.caps = Caps(
            ENCRYPTED_UNIT if encrypted else 1,
            uniform(SECTOR, size // SECTOR),
            PAGE,
            ZERO_NONE if encrypted else ZERO_ANY,
            ENDURANCE,
            encrypted=bool(encrypted),
        )
        self.buf = bytearray(PAGE)
        self.erased = b"\xff" * PAGE
        if encrypted:
            import esp

            self.flash_read = esp.flash_read
        else:
            self.raw_read = self.read

    def read(self, offset, buf):
        """Fill buf from byte `offset` of the partition, decrypted."""
        self.part.readblocks(offset // SECTOR, buf, offset % SECTOR)
        return 0

    def raw_read(self, offset, buf):
        """Fill buf with the cells themselves."""
        self.flash_read(self.address + offset, buf)
        return 0

    def program(self, offset, buf):
        """Program whole units at `offset`. FlashError when it did not take."""
        unit = self.caps.prog_unit
        if offset % unit or len(buf) % unit or len(buf) > PAGE:
            raise FlashError("unit")
        try:
            self.part.writeblocks(offset // SECTOR, buf, offset % SECTOR)
            seen = memoryview(self.buf)[: len(buf)]
            self.read(offset, seen)
        except OSError as error:
            raise FlashError(error)
        if seen != buf:
            raise FlashError("verify")

    def erase(self, sector):
        """Erase one sector. FlashError when it did not take."""
        try:
            if self.part.ioctl(6, sector):
                raise FlashError("erase")
            for offset in range(sector * SECTOR, (sector + 1) * SECTOR, PAGE):
                self.raw_read(offset, self.buf)
                if self.buf != self.erased:
                    raise FlashError("verify")
        except OSError as error:
            raise FlashError(error)
