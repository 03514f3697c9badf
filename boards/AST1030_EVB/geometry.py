# SPDX-License-Identifier: MIT
"""Facts of the AST1030 EVB, frozen into its firmware.

`FLASH_MAP` repeats flash_map.h, which the C code uses; a test compares the two. `device()`
builds the flash device that holds the token's store.
"""

try:
    from buildinfo import LOCKED
except ImportError:  # not on the board
    LOCKED = 0

BOARD = "AST1030_EVB"

# name: (first byte, bytes)
FLASH_MAP = {
    "app": (0x000000, 0x100000),
    "app2": (0x100000, 0x100000),
    "fs": (0x200000, 0x100000),
    "keys": (0x400000, 0x010000),
    "id": (0x410000, 0x001000),
}

CHIP_SIZE = 0x2000000
SECTOR_SIZE = 0x1000
PAGE_SIZE = 0x100

# Where randomness comes from, and why it is believed.
ENTROPY = "SCU generator at 0x7e6e2540, no status flag: health tests in p11crypto"

# Of PBKDF2 for a new PIN. Fixed: the emulator's time is not the time of a board, and tests repeat.
PIN_ITERATIONS = 10000

# A secret of the chip that is not in the flash: this board has none, so whoever reads the
# flash can try PINs off line.
DEVICE_SECRET = None


# What who gets: flash dump, REPL, debugger (docs/THREATS.md).
THREATS = (
    "dump: the flash is a file of the host's user; sealed objects, the PIN is what protects them",
    "REPL: reads all flash and RAM (machine.mem32); keys in use are in RAM",
    "debugger: QEMU's monitor and gdb stub read everything",
)


def device():
    """The flash device of the token's store: program unit 1 byte, 16 sectors of 4 KiB."""
    from pal.flash_ast1030 import FlashAST1030

    return FlashAST1030()
