# SPDX-License-Identifier: MIT
"""Up to seven cuts in a row, at random."""

import pytest
from cutting import at_random, geometries


@pytest.mark.parametrize("number", range(len(geometries())))
def test_seven_cuts_in_a_row(number):
    for seed in range(4):
        tally = at_random(geometries()[number], 1000 + seed, 300, flicker=seed == 3)
        assert tally.failures == []
        assert tally.random == 300
