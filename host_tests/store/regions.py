# SPDX-License-Identifier: MIT
"""The simulated regions: scaled ones for depth, erase sizes of real parts."""

from flashsim import Geometry

from pal.flash import ZERO_ANY, ZERO_NONE, ZERO_UNIT


def geometries():
    """Scaled regions for depth: every unit, zero mode and number of sectors of the plan."""
    fault = {"read_may_fault": True}
    return [
        Geometry(1, 512, 5, ZERO_ANY, 16),
        Geometry(1, 1024, 3, ZERO_ANY, 32),
        Geometry(1, 1024, 2, ZERO_ANY, 16),
        Geometry(1, 512, 16, ZERO_ANY, 16),
        Geometry(1, 1024, 5, ZERO_NONE, 16),
        Geometry(1, 1024, 4, ZERO_UNIT, 64),
        Geometry(8, 512, 5, ZERO_UNIT, 8, **fault),
        Geometry(8, 1024, 3, ZERO_UNIT, 32, **fault),
        Geometry(8, 1024, 2, ZERO_UNIT, 8, **fault),
        Geometry(8, 1024, 5, ZERO_NONE, 8, **fault),
        Geometry(16, 1024, 5, ZERO_NONE, 16, **fault),
        Geometry(16, 1024, 3, ZERO_NONE, 32, **fault),
        Geometry(16, 2048, 2, ZERO_NONE, 16, **fault),
        Geometry(16, 512, 16, ZERO_NONE, 16, **fault),
        Geometry(16, 1024, 4, ZERO_UNIT, 16, **fault),
        Geometry(32, 1024, 5, ZERO_NONE, 32, **fault),
        Geometry(32, 2048, 3, ZERO_NONE, 32, **fault),
        Geometry(32, 2048, 2, ZERO_NONE, 32, **fault),
        Geometry(32, 1024, 3, ZERO_UNIT, 32, **fault),
        Geometry(1, 512, 5, ZERO_ANY, 16, sizes=(512, 1024, 512, 512, 1024)),
    ]


def real_geometries():
    """Erase sizes of real parts."""
    fault = {"read_may_fault": True}
    return [
        Geometry(8, 2048, 8, ZERO_UNIT, 8, **fault),
        Geometry(1, 4096, 16, ZERO_ANY, 256),
        Geometry(1, 16384, 3, ZERO_ANY, 32),
        Geometry(32, 131072, 2, ZERO_NONE, 32, **fault),
    ]
