# SPDX-License-Identifier: MIT
"""What the tests of verified updates share: signed images, and a chip with two slots in RAM.

The chip has NOR rules and a plug: `cut` names the operation (erase or program, of the slots or of
the token's store) in which power fails, `variant` how much of it had happened.
"""

import io
import random
import sys
from pathlib import Path

from token_kit import ec_key, guide_public, log_in

from p11board import flashing, flashmap, image, signing
from pkcs11.application import Application
from pkcs11.keys import Token

sys.path.append(str(Path(__file__).parents[2] / "firmware" / "ports" / "ast1030" / "modules"))

import appslots  # noqa: E402

BOARD = "AST1030_EVB"
SIGNER = ec_key()
VARIANTS = ("not started", "half", "almost", "complete")


class PowerCut(BaseException):
    """The plug was pulled. No program may catch this."""


def application(size=10000, version="1.0"):
    """An image the loader takes, of `size` bytes in all."""
    vectors = (0x1000).to_bytes(4, "little") + (0x9).to_bytes(4, "little")
    body = vectors + random.Random(version).randbytes(size - image.HEADER_SIZE - len(vectors))
    return image.make(body, version).to_bytes()


def signed(data, key=SIGNER, security=1, board=BOARD, version="1.0"):
    """Manifest and image."""
    return signing.sign(data, key, security, board, version).to_bytes() + data


def enrolled(token, key=SIGNER):
    """The board's token with a Code Verify Key; returns it opened without login."""
    app = Application(token)
    app.C_Initialize()
    app.C_CreateObject(log_in(app), guide_public(key, b"Code Verify Key"))
    app.C_Finalize()
    return Token(Application(token))


class Trickle(io.BytesIO):
    """A stream that gives at most `most` bytes at a time, as a socket may."""

    def __init__(self, data, most):
        super().__init__(data)
        self.most = most

    def readinto(self, buf):
        return super().readinto(memoryview(buf)[: self.most])


class Chip:
    """The application part of the flash: `runs` is the slot the loader started."""

    def __init__(self, running):
        self.data = bytearray(b"\xff" * flashmap.APP2.end)
        self.data[: len(running)] = running
        self.runs = "app"
        self.operations = 0
        self.log = []
        self.cut = None
        self.variant = "not started"
        self.draw = random.Random(1)

    def region(self, name):
        """As rawflash.Region."""
        return Region(self, next(r for r in flashmap.SLOTS if r.name == name))

    def read(self, offset, length):
        """As flashing.FlashFile."""
        return bytes(self.data[offset : offset + length])

    def boots(self):
        """The version that the loader would start, None for none."""
        found = flashing.booting(self)
        return found and found.version

    def slot(self):
        """Where an update goes."""
        return appslots.Slot(self.region)

    def reset(self):
        """What the loader does; returns the version that runs now."""
        first = flashing.booting(self)
        slots = [self.read(slot.offset, flashmap.APP.size) for slot in flashmap.SLOTS]
        self.runs = "app2" if slots[1].startswith(first.to_bytes()) else "app"
        return first.version

    def step(self, *what):
        """Count an operation; says whether power fails in it."""
        self.operations += 1
        self.log.append(what)
        return self.operations == self.cut

    def change(self, at, wanted, cut):
        """Bring bytes to their new state, or, in a cut, some of their bits."""
        share = VARIANTS.index(self.variant) if cut else 3
        if share == 3:
            self.data[at : at + len(wanted)] = wanted
        else:
            old = int.from_bytes(self.data[at : at + len(wanted)], "little")
            new = int.from_bytes(wanted, "little")
            take = self.draw.getrandbits(8 * len(wanted))
            if share == 2:
                take |= self.draw.getrandbits(8 * len(wanted)) | self.draw.getrandbits(
                    8 * len(wanted)
                )
            if share:
                old ^= (old ^ new) & take
            self.data[at : at + len(wanted)] = old.to_bytes(len(wanted), "little")
        if cut:
            raise PowerCut


class Region:
    """rawflash.Region over a Chip."""

    def __init__(self, chip, place):
        self.chip = chip
        self.place = place

    def size(self):
        return self.place.size

    def erase_size(self):
        return flashmap.SECTOR_SIZE

    def writable(self):
        return self.chip.runs is not None and self.chip.runs != self.place.name

    def read(self, offset, buf):
        assert 0 <= offset and offset + len(buf) <= self.place.size
        at = self.place.offset + offset
        buf[:] = self.chip.data[at : at + len(buf)]
        return 0

    def erase(self, offset, length):
        self._check(offset, length)
        assert offset % flashmap.SECTOR_SIZE == length % flashmap.SECTOR_SIZE == 0
        for at in range(offset, offset + length, flashmap.SECTOR_SIZE):
            cut = self.chip.step(self.place.name, "erase", at)
            blank = b"\xff" * flashmap.SECTOR_SIZE
            self.chip.change(self.place.offset + at, blank, cut)

    def program(self, offset, data):
        self._check(offset, len(data))
        data = bytes(data)
        while data:
            room = flashmap.PAGE_SIZE - offset % flashmap.PAGE_SIZE
            part, data = data[:room], data[room:]
            at = self.place.offset + offset
            assert self.chip.data[at : at + len(part)] == b"\xff" * len(part), "not erased"
            self.chip.change(at, part, self.chip.step(self.place.name, "program", offset))
            offset += len(part)

    def _check(self, offset, length):
        if not self.writable():
            raise OSError(30)
        if offset < 0 or offset + length > self.place.size:
            raise OSError(22)
