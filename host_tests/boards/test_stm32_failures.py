# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the kit, with its fixture)
"""The STM32 flash drivers when something goes wrong: refusals, spent and unreadable units, power cuts."""

import pytest
from stm32_driver import CORRECTED, FAULTED, OK, READ_ONLY, TIMEOUT, VERIFY, Driver
from stm32_kit import *
from stm32_model import ONE_BIT, TWO_BITS


def test_flags_left_over_by_others_do_not_refuse_the_next_command(driver):
    if isinstance(driver.chip.sr, list):
        driver.chip.sr = [driver.chip.ERRORS, driver.chip.ERRORS]
    else:
        driver.chip.sr = driver.chip.PGSERR | driver.chip.WRPERR
    assert driver.program(0, units(driver, 1)) == OK
    assert driver.erase(0, driver.erase_unit) == OK


def test_cells_that_do_not_program_are_noticed(driver):
    driver.chip.fail_program = True
    assert driver.program(0, units(driver, 1)) == VERIFY


def test_cells_that_do_not_erase_are_noticed(driver):
    assert driver.program(0, units(driver, 1)) == OK
    driver.chip.fail_erase = True
    assert driver.erase(0, driver.erase_unit) == VERIFY


def test_write_protection_is_an_error_and_changes_nothing(driver):
    driver.chip.protected = True
    assert driver.program(0, units(driver, 1)) == VERIFY
    assert driver.erase(0, driver.erase_unit) == VERIFY
    assert driver.chip.programs == driver.chip.erases == 0


def test_a_controller_locked_until_reset_is_reported_not_forced(driver):
    for lock in getattr(driver.chip, "locks", None) or [driver.chip.lock]:
        lock.broken = True
    assert driver.program(0, units(driver, 1)) == READ_ONLY
    driver.chip.violations.clear()  # the attempt to unlock


def test_a_controller_that_stays_busy_is_a_timeout(driver):
    driver.chip.stuck, driver.chip.busy = True, 1
    assert driver.program(0, units(driver, 1)) == TIMEOUT
    assert driver.erase(0, driver.erase_unit) == TIMEOUT
    driver.chip.violations.clear()  # the lock bit is written although it is busy


@only("f4", "f429")
def test_without_correction_bits_may_be_cleared_later(driver):
    assert driver.program(0, b"\xff\xff\xff\xff\xff\xff\xff\xfe") == OK
    assert driver.program(0, b"\x00\xff\xff\xff\xff\xff\xff\x00") == OK
    assert driver.read(0, 8) == (OK, b"\x00\xff\xff\xff\xff\xff\xff\x00")


@only("l4", "g4", "wb")
def test_a_second_program_is_refused_by_the_controller_unless_it_is_zero(driver):
    assert driver.program(0, units(driver, 1)) == OK
    assert driver.program(0, units(driver, 1, seed=5)) == VERIFY
    assert driver.read(0, 8) == (OK, units(driver, 1))
    assert driver.program(0, bytes(8)) == OK
    assert driver.read(0, 8) == (OK, bytes(8))


@only("l4", "g4", "wb")
def test_a_unit_programmed_with_ones_is_spent(driver):
    assert driver.program(0, b"\xff" * 8) == OK
    assert driver.program(0, units(driver, 1)) == VERIFY


@only("h7")
def test_a_second_program_that_spoils_a_unit_is_noticed_and_survived(driver):
    assert driver.program(0, units(driver, 1)) == OK
    assert driver.program(0, bytes(32)) == VERIFY
    assert driver.read(0, 32) == (FAULTED, b"\x5a" * 32)
    assert driver.erase(0, driver.erase_unit) == OK


@only(*WITH_CORRECTION)
def test_a_lost_unit_is_presented_as_such_and_its_neighbours_are_not(driver):
    unit = driver.chip.unit
    data = units(driver, 3)
    assert driver.program(0, data) == OK
    driver.chip.ecc[driver.keys[0] + unit] = TWO_BITS
    driver.chip.cache.clear()
    seen = data[:unit] + b"\x5a" * unit + data[2 * unit :]
    assert driver.read(0, 3 * unit) == (FAULTED, seen)
    assert driver.read(0, unit) == (OK, data[:unit])
    assert driver.read(unit + 1, 2) == (FAULTED, b"\x5a\x5a")


@only(*WITH_CORRECTION)
def test_a_corrected_unit_is_right_and_flagged(driver):
    unit = driver.chip.unit
    data = units(driver, 2)
    assert driver.program(0, data) == OK
    driver.chip.ecc[driver.keys[0]] = ONE_BIT
    driver.chip.cache.clear()
    assert driver.read(0, 2 * unit) == (CORRECTED, data)
    assert driver.read(unit, unit) == (OK, data[unit:])


@only("l4", "g4", "wb")
def test_the_flag_of_a_lost_unit_is_cleared_so_that_the_nmi_ends(driver):
    driver.chip.ecc[driver.keys[0]] = TWO_BITS
    assert driver.read(0, 8)[0] == FAULTED
    assert driver.chip.eccr & (1 << 31 | 1 << 30) == 0


@only("l4", "g4", "wb")
def test_a_lost_unit_is_noticed_even_when_the_nmi_comes_late(driver):
    driver.chip.ecc[driver.keys[0]] = TWO_BITS
    driver.chip.nmi = None
    assert driver.read(0, 8)[0] == FAULTED


@only("h7")
def test_the_ignored_bus_fault_leaves_no_trace(driver):
    driver.chip.ecc[driver.keys[0]] = TWO_BITS
    assert driver.read(0, 32)[0] == FAULTED
    assert driver.chip.regs[0xE000ED28] == 0
    assert driver.chip.sr == [0, 0]


@only(*WITH_CORRECTION)
def test_an_erase_that_leaves_a_lost_unit_is_an_error(driver):
    driver.chip.fail_erase = True
    driver.chip.ecc[driver.keys[0] + driver.chip.unit] = TWO_BITS
    assert driver.erase(0, driver.erase_unit) == VERIFY


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("name", FAMILIES)
def test_a_torn_operation_never_traps_and_an_erase_heals_it(name, seed, tmp_path):
    made = Driver(name, tmp_path, seed=seed)
    chip = made.chip
    made.program(0, units(made, 8))
    chip.cut_after = 1 + seed % 3
    if seed % 2:
        made.erase(0, made.erase_unit)
    else:
        made.program(chip.unit * 8, units(made, 4, seed))
    assert chip.dead or seed % 2
    chip.power_on()
    chip.cut_after = None
    status, _ = made.read(0, min(made.erase_unit, 2048))
    assert status in (OK, CORRECTED, FAULTED)
    assert made.erase(0, made.erase_unit) == OK
    assert made.program(0, units(made, 2)) == OK
    assert made.read(0, chip.unit * 2) == (OK, units(made, 2))
    assert chip.violations == []
