# SPDX-License-Identifier: MIT
"""A locked build with an application frozen in (`make firmware LOCKED=1 LOCKED_MAIN=folder`)."""

import subprocess

import pytest
from harness import BUILD, ROOT, EmulatedBoard
from host_end import PortBoard

pytestmark = [pytest.mark.emulated, pytest.mark.slow]

# Greets, echoes one line, then ends as a program with an error would.
PROGRAM = """
import sys
def main():
    sys.stdout.buffer.write(b"<application>")
    sys.stdout.buffer.write(b"<" + sys.stdin.buffer.readline().strip() + b">")
    print("never seen")
    raise KeyError("never seen")
"""


def make(*words):
    return subprocess.run(
        ["make", "-s", "firmware", "LOCKED=1", *words], cwd=ROOT, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    folder = tmp_path_factory.mktemp("application")
    (folder / "locked_main.py").write_text(PROGRAM)
    done = make(f"LOCKED_MAIN={folder}")
    assert done.returncode == 0, done.stderr
    made = EmulatedBoard(folder, BUILD.with_name(BUILD.name + "-locked-application"), repl=False)
    yield made
    made.stop()


def test_it_runs_in_place_of_the_server_and_its_end_is_a_reset_not_a_prompt(board):
    board.cycle()
    line = PortBoard(board.port, start=False)
    assert line.read_until(b"<application>") == b"<application>"
    line.send(b"\x03\x04\x01\x02 hello\n")
    assert line.read_until(b"<application>") == b"<\x03\x04\x01\x02 hello><application>"
    assert line.silent(1)
    line.close()


def test_a_folder_without_locked_main_is_refused(tmp_path):
    done = make(f"LOCKED_MAIN={tmp_path}")
    assert done.returncode and "no locked_main.py" in done.stderr
    command = ["make", "-s", "firmware", f"LOCKED_MAIN={tmp_path}"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode and "LOCKED=1" in done.stderr
