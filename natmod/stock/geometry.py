# SPDX-License-Identifier: MIT
"""Facts of a board with stock firmware: found out when it runs.

On an ESP32 with a partition "pkcs11" of type 0x40 the token lives there; everywhere else in a file.
"""

import sys

BOARD = sys.platform + " (stock firmware)"
FLASH_MAP = {"keys": (0, 0x8000)}
ENTROPY = "os.urandom behind health tests"
DEVICE_SECRET = None  # and no isolation of keys: any Python code reads them


def device():
    """The flash device of the token's store."""
    if sys.platform == "esp32":
        from pal.flash_esp32 import FlashESP32

        try:
            return FlashESP32()
        except OSError as error:
            print(error, "- the token uses a file")
    from flash_file import FlashFile

    return FlashFile()
