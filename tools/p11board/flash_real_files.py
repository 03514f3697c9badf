# SPDX-License-Identifier: MIT
"""The formats that say where bytes go: ESP-IDF's partition table (binary and CSV), ST's DfuSe file.

The parsers check everything they read and raise ValueError with a sentence.
"""

import hashlib
import struct
import zlib
from dataclasses import dataclass

TABLE_OFFSET = 0x8000  # where the table lies in an ESP32's flash
TABLE_SIZE = 0xC00
_ENTRY = struct.Struct("<2sBBLL16sL")
_MAGIC = b"\xaa\x50"
_DIGEST = b"\xeb\xeb" + b"\xff" * 14
TYPES = {"app": 0, "data": 1}
SUBTYPES = {"factory": 0x00, "phy": 0x01, "nvs": 0x02, "fat": 0x81}
ENCRYPTED = 1  # a flag


@dataclass(frozen=True)
class Partition:
    """An entry of a partition table; offsets and sizes in bytes."""

    name: str
    kind: int
    subtype: int
    offset: int
    size: int
    flags: int

    @property
    def area(self):
        """(offset, bytes)."""
        return self.offset, self.size


def parse_table(data):
    """The Partitions of a binary table. ValueError when it is none, is torn or overlaps itself."""
    found = []
    for at in range(0, min(len(data), TABLE_SIZE) - 31, 32):
        entry = data[at : at + 32]
        if entry == b"\xff" * 32:
            break
        if entry[:16] == _DIGEST:
            if hashlib.md5(data[:at]).digest() != entry[16:]:
                raise ValueError("the partition table's checksum is wrong")
            break
        magic, kind, subtype, offset, size, name, flags = _ENTRY.unpack(entry)
        if magic != _MAGIC:
            raise ValueError("not a partition table")
        label = name.split(b"\0")[0].decode("ascii", "replace")
        found.append(Partition(label, kind, subtype, offset, size, flags))
    if not found:
        raise ValueError("an empty partition table")
    ordered = sorted(found, key=lambda p: p.offset)
    for one, other in zip(ordered, ordered[1:]):
        if one.offset + one.size > other.offset:
            raise ValueError(f"partitions {one.name} and {other.name} overlap")
    return found


def make_table(partitions):
    """A binary table, as ESP-IDF's gen_esp32part.py makes it."""
    data = b"".join(
        _ENTRY.pack(_MAGIC, p.kind, p.subtype, p.offset, p.size, p.name.encode(), p.flags)
        for p in partitions
    )
    data += _DIGEST + hashlib.md5(data).digest()
    return data.ljust(TABLE_SIZE, b"\xff")


def parse_csv(text):
    """The Partitions of a table as ESP-IDF's CSV. ValueError: a row that has not all its numbers.

    Takes what boards/*/partitions.csv use: every offset given, sizes in bytes.
    """
    found = []
    for line in text.splitlines():
        line = line.partition("#")[0].strip()
        if not line:
            continue
        cells = [cell.strip() for cell in line.split(",")] + [""]
        try:
            name, kind, subtype, offset, size, flags = cells[:6]
            numbers = [TYPES.get(kind) if kind in TYPES else int(kind, 0)]
            numbers.append(SUBTYPES[subtype] if subtype in SUBTYPES else int(subtype, 0))
            numbers += [int(offset, 0), int(size, 0), {"": 0, "encrypted": ENCRYPTED}[flags]]
        except (ValueError, KeyError):
            raise ValueError(f"not a row of a partition table: {line!r}") from None
        if not 1 <= len(name) <= 15:
            raise ValueError(f"a partition's name has 1 to 15 characters: {name!r}")
        found.append(Partition(name, *numbers))
    return found


def key_partition(partitions):
    """The token's partition (type 0x40, "pkcs11"), or None."""
    return next((p for p in partitions if p.kind == 0x40 and p.name == "pkcs11"), None)


def parse_dfuse(data):
    """[(address, bytes)] of a DfuSe file. ValueError when it is none or is damaged."""
    if data[:5] != b"DfuSe" or len(data) < 11 + 16:
        raise ValueError("not a DfuSe file")
    crc = struct.unpack("<L", data[-4:])[0]
    if ~zlib.crc32(data[:-4]) & 0xFFFFFFFF != crc:
        raise ValueError("its checksum is wrong")
    if data[-8:-5] != b"UFD":
        raise ValueError("its suffix is missing")
    _, size, targets = struct.unpack_from("<BLB", data, 5)
    if size != len(data) - 16:
        raise ValueError("it is cut off")
    at, found = 11, []
    for _ in range(targets):
        if data[at : at + 6] != b"Target":
            raise ValueError("a target prefix is missing")
        length, elements = struct.unpack_from("<LL", data, at + 266)
        at += 274
        end = at + length
        for _ in range(elements):
            address, count = struct.unpack_from("<LL", data, at)
            at += 8
            if at + count > end:
                raise ValueError("an element is longer than its target")
            found.append((address, data[at : at + count]))
            at += count
        if at != end:
            raise ValueError("a target is longer than its elements")
    return found
