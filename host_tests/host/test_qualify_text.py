# SPDX-License-Identifier: MIT
"""What `p11board qualify` makes of the text of a run: verdict, reports, and runs that broke off."""

import xml.etree.ElementTree as ET

import pytest

from p11board import qualify
from p11board.errors import TokenError, TransportProblem, UsageProblem

GOOD = """qualification: 3 tests, EC, import generate, 2 sessions x 10
---------STARTING TESTS---------
TEST(Full_PKCS11_NoObject, AFQP_Digest) PASS
some log line of the application
TEST(Full_PKCS11_RSA, AFQP_Sign)
TEST(Full_PKCS11_EC, AFQP_Sign){how}
model: 7 different paths

-----------------------
3 Tests {failures} Failures 1 Ignored{blank}
{verdict}
-------ALL TESTS FINISHED-------
"""


def text(how=" PASS", failures=0, verdict="OK"):
    return GOOD.format(how=how, failures=failures, verdict=verdict, blank=" ")


def fed(words, size=1):
    run = qualify.Run()
    data = words.replace("\n", "\r\n").encode()
    for at in range(0, len(data), size):
        run.feed(data[at : at + size])
    return run


@pytest.mark.parametrize("size", [1, 7, 4096])
def test_a_good_run_is_read_however_its_bytes_arrive(size):
    run = fed(text(), size)
    run.check()
    assert run.good and run.total == 3
    assert run.facts() == {"tests": 3, "failures": 0, "ignored": 1, "paths": 7}
    assert [one.verdict for one in run.results] == ["pass", "ignored", "pass"]


def test_progress_is_told_after_each_test():
    told = []
    qualify.Run(progress=lambda *now: told.append(now)).feed(text().encode())
    assert told == [(1, 3), (2, 3), (3, 3)]


def test_a_failure_reaches_both_reports_whatever_its_message_contains():
    run = fed(text("pkcs11/runner/ec.py:12::FAIL: Expected 0 Was 5. <&\x1b]>", 1, "FAIL"))
    run.check()
    assert not run.good
    failure = next(ET.fromstring(qualify.junit(run, "B")).iter("failure"))
    assert failure.text == "pkcs11/runner/ec.py:12: Expected 0 Was 5. <&?]>"
    report = qualify.report(run, {"board": "B", "firmware": "1"})
    assert "FAILED: 3 tests, 1 failures" in report and "pkcs11/runner/ec.py:12" in report


@pytest.mark.parametrize("lines", range(12))
def test_a_run_that_broke_off_is_no_result(lines):
    run = fed("".join(text().splitlines(keepends=True)[:lines]))
    with pytest.raises(TransportProblem):
        run.check()


def test_a_lost_line_is_noticed():
    run = fed(text().replace("TEST(Full_PKCS11_RSA, AFQP_Sign)\n", ""))
    with pytest.raises(TransportProblem, match="the lines say"):
        run.check()


@pytest.mark.parametrize(
    "line,problem",
    [
        ('{"error": "CKR_PIN_INCORRECT", "code": 160}', TokenError),
        ('{"error": "switches: no"}', UsageProblem),
        ('{"other": 1}', TransportProblem),
        ("[1]", TransportProblem),
    ],
    ids=str,
)
def test_what_prevented_a_run_is_said(line, problem):
    with pytest.raises(problem):
        fed(line + "\n").check()
