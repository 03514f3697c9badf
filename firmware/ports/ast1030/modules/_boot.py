# SPDX-License-Identifier: MIT
"""Mounts the user's file system at / before boot.py runs.

The flash region "fs" is formatted only while it is blank: a region that holds anything else is
never written here. If it cannot be mounted, files live in RAM until the next reset and one
line says so. Nothing here can stop the boot.
"""

import ast1030
import p11crypto
import vfs

SIZES = {"progsize": 32, "readsize": 32, "lookahead": 32}  # bytes


class RamBlocks:
    """Block device in RAM, the stopgap: 32 KiB."""

    def __init__(self, blocks=64, size=512):
        self.size = size
        self.data = bytearray(blocks * size)

    def readblocks(self, block, buf, offset=0):
        """Read from a block."""
        start = block * self.size + offset
        buf[:] = memoryview(self.data)[start : start + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        """Write to a block."""
        start = block * self.size + offset
        self.data[start : start + len(buf)] = buf

    def ioctl(self, operation, argument):
        """Number of blocks (4), their size (5), erase (6): as MicroPython's block devices."""
        if operation == 4:
            return len(self.data) // self.size
        if operation == 5:
            return self.size
        if operation == 6:
            return 0


def is_blank(blocks):
    """True if every byte of a block device reads erased."""
    size = blocks.ioctl(5, 0)
    erased = b"\xff" * size
    buf = bytearray(size)
    for block in range(blocks.ioctl(4, 0)):
        blocks.readblocks(block, buf)
        if buf != erased:
            return False
    return True


def mount_flash():
    """Mounts the file system in flash at /; formats it first if the region is blank."""
    blocks = ast1030.Flash("fs")
    try:
        files = vfs.VfsLfs2(blocks, **SIZES)
    except OSError:
        if not is_blank(blocks):
            raise
        vfs.VfsLfs2.mkfs(blocks, **SIZES)
        files = vfs.VfsLfs2(blocks, **SIZES)
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

if not p11crypto.has_source():  # a build without entropy source: the stored seed, once each boot
    from pal import nv_seed

    nv_seed.at_boot()
