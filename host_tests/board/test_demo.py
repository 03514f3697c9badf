# SPDX-License-Identifier: MIT
"""`p11board demo` tells the whole story, keeps the keys of an earlier run, and only then."""

import subprocess
import sys

import pytest


@pytest.fixture(scope="module")
def demo(request, tmp_path_factory, firmware, second_image):
    """demo(options…): run the demo on one private emulated board; returns what it printed."""
    if request.config.getoption("--board") != "emulated":
        pytest.skip("the demo is for the emulated board")
    state = tmp_path_factory.mktemp("demo") / "state"
    options = ["--state", state, "--image", firmware[0], "--second", second_image]

    def run(*more):
        command = ["demo", *options, "--loader", firmware[1], *more]
        done = subprocess.run(
            [sys.executable, "-m", "p11board", *map(str, command)],
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, (done.stdout, done.stderr)
        assert done.stderr == ""
        return done.stdout

    yield run
    subprocess.run([sys.executable, "-m", "p11board", "emulate", "stop", "--state", str(state)])


def key_line(text):
    return next(line for line in text.splitlines() if "public key " in line)


def test_the_demo_shows_five_steps_and_keeps_its_keys_until_told_otherwise(demo):
    first = demo()
    for step in range(1, 6):
        assert f"\n{step}. " in "\n" + first
    assert "the board generated a P-256 key pair" in first
    before, after = [line.split()[-1] for line in first.splitlines() if "key region " in line]
    assert before == after
    assert "Everything worked" in first
    second = demo()
    assert "from an earlier demo: kept" in second
    assert key_line(second) == key_line(first)
    third = demo("--fresh")
    assert "the board generated a P-256 key pair" in third
    assert key_line(third) != key_line(first)
