# SPDX-License-Identifier: MIT
"""Facts of the B-L475E-IOT01A Discovery kit, frozen into its firmware. A test compares them with memory.ld."""

BOARD = "B_L475E_IOT01A"
CHIP = "STM32L475VG"
FAMILY = "l4"  # what its flash can do: pal.flash_stm32

# name: (first address, bytes)
FLASH_MAP = {
    "app": (0x08000000, 0x090000),
    "fs": (0x08090000, 0x068000),
    "keys": (0x080F8000, 0x008000),
}
CHIP_START = 0x08000000
CHIP_SIZE = 0x100000
KEY_SECTOR = 0x800  # bytes of an erase unit of the key region

REQUEST_MAX = 4096  # bytes of one request of p11board: RAM is short

# Where randomness comes from, and why it is believed.
ENTROPY = "random number generator of the chip, read with its seed and clock flags (RM0351)"

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
    """The flash device of the token's store: 16 sectors of 2 KiB."""
    from pal.flash_stm32 import FlashSTM32

    return FlashSTM32(FAMILY)
