# SPDX-License-Identifier: MIT
"""Facts of the Nucleo WB55, frozen into its firmware. A test compares them with memory.ld."""

BOARD = "NUCLEO_WB55"
CHIP = "STM32WB55RG"
FAMILY = "wb"  # what its flash can do: pal.flash_stm32

# name: (first address, bytes)
FLASH_MAP = {
    "app": (0x08000000, 0x0A0000),
    "keys": (0x080A0000, 0x008000),
    "fs": (0x080A8000, 0x018000),
}
CHIP_START = 0x08000000
CHIP_SIZE = 0x100000
KEY_SECTOR = 0x1000  # bytes of an erase unit of the key region

# Where randomness comes from, and why it is believed.
ENTROPY = "random number generator of the chip, shared by semaphore, read with its flags (RM0434)"

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
    """The flash device of the token's store: 8 sectors of 4 KiB."""
    from pal.flash_stm32 import FlashSTM32

    return FlashSTM32(FAMILY)
