# SPDX-License-Identifier: MIT
"""The two application slots of the SPI flash, and the one an update goes to.

    from pkcs11 import codeverify
    codeverify.install("/update.p11u", appslots.Slot())

The loader starts the image with the higher sequence number; its header is what makes a slot
bootable. Promises: nothing is written but the slot that does not run (rawflash refuses the
other one and knows no address outside the regions); its header goes first and comes back last, in
one program operation of one page, so that power may go at any moment: the loader finds the old
image, or the new one whole.
"""

import binascii
import struct

from micropython import const

from pkcs11.manifest import SlotError

NAMES = ("app", "app2")
HEADER = const(128)
_CHECKED = const(60)  # bytes under the CRC
_MEMORY_TOP = const(0x0BC000)  # of the loader: an image must end below
_VECTORS = const(8)
_FIELDS = "<4s5I24s3II"
_SEQUENCE_AT = const(20)


class Header:
    """The header of an application image (tools/p11board/image.py says every byte).

    Attributes: length, load, entry, sequence, version (text). SlotError where the loader would
    refuse it; the payload is not looked at.
    """

    def __init__(self, data):
        magic, form, self.length, self.load, self.entry, self.sequence, version, _, _, _, crc = (
            struct.unpack_from(_FIELDS, data)
        )
        if magic != b"P11A" or form != 1 or crc != binascii.crc32(data[:_CHECKED]):
            raise SlotError("not an application image for this board's loader")
        offset = self.entry - self.load
        if (
            self.length < _VECTORS
            or self.load % 4
            or self.load + self.length > _MEMORY_TOP
            or self.entry % 128
            or not 0 <= offset <= self.length - _VECTORS
        ):
            raise SlotError("the loader would refuse the image: its addresses are wrong")
        self.version = bytes(version).rstrip(b"\0").decode()


def running(region=None):
    """Return the rawflash.Region of the slot that runs; SlotError where the loader did not say.

    region: makes a region from its name; None: rawflash.Region.
    """
    return _pair(region)[0]


def _pair(region):
    if region is None:
        from rawflash import Region as region
    pair = [region(name) for name in NAMES]
    if pair[0].writable():
        pair.reverse()
    if pair[0].writable() or not pair[1].writable():
        raise SlotError("it is not known which slot runs: was the loader started?")
    return pair


class Slot:
    """The slot that does not run, as codeverify.install takes it."""

    def __init__(self, region=None):
        old, self.region = _pair(region)
        data = bytearray(HEADER)
        old.read(0, data)
        self.sequence = Header(data).sequence + 1
        self.sector = self.region.erase_size()
        self.header = None

    def begin(self, length):
        """Make room for an image of so many bytes. From here on the slot does not boot."""
        if not HEADER < length <= self.region.size():
            raise SlotError(
                "%d bytes do not fit into the slot of %d" % (length, self.region.size())
            )
        self.length = length
        self.header = bytearray(HEADER)
        self.at = 0
        self._do(self.region.erase, 0, self.sector)
        self.erased = self.sector

    def write(self, piece):
        """Append bytes. The header stays in memory, everything else goes to the flash."""
        view = memoryview(piece)
        if self.at + len(view) > self.length:
            raise SlotError("more bytes than announced")
        head = min(len(view), max(0, HEADER - self.at))
        if head:
            memoryview(self.header)[self.at : self.at + head][:] = view[:head]
            self.at += head
        view = view[head:]
        while self.erased < self.at + len(view):
            self._do(self.region.erase, self.erased, self.sector)
            self.erased += self.sector
        if len(view):
            self._do(self.region.program, self.at, view)
            self.at += len(view)

    def reader(self):
        """Return a stream of what the slot will boot: the header from memory, the rest as read.

        SlotError when the loader would refuse that header.
        """
        if Header(self.header).length != self.length - HEADER:
            raise SlotError("the image has another length than its header says")
        return _Reader(self.region, self.header, self.at)

    def commit(self):
        """Program the header: from here on the loader starts this image."""
        if self.at != self.length:
            raise SlotError("%d of %d bytes are written" % (self.at, self.length))
        struct.pack_into("<I", self.header, _SEQUENCE_AT, self.sequence)
        crc = binascii.crc32(memoryview(self.header)[:_CHECKED])
        struct.pack_into("<I", self.header, _CHECKED, crc)
        self._do(self.region.program, 0, self.header)

    def _do(self, call, *arguments):
        try:
            call(*arguments)
        except OSError as error:
            raise SlotError("the flash refuses: error %d" % error.args[0])


class _Reader:
    """The stream of Slot.reader."""

    def __init__(self, region, header, end):
        self.region = region
        self.header = header
        self.end = end
        self.at = 0

    def readinto(self, buf):
        """Fill buf; return the number of bytes, 0 at the end."""
        if self.at < HEADER:
            count = min(len(buf), HEADER - self.at)
            memoryview(buf)[:count] = memoryview(self.header)[self.at : self.at + count]
        else:
            count = min(len(buf), self.end - self.at)
            if count and self.region.read(self.at, memoryview(buf)[:count]) == 2:
                raise SlotError("the flash lost a unit")
        self.at += count
        return count
