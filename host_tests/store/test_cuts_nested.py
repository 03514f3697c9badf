# SPDX-License-Identifier: MIT
"""A second cut at every operation of the recovery from the first."""

import pytest
from cutting import geometries, nested


@pytest.mark.parametrize("number", range(len(geometries())))
def test_a_second_cut_at_every_operation_of_the_recovery(number, passed):
    passed(nested(geometries()[number], number, 1), 200)
