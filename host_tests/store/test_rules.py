# SPDX-License-Identifier: MIT
"""The index of rules: what the store does, and the test that turns red when it does not.

The sections are those of the rules the format is made of, which docs/FORMAT.md turned into bytes.
A rule is switched off in a subclass: a row of `controls.CONTROLS`, or a test beside those of its
subject.
"""

import re
from pathlib import Path

import pytest
from controls import CONTROLS

HERE = Path(__file__).resolve().parent

# (section, rule): name in CONTROLS, or file::test
RULES = {
    ("3.1", "a cell is programmed once; skipped cells are fenced"): "fence",
    ("3.1", "no cell is all ones"): "mask",
    ("3.1", "one read, one decision"): (
        "test_faults.py::test_without_one_read_one_decision_wrong_data_is_served"
    ),
    ("3.2", "STAMP after the erase"): "STAMP",
    ("3.2", "HEADER twice"): (
        "test_rot_cells.py::test_without_the_second_cell_an_unreadable_one_costs_more"
    ),
    ("3.2", "CRCs are seeded by the life of the sector"): (
        "test_forged.py::test_without_the_seed_of_the_sector_they_can"
    ),
    ("3.2", "an opened, empty sector is erased again"): "empty sectors",
    ("3.2", "a spare of an earlier boot is erased again"): "old spares",
    ("3.2", "sequences are not used twice"): "sequences",
    ("3.3", "SEAL after COMMIT"): "SEAL",
    ("3.3", "records are accepted one by one"): (
        "test_rot.py::test_without_the_rule_single_bits_are_noticed"
    ),
    ("3.3", "a tombstone is two cells"): (
        "test_rot_cells.py::test_without_the_second_cell_an_unreadable_one_costs_more"
    ),
    ("3.4", "every cell is looked at"): (
        "test_forged.py::test_a_recovery_may_lie_inside_an_announced_payload"
    ),
    ("3.4", "RESOLUTION"): "resolution",
    ("3.4", "RESOLUTION twice"): "resolution twice",
    ("3.4", "verdicts apply by range"): (
        "test_forged.py::test_a_verdict_by_exact_start_would_miss_what_it_is_about"
    ),
    ("3.4", "verdicts reach no sealed commit"): (
        "test_verdicts.py::test_without_the_rule_it_does"
    ),
    ("3.4", "a retired sector retires nobody"): (
        "test_verdicts.py::test_a_retired_sector_retires_nobody"
    ),
    ("3.4", "fence on a clean tail"): "fence on a clean tail",
    ("3.4", "garbage taints its sector"): "taint",
    ("3.4", "irreversible steps on a sealed or resolved word"): "verdict before erase",
    ("3.4", "a sector of nothing accepted is given up first"): "give up",
    ("3.5", "RETIRE before erase"): "RETIRE",
    ("3.5", "damaged records are not laundered"): (
        "test_rot.py::test_without_the_rule_single_bits_are_noticed"
    ),
    ("3.5", "tombstones stay while they hide something"): "tombstones",
    ("3.5", "a zeroised payload does not count as gone"): "zeroised is not gone",
    ("3.6", "dead secrets are purged before the call returns"): "purge",
    ("3.6", "mount finishes an interrupted purge"): "purge at mount",
    ("3.6", "a record never wipes itself"): (
        "test_verdicts.py::test_without_the_comparison_a_record_wipes_itself"
    ),
    ("3.7", "the attempt is counted before the PIN is compared"): (
        "test_pin_cuts.py::test_without_the_rule_more_pins_are_compared"
    ),
    ("3.7", "SUCCESS has a seal"): "SUCCESS SEAL",
    ("3.7", "collection sums events up"): "events folded",
    ("3.8", "CREATE before creation"): "CREATE",
    ("3.8", "CREATE twice"): "CREATE twice",
    ("3.8", "a creation that cannot be read is disowned"): "creation is disowned",
    ("3.8", "reset intent"): "reset intent",
    ("3.8", "reset of a worn-out store is announced"): (
        "test_reset_cuts.py::test_without_create_in_front_it_leaves_something_else"
    ),
    ("3.8", "a reset erases nothing before CREATE stands"): (
        "test_reset_cuts.py::test_without_the_rule_the_second_cut_leaves_something_else"
    ),
    ("3.8", "what a reset erases before CREATE stands is given up first"): (
        "test_reset_cuts.py::test_without_the_rule_the_second_cut_leaves_something_else"
    ),
    ("3.8", "no verdict in a sector that a reset may have half erased"): (
        "test_reset_cuts.py::test_without_the_rule_the_second_cut_leaves_something_else"
    ),
    ("3.8", "a CREATE that takes no second copy gives way to the intent"): (
        "test_reset_cuts.py::test_without_the_rule_the_second_cut_leaves_something_else"
    ),
    ("3.8", "a worn sector is named again"): "worn sectors are named again",
    ("3.7", "a sector that was moved has no say"): (
        "test_retired_events.py::test_without_the_rule_the_answer_changes"
    ),
    ("3.8", "critical records twice"): "test_rot.py::test_no_bit_damages_a_critical_record",
}


@pytest.mark.parametrize("section, rule", RULES, ids=lambda word: word.replace(" ", "-"))
def test_each_rule_has_its_control(section, rule):
    where = RULES[section, rule]
    if "::" in where:
        name, test = where.split("::")
        assert re.search(rf"^def {test}\(", (HERE / name).read_text(), re.MULTILINE)
    else:
        assert where in CONTROLS


def test_each_control_stands_for_a_rule():
    assert set(CONTROLS) <= set(RULES.values())
