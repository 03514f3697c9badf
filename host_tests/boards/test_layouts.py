# SPDX-License-Identifier: MIT
"""Every board's flash layout: what its linker script or partition table says, what its geometry
says, and that the key region is whole erase units of the chip which nothing else uses.
"""

import re

import pytest
from layout import BOARDS, erase_units, geometry, memory, overlap, partitions, with_file

from p11board.flash_real_files import Partition, key_partition, make_table, parse_table

STM32 = with_file("memory.ld")
ESP32 = with_file("partitions.csv")
REAL = STM32 + ESP32
WANTED = {
    "ESP32_GENERIC",
    "ESP32_GENERIC_S3",
    "ESP32_GENERIC_C3",
    "ESP32_GENERIC_C6",
    "PYBV11",
    "NUCLEO_F429ZI",
    "NUCLEO_F439ZI",
    "B_L475E_IOT01A",
    "NUCLEO_H743ZI",
    "NUCLEO_WB55",
    "NUCLEO_G474RE",
}
# Chips: flash in bytes, from the data sheets.
CHIPS = {
    "STM32F405RG": 0x100000,
    "STM32F429ZI": 0x200000,
    "STM32F439ZI": 0x200000,
    "STM32L475VG": 0x100000,
    "STM32H743ZI": 0x200000,
    "STM32WB55RG": 0x100000,
    "STM32G474RE": 0x080000,
    "ESP32": 0x400000,
    "ESP32-S3": 0x800000,
    "ESP32-C3": 0x400000,
    "ESP32-C6": 0x400000,
}


def test_all_boards_are_there():
    assert set(REAL) == WANTED


@pytest.mark.parametrize("board", REAL)
def test_a_board_has_the_files_of_a_board(board):
    names = {path.name for path in (BOARDS / board).iterdir()}
    wanted = "board.json board.md deploy.md geometry.py manifest.py mpconfigboard.h".split()
    assert set(wanted) <= names
    assert ("mpconfigboard.cmake" if board in ESP32 else "mpconfigboard.mk") in names
    assert geometry(board)["BOARD"] == board
    family = "esp32" if board in ESP32 else "stm32"
    frozen = (BOARDS / board / "manifest.py").read_text()
    assert 'module("%s_family.py", base_path="..")\nmodule("geometry.py")' % family in frozen


@pytest.mark.parametrize("board", REAL)
def test_a_board_states_entropy_device_secret_and_threats(board):
    facts = geometry(board)
    assert "RM0" in facts["ENTROPY"] or "noise" in facts["ENTROPY"]
    assert [row.partition(":")[0].split()[0] for row in facts["THREATS"]] == [
        "dump",
        "REPL",
        "debugger",
    ]
    has_hmac = facts["CHIP"] in ("ESP32-S3", "ESP32-C3", "ESP32-C6")  # IDF's SOC_HMAC_SUPPORTED
    assert (facts["DEVICE_SECRET"] is not None) == has_hmac
    assert callable(facts["device"])


@pytest.mark.parametrize("board", REAL)
def test_the_key_region_is_inside_the_chip(board):
    facts = geometry(board)
    assert facts["CHIP_SIZE"] == CHIPS[facts["CHIP"]]
    for name, (start, size) in facts["FLASH_MAP"].items():
        assert size > 0, name
        assert facts["CHIP_START"] <= start, name
        assert start + size <= facts["CHIP_START"] + facts["CHIP_SIZE"], name


@pytest.mark.parametrize("board", REAL)
def test_the_key_region_is_two_or_more_whole_erase_units_of_one_size(board):
    facts = geometry(board)
    start, size = facts["FLASH_MAP"]["keys"]
    inside = [unit for unit in erase_units(facts) if overlap(unit, (start, size))]
    assert inside[0][0] == start
    assert inside[-1][0] + inside[-1][1] == start + size
    assert {length for _, length in inside} == {facts["KEY_SECTOR"]}
    assert 2 <= len(inside) <= 32


@pytest.mark.parametrize("board", REAL)
def test_no_region_overlaps_another(board):
    regions = sorted(geometry(board)["FLASH_MAP"].items(), key=lambda item: item[1])
    for (name, area), (other, next_area) in zip(regions, regions[1:]):
        assert not overlap(area, next_area), (name, other)


@pytest.mark.parametrize("board", REAL)
def test_no_erase_unit_is_shared_between_the_key_region_and_anything_else(board):
    facts = geometry(board)
    keys = facts["FLASH_MAP"]["keys"]
    for unit in erase_units(facts):
        if overlap(unit, keys):
            for name, area in facts["FLASH_MAP"].items():
                assert name == "keys" or not overlap(unit, area), name


