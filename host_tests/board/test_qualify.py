# SPDX-License-Identifier: MIT
"""`p11board qualify` on the board: the run, its reports, its care for the token's objects."""

import json
import os
import pty
import select
import signal
import subprocess
import sys
import time
import xml.etree.ElementTree as ET

import pytest

from p11board.qualify import TEST

pytestmark = pytest.mark.long

PATHS = 20  # of the model; the whole number is run once
NAMES = {"private": "Device Priv TLS Key", "public": "Device Pub TLS Key"}


def run(board, folder, *options, code=0, paths=PATHS):
    """Run it; returns the JSON document."""
    result = board.p11board(
        "qualify", "--paths", paths, "--out", folder, *options, "--json", code=code
    )
    found = json.loads(result.stdout)
    assert set(found) == {"tests", "failures", "ignored", "paths", "files"}
    return found


def objects(board):
    """The objects of the board without their handles, in an order."""
    found = [{k: v for k, v in o.items() if k != "handle"} for o in board.json("objects")]
    return sorted(found, key=json.dumps)


def test_the_board_passes_and_holds_the_same_objects_and_keys_afterwards(board, tmp_path):
    for label in (*NAMES.values(), "test qualify"):
        if not any(o["label"] == label for o in objects(board)):
            board.p11board("keygen", "--label", label, code=None)
    before = objects(board)
    public = [o["label"] for o in before if o["class"].startswith("public")]
    points = [board.json("read", label, "--class", "public")["value"] for label in public]
    assert len(points) >= 2
    found = run(board, tmp_path, paths=2100)
    assert (found["tests"], found["failures"], found["ignored"]) == (32, 0, 0)
    assert found["paths"] >= 2000
    assert objects(board) == before
    for label, point in zip(public, points):
        assert board.json("read", label, "--class", "public")["value"] == point
    signature = board.json("sign", "--label", "test qualify", "--digest", "5a" * 32)
    assert len(signature["signature"]) >= 128


def test_the_reports_agree_with_the_run(board, tmp_path):
    found = run(board, tmp_path, "--no-import")
    assert found["files"] == [str(tmp_path / f"qualification.{kind}") for kind in ("xml", "txt")]
    root = ET.parse(tmp_path / "qualification.xml").getroot()
    cases = list(root.iter("testcase"))
    assert len(cases) == found["tests"] == int(root.get("tests"))
    assert len(list(root.iter("skipped"))) == found["ignored"] == int(root.get("skipped")) == 10
    assert not list(root.iter("failure"))
    groups = [suite.get("name") for suite in root.iter("testsuite")]
    assert groups[:5] == [
        f"Full_PKCS11_{name}" for name in ("StartFinish", "Capabilities", "NoObject", "RSA", "EC")
    ]
    text = (tmp_path / "qualification.txt").read_text()
    assert "PASSED: 32 tests, 0 failures, 10 ignored" in text
    printed = [line for line in text.splitlines() if TEST.match(line)]
    assert len(printed) == 32 and "TEST(Full_PKCS11_EC, AFQP_Sign) PASS" in printed
    assert text.endswith("OK\n-------ALL TESTS FINISHED-------\n")


def test_a_heap_that_is_short_is_cleared_before_the_run(board, tmp_path):
    """Of the emulated board's heap a program took so much that no test could run in the rest."""
    board.json("info")  # everything that this loads is there from now on
    with board.connected() as one:
        one.link.execute(
            "import gc\nhog = []\nwhile gc.mem_free() > 40000:\n hog.append(bytearray(1000))\n gc.collect()"
        )
        assert one.link.execute("print(len(hog) > 50)")[0].strip() == "True"
    found = run(board, tmp_path, "--no-import", "--no-rsa", paths=5)
    assert found["failures"] == 0
    with board.connected() as one:
        assert "NameError" in one.link.execute("hog")[1]


def test_a_failure_is_an_exit_code_a_line_and_a_junit_failure(board, tmp_path):
    labels = ["--label", "private=test none", "--label", "public=test none"]
    options = ["--paths", 0, "--out", tmp_path, "--pre-provisioned", *labels]
    result = board.p11board("qualify", *options, code=1)
    assert "FAIL  Full_PKCS11_EC AFQP_FindObject  pkcs11/runner/pairs.py:" in result.stdout
    failures = list(ET.parse(tmp_path / "qualification.xml").getroot().iter("failure"))
    assert failures and failures[0].text.startswith("pkcs11/runner/pairs.py:")
    assert ": no pre-provisioned key" in failures[0].text


def test_a_bug_in_the_layer_is_found_on_the_board(board, tmp_path):
    """The REPL keeps what a program changed: a layer whose C_Verify says yes to everything."""
    seed = (
        "import pkcs11\nfrom pkcs11.application import Application\n"
        "right = Application.C_Verify\n"
        "def wrong(app, session, *args):\n app.sessions[session].end()\n"
        "Application.C_Verify = wrong\n"
    )
    with board.connected() as one:
        assert one.link.execute(seed) == ("", "")
    try:
        found = run(board, tmp_path, "--no-rsa", code=1)
    finally:
        with board.connected() as one:
            one.link.execute("Application.C_Verify = right\n")
    assert found["failures"] >= 1
    text = (tmp_path / "qualification.txt").read_text()
    assert "::FAIL: Expected 192 Was 0." in text


@pytest.mark.parametrize(
    "options,said",
    [
        (["--no-import", "--no-generate"], "neither import nor generate"),
        (["--no-ec", "--no-rsa"], "neither RSA nor EC"),
        (["--pre-provisioned", "--rsa"], "of one type"),
        (["--tasks", 15], "15"),
    ],
    ids=str,
)
def test_switches_that_exclude_each_other_are_wrong_use(board, tmp_path, options, said):
    result = board.p11board("qualify", "--out", tmp_path, *options, code=2)
    assert said in result.stderr
    assert not list(tmp_path.iterdir())


def test_progress_is_shown_on_a_terminal(board, tmp_path):
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "p11board", *board.options(), "qualify"]
    command += ["--paths", "0", "--no-rsa", "--out", str(tmp_path)]
    program = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=theirs, env={**os.environ, "TERM": "xterm"}
    )
    os.close(theirs)
    shown = b""
    while select.select([ours], [], [], 120)[0]:
        try:
            shown += os.read(ours, 4096)
        except OSError:
            break
    os.close(ours)
    out = program.communicate(timeout=10)[0].decode()
    assert program.returncode == 0 and "32 tests, 0 failures, 9 ignored" in out
    assert b"Tests" in shown and b"%" in shown


def test_an_interrupted_run_clears_up(board, tmp_path):
    before = objects(board)
    command = [
        sys.executable,
        "-m",
        "p11board",
        *board.options(),
        "qualify",
        "--no-rsa",
        "--loops",
        "1000",
    ]
    program = subprocess.Popen(
        [*command, "--out", str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    time.sleep(4)  # among the thousand random numbers, or the keys
    assert program.poll() is None
    program.send_signal(signal.SIGINT)
    program.communicate(timeout=60)
    assert program.returncode == 130
    assert objects(board) == before
    assert not list(tmp_path.iterdir())
