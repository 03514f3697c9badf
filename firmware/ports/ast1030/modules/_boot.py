# SPDX-License-Identifier: MIT
"""Mounts the user's file system at / before boot.py runs.

The flash region "fs" is formatted only while it is blank: a region that holds anything else is
never written here. If it cannot be mounted, files live in RAM until the next reset and one
line says so. Nothing here can stop the boot.
"""

import vfs


class FlashBlocks:
    """Block device over a flash region, for littlefs (extended interface, 4 KiB blocks)."""

    def __init__(self, region):
        self.region = region
        self.size = region.erase_size()
        self.page = region.page()

    def readblocks(self, block, buf, offset=0):
        self.region.read(block * self.size + offset, buf)

    def writeblocks(self, block, buf, offset=None):
        address = block * self.size
        if offset is None:
            self.region.erase(address, len(buf))
            offset = 0
        address += offset
        view = memoryview(buf)
        start = 0
        while start < len(buf):
            # A program stays within one page of the chip.
            step = min(self.page - (address + start) % self.page, len(buf) - start)
            self.region.program(address + start, view[start : start + step])
            start += step

    def ioctl(self, op, arg):
        if op == 4:
            return self.region.size() // self.size
        if op == 5:
            return self.size
        if op == 6:
            self.region.erase(arg * self.size, self.size)
            return 0

    def blank(self):
        """True if every byte of the region reads erased."""
        buf = bytearray(self.size)
        erased = b"\xff" * self.size
        for block in range(self.region.size() // self.size):
            self.readblocks(block, buf)
            if buf != erased:
                return False
        return True


class RamBlocks:
    """Block device in RAM, the stopgap."""

    def __init__(self, blocks=64, size=512):
        self.size = size
        self.data = bytearray(blocks * size)

    def readblocks(self, block, buf, offset=0):
        start = block * self.size + offset
        buf[:] = memoryview(self.data)[start : start + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        start = block * self.size + offset
        self.data[start : start + len(buf)] = buf

    def ioctl(self, op, arg):
        if op == 4:
            return len(self.data) // self.size
        if op == 5:
            return self.size
        if op == 6:
            return 0


def mount_flash():
    """Mounts the file system in flash at /; formats it first if the region is blank."""
    import rawflash

    blocks = FlashBlocks(rawflash.Region("fs"))
    try:
        files = vfs.VfsLfs2(blocks, progsize=32, readsize=32, lookahead=32)
    except OSError:
        if not blocks.blank():
            raise
        vfs.VfsLfs2.mkfs(blocks, progsize=32, readsize=32, lookahead=32)
        files = vfs.VfsLfs2(blocks, progsize=32, readsize=32, lookahead=32)
    vfs.mount(files, "/")


def mount_ram():
    """Mounts an empty file system in RAM at /."""
    blocks = RamBlocks()
    vfs.VfsLfs2.mkfs(blocks)
    vfs.mount(blocks, "/")


try:
    mount_flash()
except Exception as error:
    print("flash file system not usable (%r): files are kept in RAM until reset" % error)
    mount_ram()
