# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the kit, with its fixture)
"""The STM32 flash drivers against register-level models of their controllers.

Each test runs for every family it applies to; a model that saw something a driver must never do
(write outside the key region, read a broken unit without a guard, …) fails the test at its end.
"""

import pytest
from stm32_driver import NO_CHIP, OK, RANGE, TIMEOUT, Driver
from stm32_kit import *
from stm32_model import BASE


def test_the_chip_tells_its_units_and_its_size(driver):
    status, facts = driver.info()
    assert status == OK
    assert facts.unit == driver.chip.unit
    assert facts.erase == driver.erase_unit
    assert facts.size == driver.chip.size
    assert facts.id == driver.chip.device_id


def test_a_chip_with_less_flash_than_the_layout_needs_is_refused(driver):
    driver.chip.kib = (driver.keys[0] - BASE) // 1024
    assert driver.read(0, 8) == (NO_CHIP, bytes(8))
    assert driver.program(0, units(driver, 1)) == NO_CHIP
    assert driver.erase(0, driver.erase_unit) == NO_CHIP
    assert driver.chip.programs == driver.chip.erases == 0


@pytest.mark.parametrize(
    "name, keys",
    [
        ("f4", (0x080B0000, 0x40000)),  # starts inside a sector
        ("f4", (0x080E0000, 0x20000)),  # one sector only
        ("f429", (0x08108000, 0x20000)),  # sectors of different sizes
        ("l4", (0x080F8400, 0x8000)),  # starts inside a page
        ("l4", (0x080F8000, 0x7C00)),  # ends inside a page
        ("h7", (0x08150000, 0x40000)),
    ],
)
def test_a_layout_that_is_not_whole_equal_erase_units_is_refused(name, keys, tmp_path):
    made = Driver(name, tmp_path, keys=keys)
    assert made.info()[0] == NO_CHIP
    assert made.program(0, units(made, 1)) == NO_CHIP
    assert made.chip.programs == 0 and made.chip.violations == []


@only("g4")
def test_a_g4_set_up_as_one_bank_is_refused(driver):
    driver.chip.optr = 0
    assert driver.info()[0] == NO_CHIP


def test_whole_units_are_programmed_and_read_back(driver):
    data = units(driver, 3)
    assert driver.program(driver.chip.unit, data) == OK
    assert stored(driver, driver.chip.unit, len(data)) == data
    assert driver.read(driver.chip.unit, len(data)) == (OK, data)


def test_more_than_a_page_is_programmed_page_by_page(driver):
    data = units(driver, 600 // driver.chip.unit)
    offset = 256 - driver.chip.unit
    assert driver.program(offset, data) == OK
    assert driver.read(offset, len(data)) == (OK, data)


def test_reading_needs_no_alignment(driver):
    data = units(driver, 4)
    assert driver.program(0, data) == OK
    for offset in (1, 3, driver.chip.unit - 1):
        assert driver.read(offset, driver.chip.unit + 1) == (
            OK,
            data[offset:][: driver.chip.unit + 1],
        )


def test_a_part_of_a_unit_is_refused_before_anything_is_written(driver):
    unit = driver.chip.unit
    for offset, length in ((0, unit - 1), (0, unit + 1), (1, unit), (unit // 2, unit), (0, 3)):
        assert driver.program(offset, bytes(length)) == RANGE
    assert driver.chip.programs == 0


def test_nothing_outside_the_region_is_touched(driver):
    size = driver.keys[1]
    for offset, length in ((size, 32), (size - 32, 64), (1 << 31, 32), ((1 << 64) - 32, 64)):
        assert driver.program(offset, bytes(length)) == RANGE
        assert driver.read(offset, length)[0] == RANGE
    erase = driver.erase_unit
    for offset, length in ((size, erase), (0, size + erase), (erase // 2, erase), (0, erase - 1)):
        assert driver.erase(offset, length) == RANGE
    assert driver.program(size - 32, bytes(32)) == OK  # the last byte is inside
    assert driver.read(size - 1, 1)[0] == OK
    assert driver.chip.erases == 0


def test_erasing_sets_exactly_the_units_asked_for(driver):
    unit, erase = driver.chip.unit, driver.erase_unit
    for offset in (0, erase - unit, erase, 2 * erase - unit):
        assert driver.program(offset, units(driver, 1)) == OK
    assert driver.erase(erase, erase) == OK
    assert stored(driver, erase, erase) == b"\xff" * erase
    assert stored(driver, 0, unit) == stored(driver, erase - unit, unit) == units(driver, 1)
    assert driver.chip.erases == 1


def test_the_controller_is_locked_and_the_masks_are_as_before_after_each_call(driver):
    chip = driver.chip
    driver.program(0, units(driver, 1))
    driver.erase(0, driver.erase_unit)
    driver.read(0, 64)
    locks = getattr(chip, "locks", None) or [chip.lock]
    assert not any(lock.open for lock in locks)
    assert (chip.mask, chip.faults_off, chip.priority) == (0, False, 0)
    assert chip.regs[0xE000ED08] == 0x08000000  # vector table
    assert chip.regs[0xE000ED14] == 0x200  # configuration of faults


def test_a_read_after_programming_and_after_erasing_sees_the_cells_not_the_cache(driver):
    data = units(driver, 2)
    assert driver.read(0, len(data)) == (OK, b"\xff" * len(data))  # now in the cache
    assert driver.program(0, data) == OK
    assert driver.read(0, len(data)) == (OK, data)
    assert driver.erase(0, driver.erase_unit) == OK
    assert driver.read(0, len(data)) == (OK, b"\xff" * len(data))


@only("f4", "l4", "g4", "wb")
def test_a_data_cache_that_was_on_is_on_again(driver):
    before = driver.chip.acr
    driver.program(0, units(driver, 1))
    driver.erase(0, driver.erase_unit)
    driver.read(0, 16)
    assert driver.chip.acr == before


@only("l4", "g4", "h7")
def test_swapped_banks_are_erased_where_they_are(driver):
    driver.chip.swapped = True
    assert driver.program(0, units(driver, 1)) == OK
    assert driver.erase(0, driver.erase_unit) == OK
    assert stored(driver, 0, 64) == b"\xff" * 64


@only("wb")
def test_the_radio_processor_is_asked_and_told(driver):
    chip = driver.chip
    chip.forbidden = 3
    assert driver.program(0, units(driver, 2)) == OK
    assert chip.radio == []
    assert driver.erase(0, driver.erase_unit) == OK
    assert chip.radio == [1, 0]
    assert chip.held == set()


@only("wb")
def test_a_semaphore_that_never_comes_is_a_timeout_and_nothing_is_kept(driver):
    for semaphore in (2, 7):
        driver.chip.taken_by_radio = {semaphore}
        assert driver.program(0, units(driver, 1)) == TIMEOUT
        assert driver.erase(0, driver.erase_unit) == TIMEOUT
        assert driver.chip.held == set()
        assert driver.chip.radio[-1:] in ([], [0])