# --- STM32 --------------------------------------------------------------------------------------

NAMES = {"FLASH_START": "vectors", "FLASH_TEXT": "app", "FLASH_FS": "fs", "FLASH_FS2": "fs2"}


@pytest.mark.parametrize("board", STM32)
def test_the_linker_script_and_the_geometry_say_the_same(board):
    regions = memory(board)
    expected = {"keys": regions["FLASH_KEYS"][1:]}
    for name, ours in NAMES.items():
        if name in regions:
            expected[ours] = regions[name][1:]
    if "FLASH_TEXT" not in regions:
        expected["app"] = regions["FLASH"][1:]
    assert geometry(board)["FLASH_MAP"] == expected


@pytest.mark.parametrize("board", STM32)
def test_the_linker_can_place_nothing_into_the_key_region(board):
    mode, start, size = memory(board)["FLASH_KEYS"]
    assert mode == "r"  # neither code nor data
    own = (BOARDS / board / "memory.ld").read_text() + (BOARDS / "stm32.ld").read_text()
    assert not re.search(r">\s*FLASH_KEYS", own)
    for name, (_, at, length) in memory(board).items():
        whole_chip = name == "FLASH" and "FLASH_TEXT" in memory(board)
        if name != "FLASH_KEYS" and not whole_chip:
            assert not overlap((start, size), (at, length)), name


@pytest.mark.parametrize("board", STM32)
def test_the_linker_script_gives_the_driver_its_bounds(board):
    text = (BOARDS / "stm32.ld").read_text()
    assert "_p11_keys_start = ORIGIN(FLASH_KEYS);" in text
    assert "_p11_keys_size = LENGTH(FLASH_KEYS);" in text
    makefile = (BOARDS / board / "mpconfigboard.mk").read_text()
    assert "$(BOARD_DIR)/memory.ld $(BOARD_DIR)/../stm32.ld" in makefile
    family = geometry(board)["FAMILY"]
    driver = {"g4": "l4", "wb": "l4"}.get(family, family)
    assert "RAWFLASH_CHIP = stm32 stm32_%s\n" % driver in makefile


# --- ESP32 --------------------------------------------------------------------------------------


@pytest.mark.parametrize("board", ESP32)
def test_the_partition_table_follows_the_rules_of_esp_idf(board):
    end = 0x9000  # behind the table itself
    for part in partitions(board):
        assert part.offset % (0x10000 if part.kind == 0 else 0x1000) == 0, part.name
        assert part.size % 0x1000 == 0 and part.size > 0, part.name
        assert part.offset >= end, part.name
        assert part.kind in (0, 1) or 0x40 <= part.kind <= 0xFE, part.name
        end = part.offset + part.size
    assert len({part.name for part in partitions(board)}) == len(partitions(board))
    assert parse_table(make_table(partitions(board))) == partitions(board)


@pytest.mark.parametrize("board", ESP32)
def test_the_partition_table_and_the_geometry_say_the_same(board):
    parts = {part.name: part for part in partitions(board)}
    regions = geometry(board)["FLASH_MAP"]
    assert key_partition(partitions(board)) == Partition("pkcs11", 0x40, 1, *regions["keys"], 1)
    assert parts["factory"].area == regions["app"]


@pytest.mark.parametrize("board", ESP32)
def test_an_existing_file_system_stays_where_it_is(board):
    end = max(part.offset + part.size for part in partitions(board))
    assert end == 0x200000  # MicroPython 1.26 and later start the file system there
    assert geometry(board)["FLASH_MAP"]["fs"][0] == 0x200000
    assert "0x200000, ${P11_VFS_BYTES}" in (BOARDS / "esp32.cmake").read_text()  # 1.25
    made = (BOARDS / board / "mpconfigboard.cmake").read_text()
    size = int(re.search(r"set\(P11_VFS_BYTES (\w+)\)", made)[1], 0)
    assert (0x200000, size) == geometry(board)["FLASH_MAP"]["fs"]
    assert 0x200000 + size == geometry(board)["CHIP_SIZE"]


# --- refused ------------------------------------------------------------------------------------


def test_boards_without_a_random_number_generator_are_refused_with_the_reason():
    lines = (BOARDS / "refused.txt").read_text().splitlines()
    refused = dict(line.split(": ", 1) for line in lines if not line.startswith("#"))
    assert "no random number generator" in refused["NUCLEO_F446RE"]
    assert not set(refused) & set(REAL)
    assert all(re.fullmatch(r"[A-Z0-9_]+", name) for name in refused)
