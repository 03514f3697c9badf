# SPDX-License-Identifier: MIT
"""Up to seven cuts in a row, at random; also where bits and faults change at every read."""

import pytest
from cutting import at_random, geometries, worn

NUMBERS = range(len(geometries()))


@pytest.mark.parametrize("number", NUMBERS)
def test_seven_cuts_in_a_row(number, passed):
    for seed in range(3):
        passed(at_random(geometries()[number], 1000 + seed, 400), 400)


@pytest.mark.parametrize("number", NUMBERS)
def test_seven_cuts_in_a_row_with_bits_that_change_at_every_read(number, passed):
    passed(at_random(geometries()[number], 1003, 300, flicker=True), 300)


@pytest.mark.parametrize("number", NUMBERS)
def test_cuts_on_flash_that_wears_out(number, passed):
    passed(worn(geometries()[number], 1, 150), 150)
