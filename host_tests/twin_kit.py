# SPDX-License-Identifier: MIT
"""The twin of p11crypto and the C core side by side, as after power-on in each test."""

import p11crypto_c as c
import p11crypto_py as py
import pytest

BOTH = pytest.mark.parametrize("module", [py, c], ids=["twin", "core"])
WAYS = pytest.mark.parametrize("a, b", [(py, c), (c, py)], ids=["twin-core", "core-twin"])


def _reset():
    for module in (py, c):
        module.test_source()
        module.test_no_source(False)
        module.test_reset()


@pytest.fixture(autouse=True)
def power_on():
    """Both with the source of this machine and no key, before and after."""
    _reset()
    yield
    _reset()
