# SPDX-License-Identifier: MIT
"""Every rule is needed: the suite turns red when one is taken out."""

import pytest
from controls import CONTROLS
from cutting import KINDS, geometries


def red(store_class, probes):
    """The first failure that the probes find without the rule, or None."""
    for kind, number, seeds, size in probes:
        for seed in range(seeds):
            tally = KINDS[kind](geometries()[number], seed, size, store_class, limit=1)
            if tally.failures:
                return tally.failures[0]
    return None


@pytest.mark.parametrize("rule", sorted(CONTROLS))
def test_without_the_rule_the_suite_is_red(rule):
    assert red(*CONTROLS[rule]), f"nobody misses the rule: {rule}"
