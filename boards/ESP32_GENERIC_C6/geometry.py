# SPDX-License-Identifier: MIT
"""Facts of the generic ESP32-C6, frozen into its firmware. A test compares them with partitions.csv."""

import esp32_family
from esp32_family import CHIP_START, ENTROPY, KEY_SECTOR, device  # noqa: F401

BOARD = "ESP32_GENERIC_C6"
CHIP = "ESP32-C6"
CHIP_SIZE = 0x400000  # or more
HMAC = True  # has the chip the HMAC peripheral?

FLASH_MAP = esp32_family.flash_map(0x0, CHIP_SIZE)
DEVICE_SECRET = esp32_family.SECRETS[HMAC]
THREATS = esp32_family.threats(HMAC)
