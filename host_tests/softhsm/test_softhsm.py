# SPDX-License-Identifier: MIT
"""The same calls on our token and on SoftHSM2: the same codes and results, or a row that says why.

SoftHSM2 comes from Debian's softhsm2; its tokens live in a temporary directory, in memory where
there is /dev/shm, because it waits for the disk after each object.
"""

import glob
import os
import tempfile
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
from softhsm_compare import differ, run, show, walk
from softhsm_differences import DIFFERENCES
from softhsm_scripts import SCRIPTS
from softhsm_scripts_crypto import SCRIPTS as CRYPTO
from softhsm_scripts_keys import SCRIPTS as KEYS
from softhsm_scripts_objects import SCRIPTS as OBJECTS
from softhsm_sides import Ours, Theirs

from pkcs11 import api
from pkcs11.const import CKR_OK

PATHS = ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/*/softhsm/libsofthsm2.so")
SEED = 20240607


@pytest.fixture(scope="module")
def unforeseen():
    """Exceptions that our layer did not foresee."""
    found = []
    original = api.unexpected
    api.unexpected = found.append
    yield found
    api.unexpected = original


@pytest.fixture(scope="module")
def sides(unforeseen):
    path = next((found for pattern in PATHS for found in glob.glob(pattern)), None)
    assert path, "SoftHSM2 is not installed: tools/deps.sh test"
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="softhsm", dir=memory) as folder:
        theirs = Theirs(path, Path(folder))
        yield Ours(), theirs
        if theirs.on:
            theirs.raw("C_Finalize", None)


@pytest.fixture(scope="module")
def outcomes(sides):
    """What both answered to all scripts and walks."""
    scripts = SCRIPTS + OBJECTS + CRYPTO + KEYS
    return run(sides, scripts) + walk(sides, SEED)


def explains(row, outcome):
    """Return whether a row of DIFFERENCES covers an outcome."""
    ours, theirs = outcome.ours[0], outcome.theirs[0]
    if row.theirs != theirs or row.ours not in (None, ours):
        return False
    return fnmatchcase("%s: %s" % (outcome.state, outcome.line), row.calls)


def test_every_difference_has_a_row_with_its_paragraph(outcomes):
    different = [outcome for outcome in outcomes if differ(outcome)]
    unexplained = [
        show(outcome)
        for outcome in different
        if not any(explains(row, outcome) for row in DIFFERENCES)
    ]
    assert not unexplained, "\n" + "\n".join(unexplained)


def test_every_row_still_occurs(outcomes):
    different = [outcome for outcome in outcomes if differ(outcome)]
    idle = [row for row in DIFFERENCES if not any(explains(row, each) for each in different)]
    assert not idle, idle


def test_rows_name_a_section_and_a_reason():
    for row in DIFFERENCES:
        assert row.section[:1].isdigit() or row.section.startswith("Mech "), row
        assert len(row.why) > 20, row


def test_there_are_hundreds_of_calls_of_every_function_good_and_bad(outcomes):
    scripted = [outcome for outcome in outcomes if outcome.where.startswith("script")]
    walked = [outcome for outcome in outcomes if outcome.where.startswith("walk")]
    assert len(scripted) >= 800 and len(walked) >= 1000
    codes = {}
    for outcome in outcomes:
        codes.setdefault(outcome.line.split()[0], set()).add(outcome.ours[0])
    assert set(api.FUNCTIONS) - set(codes) == {"C_GetFunctionList"}  # called to load the library
    assert len({code for found in codes.values() for code in found}) >= 40
    agreed = [outcome for outcome in outcomes if not differ(outcome)]
    assert sum(outcome.ours[0] == CKR_OK for outcome in agreed) >= 500
    assert sum(outcome.ours[0] != CKR_OK for outcome in agreed) >= 500


def test_our_layer_met_nothing_that_it_did_not_foresee(outcomes, unforeseen):
    assert not unforeseen
