# SPDX-License-Identifier: MIT
"""The token's flash device on an ESP32: esp32.Partition, plain and under flash encryption."""

import sys
import types

import esp32_flash
import pytest
from esp32_flash import SECTOR, Chip, Partition, table

from pal.flash import ZERO_ANY, ZERO_NONE, FlashError
from pal.flash_esp32 import FlashESP32

BASE = 0x1F0000


@pytest.fixture(params=[False, True], ids=["plain", "encrypted"])
def chip(request, monkeypatch):
    made = Chip(list(table()), encryption=request.param)
    monkeypatch.setattr(Partition, "chip", made)
    esp32 = types.ModuleType("esp32")
    esp32.Partition = Partition
    esp = types.ModuleType("esp")
    esp.flash_read = esp32_flash.flash_read
    monkeypatch.setitem(sys.modules, "esp32", esp32)
    monkeypatch.setitem(sys.modules, "esp", esp)
    return made


def test_the_capabilities_follow_the_encryption(chip):
    caps = FlashESP32().caps
    assert caps.count == 16 and caps.erase_unit == SECTOR
    assert caps.encrypted == chip.encryption
    assert caps.prog_unit == (32 if chip.encryption else 1)
    assert caps.zero_mode == (ZERO_NONE if chip.encryption else ZERO_ANY)


def test_a_table_without_the_partition_is_said_in_a_sentence(chip):
    chip.table = [row for row in chip.table if row[4] != "pkcs11"]
    with pytest.raises(OSError, match="no partition 'pkcs11' of type 0x40"):
        FlashESP32()


def test_what_is_programmed_is_read_back(chip):
    device = FlashESP32()
    data = bytes(range(64))
    device.program(SECTOR - 64, data)
    buf = bytearray(64)
    assert device.read(SECTOR - 64, buf) == 0
    assert buf == data


def test_the_cells_are_not_the_data_under_encryption(chip):
    device = FlashESP32()
    device.program(0, b"secret " * 9 + b"!")
    raw = bytearray(64)
    device.raw_read(0, raw)
    assert (raw == b"secret " * 9 + b"!") == (not chip.encryption)


def test_an_erased_sector_is_blank_by_raw_reads_only(chip):
    device = FlashESP32()
    device.program(0, bytes(64))
    device.erase(0)
    raw, seen = bytearray(64), bytearray(64)
    device.raw_read(0, raw)
    device.read(0, seen)
    assert raw == b"\xff" * 64
    assert (seen == raw) == (not chip.encryption)


def test_only_the_partition_is_touched(chip):
    device = FlashESP32()
    for sector in range(16):
        device.erase(sector)
        device.program(sector * SECTOR, bytes(32))
    with pytest.raises(FlashError):
        device.erase(16)
    with pytest.raises(FlashError):
        device.program(16 * SECTOR, bytes(32))
    with pytest.raises(FlashError):
        device.program(16 * SECTOR - 32, bytes(64))
    for address, length in chip.touched:
        assert BASE <= address and address + length <= BASE + 0x10000


def test_parts_of_a_unit_are_refused(chip):
    device = FlashESP32()
    unit = device.caps.prog_unit
    for offset, length in ((1, unit), (0, unit + 1)) if unit > 1 else ((0, 257),):
        with pytest.raises(FlashError):
            device.program(offset, bytes(length))
    assert chip.touched == []


def test_a_program_that_does_not_take_is_noticed(chip):
    device = FlashESP32()
    chip.worn = True
    with pytest.raises(FlashError):
        device.program(0, bytes(32))


def test_an_erase_that_does_not_take_is_noticed(chip):
    device = FlashESP32()
    device.program(SECTOR - 32, bytes(range(32)))
    chip.worn = True
    with pytest.raises(FlashError):
        device.erase(0)


def test_an_error_of_the_driver_is_a_flash_error(chip):
    device = FlashESP32()
    chip.fails = True
    with pytest.raises(FlashError):
        device.program(0, bytes(32))
    with pytest.raises(FlashError):
        device.erase(0)
