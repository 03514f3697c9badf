# SPDX-License-Identifier: MIT
"""A file as the token's flash device (see `pal.flash`), where stock firmware has no raw flash.

The file stands for 8 sectors of 4 KiB. Each program and erase is written through; that is as
safe against power cuts as the file system below (littlefs is, FAT is not).
"""

from pal.flash import ZERO_ANY, Caps, FlashError, uniform

SECTOR = 4096
COUNT = 8
PAGE = 256


class FlashFile:
    """Flash device over the file at `path`, created blank when it is not there."""

    def __init__(self, path="/pkcs11.flash"):
        self.caps = Caps(1, uniform(SECTOR, COUNT), PAGE, ZERO_ANY, 100000)
        self.buf = bytearray(PAGE)
        try:
            self.file = open(path, "r+b")
        except OSError:
            with open(path, "wb") as file:
                for _ in range(SECTOR * COUNT // PAGE):
                    file.write(b"\xff" * PAGE)
            self.file = open(path, "r+b")
        if self.file.seek(0, 2) != SECTOR * COUNT:
            raise OSError("%s is not the token's file: it has another length" % path)

    def read(self, offset, buf):
        """Fill buf from byte `offset`."""
        self.file.seek(offset)
        if self.file.readinto(buf) != len(buf):
            raise FlashError("read")
        return 0

    raw_read = read

    def program(self, offset, buf):
        """Clear bits as NOR flash does. FlashError when the file does not take it."""
        seen = memoryview(self.buf)[: len(buf)]
        self.read(offset, seen)
        for i in range(len(buf)):
            seen[i] &= buf[i]
        self._write(offset, seen)
        if seen != buf:
            raise FlashError("verify")

    def erase(self, sector):
        """Fill one sector with ones."""
        for offset in range(sector * SECTOR, (sector + 1) * SECTOR, PAGE):
            self._write(offset, b"\xff" * PAGE)

    def _write(self, offset, data):
        try:
            self.file.seek(offset)
            self.file.write(data)
            self.file.flush()
        except OSError as error:
            raise FlashError(error) from None
