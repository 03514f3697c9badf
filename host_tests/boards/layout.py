# SPDX-License-Identifier: MIT
"""What a board's linker script or partition table says of its flash, for the layout checks.

Knows the subset of the linker language that boards/*/memory.ld use, and ESP-IDF's CSV format.
"""

import re

from p11board.flash_real import BOARDS, geometry_of
from p11board.flash_real_files import parse_csv

geometry = geometry_of  # the module geometry of a board, as a dictionary

REGION = re.compile(
    r"^\s*(\w+)\s*\((\w+)\)\s*:\s*ORIGIN\s*=\s*(\w+),\s*LENGTH\s*=\s*(\d+)([KM]?)\s*(?:/\*.*)?$"
)
UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20}


def with_file(name):
    """Names of the boards whose directory has the file `name`."""
    return sorted(path.parent.name for path in BOARDS.glob("*/" + name))


def memory(board):
    """{region: (mode, first address, bytes)} of a board's memory.ld."""
    text = (BOARDS / board / "memory.ld").read_text(encoding="utf-8")
    inside = text[text.index("MEMORY") : text.index("}")]
    regions = {}
    for line in inside.splitlines()[2:]:
        found = REGION.match(line)
        if not found:
            raise AssertionError("%s: not understood: %r" % (board, line))
        name, mode, origin, length, unit = found.groups()
        regions[name] = (mode, int(origin, 0), int(length) * UNITS[unit])
    return regions


def partitions(board):
    """The Partitions of a board's partitions.csv."""
    return parse_csv((BOARDS / board / "partitions.csv").read_text(encoding="utf-8"))


def f4_units(size):
    """Erase units of an STM32F4: (first address, bytes), bank by bank of 1 MiB."""
    at = 0x08000000
    for _ in range(size // 0x100000):
        for length in [0x4000] * 4 + [0x10000] + [0x20000] * 7:
            yield at, length
            at += length


def erase_units(facts):
    """All erase units of the chip a geometry describes."""
    family = facts.get("FAMILY")
    start, size = facts["CHIP_START"], facts["CHIP_SIZE"]
    if family == "f4":
        return list(f4_units(size))
    unit = {"l4": 0x800, "g4": 0x800, "wb": 0x1000, "h7": 0x20000, None: 0x1000}[family]
    return [(start + at, unit) for at in range(0, size, unit)]


def overlap(a, b):
    """Do two (start, bytes) areas share a byte?"""
    return a[0] < b[0] + b[1] and b[0] < a[0] + a[1]
