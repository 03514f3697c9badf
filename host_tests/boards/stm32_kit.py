# SPDX-License-Identifier: MIT
"""The STM32 flash drivers over the models of their controllers, each family in turn."""

import pytest
from stm32_driver import LAYOUTS, Driver
from stm32_model import BASE

FAMILIES = list(LAYOUTS)
WITH_CORRECTION = ["l4", "g4", "wb", "h7"]


@pytest.fixture(params=FAMILIES)
def driver(request, tmp_path):
    made = Driver(request.param, tmp_path)
    yield made
    assert made.chip.violations == []


def only(*families):
    return pytest.mark.parametrize("driver", families, indirect=True)


def units(driver, count, seed=0):
    """`count` program units of bytes that are neither erased nor zero."""
    length = driver.chip.unit * count
    return bytes((i * 37 + seed * 11 + 1) % 251 for i in range(length))


def stored(driver, offset, length):
    at = driver.keys[0] - BASE + offset
    return bytes(driver.chip.cells[at : at + length])
