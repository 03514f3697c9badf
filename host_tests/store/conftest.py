# SPDX-License-Identifier: MIT
"""Makes the helpers of the store's tests importable by name, and counts the runs of power cuts."""

import sys
from pathlib import Path

import pytest

HERE = str(Path(__file__).resolve().parent)
if HERE not in sys.path:
    sys.path.insert(0, HERE)


@pytest.fixture
def passed(record_property):
    """A function that wants no failure and at least so many runs; junit.xml gets the counts."""
    total = 0

    def check(tally, least=1):
        nonlocal total
        assert tally.failures == []
        assert tally.runs >= least
        total += tally.runs

    yield check
    record_property("runs", total)
