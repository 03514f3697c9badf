# SPDX-License-Identifier: MIT
"""Facts of the generic ESP32, frozen into its firmware. A test compares them with partitions.csv."""

BOARD = "ESP32_GENERIC"
CHIP = "ESP32"

# name: (first byte, bytes); the file system reaches to the end of the flash
FLASH_MAP = {
    "bootloader": (0x001000, 0x007000),
    "app": (0x010000, 0x1E0000),
    "keys": (0x1F0000, 0x010000),
    "fs": (0x200000, 0x200000),
}
CHIP_START = 0
CHIP_SIZE = 0x400000  # 4 MiB or more
KEY_SECTOR = 0x1000  # bytes of an erase unit of the key region

# Where randomness comes from, and why it is believed.
ENTROPY = (
    "radio noise while Wi-Fi or Bluetooth runs, else the ADC noise source, switched on for it"
)

# A secret of the chip that is not in the flash: this chip has no place for one, so whoever reads
# the flash can try PINs off line.
DEVICE_SECRET = None

# What who gets: flash dump, REPL, debugger (docs/BOARDS.md).
THREATS = (
    "dump: sealed objects; the PIN is what protects them",
    "REPL: reads all flash and RAM; keys in use are in RAM",
    "debugger (JTAG, USB): everything, until its eFuses are burnt",
)


def device():
    """The flash device of the token's store: 16 sectors of 4 KiB."""
    from pal.flash_esp32 import FlashESP32

    return FlashESP32()
