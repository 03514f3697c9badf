# SPDX-License-Identifier: MIT
"""Application images (.p11a): what the loader of the AST1030 starts from the SPI flash.

An image is a header of 128 bytes and the payload, little endian:

    0  magic "P11A"           20  sequence, 32 bits
    4  header version, 1      24  version text, 24 bytes of ASCII, padded with NUL
    8  payload length         48  three reserved words, 0
    12 load address           60  CRC-32 (IEEE) of bytes 0 to 59
    16 vector table address   64  SHA-256 of the payload
                              96  zeros up to 128

Promises: `parse` accepts exactly what the loader accepts, and says what is wrong otherwise
(ImageError). The hash finds damage; it is no signature. Standard library only: the firmware's
Makefile runs this file as a script.
"""

import argparse
import hashlib
import struct
import sys
import zlib
from dataclasses import dataclass
from pathlib import Path

MAGIC = b"P11A"
HEADER_VERSION = 1
HEADER_SIZE = 128
CHECKED_SIZE = 60  # bytes covered by the CRC
VERSION_SIZE = 24
REGION_SIZE = 0x100000  # the application region: header and payload
SRAM_SIZE = 0x0C0000
MEMORY_TOP = 0x0BC000  # the loader's memory begins here

_FIELDS = struct.Struct("<4s5I24s3I")
_VECTORS = struct.Struct("<2I")


class ImageError(ValueError):
    """The image is malformed, damaged or does not fit; the text says which."""


@dataclass(frozen=True)
class Image:
    """An application image. Addresses and lengths in bytes."""

    payload: bytes
    version: str
    load: int = 0
    entry: int = 0
    sequence: int = 0

    @property
    def digest(self):
        """SHA-256 of the payload."""
        return hashlib.sha256(self.payload).digest()

    def to_bytes(self):
        """Header and payload, as programmed to the start of the application region."""
        fields = _FIELDS.pack(
            MAGIC,
            HEADER_VERSION,
            len(self.payload),
            self.load,
            self.entry,
            self.sequence,
            self.version.encode(),
            0,
            0,
            0,
        )
        crc = struct.pack("<I", zlib.crc32(fields))
        header = fields + crc + self.digest
        return header.ljust(HEADER_SIZE, b"\0") + self.payload


def make(payload, version, load=0, entry=None, sequence=0):
    """Build an Image from the linked program; `entry` defaults to its first byte.

    The payload is padded to whole words. Raises ImageError if the loader would refuse it.
    """
    text = version.encode("ascii", "replace")
    if not 0 < len(text) <= VERSION_SIZE or text.decode() != version or not version.isprintable():
        raise ImageError(f"version {version!r}: 1 to {VERSION_SIZE} printable ASCII characters")
    payload = bytes(payload) + b"\0" * (-len(payload) % 4)
    image = Image(payload, version, load, load if entry is None else entry, sequence)
    _check_bounds(image)
    _check_vectors(image)
    return image


def parse(data):
    """Check an image as the loader does and return it. Raises ImageError.

    Bytes behind the payload (an erased rest of the region) are ignored.
    """
    if len(data) < HEADER_SIZE:
        raise ImageError(f"not an application image: {len(data)} bytes, the header alone has 128")
    if data[:4] != MAGIC:
        erased = data[:4] == b"\xff\xff\xff\xff"
        raise ImageError("erased, no image" if erased else "not an application image: no 'P11A'")
    fields = _FIELDS.unpack_from(data)
    _, header_version, length, load, entry, sequence, version = fields[:7]
    if struct.unpack_from("<I", data, CHECKED_SIZE)[0] != zlib.crc32(data[:CHECKED_SIZE]):
        raise ImageError("the image header is damaged (CRC-32)")
    if header_version != HEADER_VERSION:
        raise ImageError(f"image header version {header_version}, this tool knows 1")
    payload = bytes(data[HEADER_SIZE : HEADER_SIZE + length])
    if len(payload) != length:
        raise ImageError(f"the image is cut short: {len(payload)} of {length} payload bytes")
    text = version.rstrip(b"\0").decode("ascii", "replace")
    image = Image(payload, text, load, entry, sequence)
    _check_bounds(image)
    if image.digest != bytes(data[64:96]):
        raise ImageError("the payload is damaged (SHA-256)")
    _check_vectors(image)
    return image


def read(path):
    """Read and check an image file. Raises ImageError, OSError."""
    return parse(Path(path).read_bytes())


def _check_bounds(image):
    """The loader's rules for addresses and lengths."""
    length = len(image.payload)
    if length < _VECTORS.size:
        raise ImageError(f"the payload has {length} bytes, too few to be a program")
    if length > REGION_SIZE - HEADER_SIZE:
        raise ImageError(f"the payload has {length} bytes, {REGION_SIZE - HEADER_SIZE} fit")
    if image.load % 4 or image.load + length > MEMORY_TOP:
        raise ImageError(
            f"{length} bytes at 0x{image.load:x} do not fit below 0x{MEMORY_TOP:x} in SRAM"
        )
    offset = image.entry - image.load
    if image.entry % 128 or not 0 <= offset <= length - _VECTORS.size:
        raise ImageError(f"no vector table at 0x{image.entry:x} inside the payload")


def _check_vectors(image):
    """The loader's rules for the first two vectors."""
    stack, reset = _VECTORS.unpack_from(image.payload, image.entry - image.load)
    if not 0 < stack <= SRAM_SIZE or stack % 8:
        raise ImageError(f"initial stack pointer 0x{stack:x} is not in SRAM")
    if reset % 2 == 0 or not image.load <= reset < image.load + len(image.payload):
        raise ImageError(f"reset vector 0x{reset:x} is not Thumb code inside the payload")


def main(arguments=None):
    """`make PROGRAM.bin IMAGE --version TEXT` or `show IMAGE`. Returns the exit code."""
    parser = argparse.ArgumentParser(prog="image", description="make or check a .p11a image")
    commands = parser.add_subparsers(dest="command", required=True)
    build = commands.add_parser("make", help="build an image from a linked program")
    build.add_argument("program", type=Path, help="raw binary, loaded at address 0")
    build.add_argument("image", type=Path)
    build.add_argument("--version", required=True, help="1 to 24 ASCII characters")
    build.add_argument("--sequence", type=int, default=0)
    show = commands.add_parser("show", help="check an image and print its header")
    show.add_argument("image", type=Path)
    options = parser.parse_args(arguments)
    try:
        if options.command == "make":
            image = make(options.program.read_bytes(), options.version, sequence=options.sequence)
            partial = options.image.with_name(options.image.name + ".part")
            partial.write_bytes(image.to_bytes())
            partial.replace(options.image)
        else:
            image = read(options.image)
            print(f"version {image.version}, {len(image.payload)} bytes")
            print(f"SHA-256 {image.digest.hex()}")
    except (ImageError, OSError) as error:
        print(f"image: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
