# SPDX-License-Identifier: MIT
"""The bounds of bench_wire are bounds: what is over one is named. It is measured in test_emulated."""

import pytest
from bench_wire import OPERATIONS, missed


def figures(trips, size):
    return {
        "round trips": trips,
        "bytes to the board": size // 2,
        "bytes from the board": size - size // 2,
    }


def exact():
    """Every operation at its bounds."""
    return {one.name: figures(one.trips, one.size) for one in OPERATIONS}


def test_what_is_within_its_bounds_is_not_named():
    assert list(missed(exact())) == []


@pytest.mark.parametrize("name", [one.name for one in OPERATIONS])
def test_one_round_trip_or_one_byte_too_many_is_named(name):
    (operation,) = [one for one in OPERATIONS if one.name == name]
    found = exact()
    found[name] = figures(operation.trips + 1, operation.size)
    assert list(missed(found)) == [
        f"{name}: {operation.trips + 1} round trips (limit {operation.trips})"
    ]
    found[name] = figures(operation.trips, operation.size + 1)
    assert list(missed(found)) == [f"{name}: {operation.size + 1} bytes (limit {operation.size})"]
