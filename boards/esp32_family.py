# SPDX-License-Identifier: MIT
"""What the ESP32 boards have in common, frozen with each of them: their geometry takes it from here.

A board's own facts are its chip, where its bootloader starts, the smallest flash it comes with, and
whether the chip has the HMAC peripheral.
"""

CHIP_START = 0
KEY_SECTOR = 0x1000  # bytes of an erase unit of the key region

# Where randomness comes from, and why it is believed (firmware/cmodules/p11chip/esp32_entropy.c).
ENTROPY = (
    "radio noise while Wi-Fi or Bluetooth runs, else the ADC noise source, switched on for it"
)

# has the chip the HMAC peripheral? -> a secret of the chip that is not in the flash. With the
# peripheral: computed from an eFuse key that no software can read, if the user has burnt one with
# purpose HMAC_UP. Without: none, so whoever reads the flash can try PINs off line.
SECRETS = {True: "HMAC with an eFuse key, if one has been burnt", False: None}

# -> what who gets: flash dump, REPL, debugger (docs/BOARDS.md)
DUMPS = {
    True: "dump: sealed objects; with a burnt eFuse key PINs cannot be tried off the chip",
    False: "dump: sealed objects; the PIN is what protects them",
}


def threats(hmac):
    """Return what a flash dump, a REPL and a debugger give on a chip with or without HMAC."""
    return (
        DUMPS[hmac],
        "REPL: reads all flash and RAM; keys in use are in RAM",
        "debugger (JTAG, USB): everything, until its eFuses are burnt",
    )


def flash_map(bootloader, chip_size):
    """Return {region: (first byte, bytes)}; the file system reaches to the end of the flash."""
    return {
        "bootloader": (bootloader, 0x8000 - bootloader),
        "app": (0x10000, 0x1E0000),
        "keys": (0x1F0000, 0x10000),
        "fs": (0x200000, chip_size - 0x200000),
    }


def device():
    """Return the flash device of the token's store: 16 sectors of 4 KiB."""
    from pal.flash_esp32 import FlashESP32

    return FlashESP32()
