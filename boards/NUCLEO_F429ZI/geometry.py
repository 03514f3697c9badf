# SPDX-License-Identifier: MIT
"""Facts of the Nucleo F429ZI, frozen into its firmware. A test compares them with memory.ld."""

BOARD = "NUCLEO_F429ZI"
CHIP = "STM32F429ZI"
FAMILY = "f4"  # what its flash can do: pal.flash_stm32

# name: (first address, bytes)
FLASH_MAP = {
    "vectors": (0x08000000, 0x004000),
    "fs": (0x08004000, 0x01C000),
    "app": (0x08020000, 0x0E0000),
    "keys": (0x08100000, 0x010000),
}
CHIP_START = 0x08000000
CHIP_SIZE = 0x200000
KEY_SECTOR = 0x4000  # bytes of an erase unit of the key region

REQUEST_MAX = 4096  # bytes of one request of p11board: RAM is short

# Where randomness comes from, and why it is believed.
ENTROPY = "random number generator of the chip, read with its seed and clock flags (RM0090)"

# A secret of the chip that is not in the flash: none, so whoever reads the flash can try PINs
# off line.
DEVICE_SECRET = None

# What who gets: flash dump, REPL, debugger (docs/BOARDS.md).
THREATS = (
    "dump: sealed objects; the PIN is what protects them",
    "REPL: reads all flash and RAM (machine.mem32); keys in use are in RAM",
    "debugger: everything, until read-out protection is level 1 or more",
)


def device():
    """The flash device of the token's store: 4 sectors of 16 KiB."""
    from pal.flash_stm32 import FlashSTM32

    return FlashSTM32(FAMILY)
