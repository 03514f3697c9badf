# SPDX-License-Identifier: MIT
"""The emulated board's flash file, programmed the way a programmer clips on to the chip.

Assumes the board is off: QEMU and this module must never have the file open together (the
caller holds the emulator's lock).  Promises: NOR semantics (an erase sets whole sectors to
0xff, a program only clears bits, in pages), read-back after every step, and writes to the
two application slots and the number of a new chip only.  Sectors that already hold the wanted
bytes are left alone.
"""

import hashlib
import os
import secrets
from contextlib import suppress
from dataclasses import dataclass

from p11board import flashmap, image, signing
from p11board.errors import EmulatorProblem, FileProblem

NUMBER_BYTES = 8


def create_blank(path):
    """Create the chip as it leaves the factory: every byte erased, every block allocated.

    The file appears under its name only when it is complete, so that an interrupted run
    leaves nothing that looks like a flash image.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(path.name + ".part")
    block = b"\xff" * (1 << 20)
    with open(partial, "wb") as file:
        for _ in range(flashmap.CHIP_SIZE // len(block)):
            file.write(block)
    os.replace(partial, path)


def give_number(path):
    """Write the board's number, as its factory would: 8 random bytes, once in a chip's life.

    The firmware reads it where the chip has no id of its own, as in QEMU; the token's serial
    number comes from it.  A chip that holds keys and no number is left as it is: the serial
    number of a token must not change.  Returns True when it was written.
    """
    with FlashFile(path) as flash:
        if not (flash.is_blank(flashmap.ID) and flash.is_blank(flashmap.KEYS)):
            return False
        flash.program_page(flashmap.ID.offset, secrets.token_bytes(NUMBER_BYTES))
    return True


def check_size(path):
    """Refuse a flash file that is not exactly one chip long."""
    size = path.stat().st_size
    if size != flashmap.CHIP_SIZE:
        raise EmulatorProblem(
            f"{path} has {size} bytes, the board's flash has exactly {flashmap.CHIP_SIZE}",
            "it is not a flash image of this board; move it away, or start with --fresh",
        )


class FlashFile:
    """The chip behind its file. Use as a context manager."""

    def __init__(self, path):
        if not path.exists():
            raise EmulatorProblem(
                f"no flash image at {path}", "create it with `p11board emulate start`"
            )
        check_size(path)
        self.path = path
        self.file = None

    def __enter__(self):
        self.file = open(self.path, "r+b", buffering=0)
        return self

    def __exit__(self, *exc):
        os.fsync(self.file.fileno())
        self.file.close()

    def read(self, offset, length):
        """`length` bytes from `offset`."""
        self.file.seek(offset)
        return self.file.read(length)

    def erase_sector(self, offset):
        """Set the sector at `offset` (a multiple of the sector size) to 0xff; verified."""
        if offset % flashmap.SECTOR_SIZE:
            raise ValueError("erase must start at a sector")
        blank = b"\xff" * flashmap.SECTOR_SIZE
        self.file.seek(offset)
        self.file.write(blank)
        self._verify(offset, blank)

    def program_page(self, offset, data):
        """Clear bits within one page, as the chip does: stored AND data; verified."""
        if offset // flashmap.PAGE_SIZE != (offset + len(data) - 1) // flashmap.PAGE_SIZE:
            raise ValueError("a program must stay within one page")
        stored = self.read(offset, len(data))
        self.file.seek(offset)
        self.file.write(bytes(a & b for a, b in zip(stored, data)))
        self._verify(offset, data)

    def hash_region(self, region):
        """SHA-256 of the raw bytes of a region, as hex."""
        return hashlib.sha256(self.read(region.offset, region.size)).hexdigest()

    def is_blank(self, region):
        """True if every byte of the region reads erased."""
        return self.read(region.offset, region.size) == b"\xff" * region.size

    def _verify(self, offset, wanted):
        if self.read(offset, len(wanted)) != wanted:
            raise EmulatorProblem(
                f"flash at 0x{offset:06x} does not read back what was written",
                f"is {self.path} open elsewhere, or the disk full? Nothing else was changed",
            )


def check_fits(data, what):
    """Refuse an application image that would reach beyond the application region."""
    if len(data) <= flashmap.APP.size:
        return
    touched = [r.name for r in flashmap.regions_touched(flashmap.APP.offset, len(data))[1:]]
    over = "the key region" if "keys" in touched else "the regions behind it"
    raise FileProblem(
        f"{what} has {len(data)} bytes, the application region {flashmap.APP.size}",
        f"programming it would overwrite {over} ({', '.join(touched)}); nothing was written",
    )


@dataclass(frozen=True)
class Application:
    """A checked application image: its bytes (header and payload) and its version string."""

    data: bytes
    version: str


def load_application(path):
    """Read and check an application image (.p11a). Raises FileProblem, one line."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise FileProblem(
            f"cannot read {path}: {error.strerror}", "build the firmware with `make firmware`"
        ) from None
    if data.startswith(signing.MAGIC):  # a programmer needs no signature, but takes the image out
        data = signing.unwrap(data)[1]
    check_fits(data, path)
    try:
        header = image.parse(data)
    except ValueError as error:
        raise FileProblem(
            f"{path} is not a valid application image ({error})", "build one with `make firmware`"
        ) from None
    return Application(data, header.version)


def booting(flash):
    """The image.Image that the loader would start from a FlashFile, or None."""
    found = []
    for slot in flashmap.SLOTS:
        with suppress(image.ImageError):
            found.append(image.parse(flash.read(slot.offset, slot.size)))
    return max(found, key=lambda each: each.sequence, default=None)  # of equals the first


def program_app(path, data, progress=None, dry_run=False):
    """Program an application image into the first slot of the flash file; erase the second.

    Sectors whose content already matches are skipped, the others are erased and programmed
    page by page.  Behind the image the slot is erased, so that no bytes of an older, longer
    application stay.  The sector with the header goes last, and the second slot, whose image
    might be preferred, after it: the loader never sees half an image.

    `progress(done)` is called with the bytes handled so far; `dry_run` only counts.
    Returns (sectors rewritten, sectors in the two slots).
    """
    check_fits(data, "the image")
    size = flashmap.SECTOR_SIZE
    padded = data + b"\xff" * (flashmap.APP.size - len(data))
    with FlashFile(path) as flash:
        changed = [
            start
            for start in range(0, flashmap.APP.size, size)
            if flash.read(flashmap.APP.offset + start, size) != padded[start : start + size]
        ]
        blank = b"\xff" * size
        other = [
            start
            for start in range(flashmap.APP2.offset, flashmap.APP2.end, size)
            if flash.read(start, size) != blank
        ]
        if not dry_run and changed:
            flash.erase_sector(flashmap.APP.offset)
            if 0 not in changed:
                changed.insert(0, 0)
            order = changed[1:] + changed[:1]
            for count, start in enumerate(order):
                _program_sector(flash, start, padded[start : start + size])
                if progress:
                    progress((count + 1) * size)
        if not dry_run:
            for start in other:
                flash.erase_sector(start)
    return len(changed) + len(other), 2 * flashmap.APP.size // size


def _program_sector(flash, start, content):
    base = flashmap.APP.offset + start
    flash.erase_sector(base)
    page_size = flashmap.PAGE_SIZE
    for page in range(0, len(content), page_size):
        data = content[page : page + page_size]
        if data != b"\xff" * len(data):
            flash.program_page(base + page, data)
