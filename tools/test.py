# SPDX-License-Identifier: MIT
"""What `make test`, `make test-fast` and `make soak` run: style, then pytest, one verdict.

The whole run also measures which lines and branches of firmware/pkcs11 the CPython tests reach.
Leaves build/junit.xml and build/coverage. Exit code 0 when everything passed, 1 otherwise, 130
when interrupted.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import coverage_verdict

ROOT = Path(__file__).resolve().parent.parent
COVERAGE = ROOT / "build" / "coverage"
BIN = Path(sys.executable).parent

STYLE = (
    ("ruff check", (BIN / "ruff", "check", "--quiet", ".")),
    ("ruff format", (BIN / "ruff", "format", "--check", "--quiet", ".")),
    ("clang-format", (BIN / "clang-format", "--dry-run", "-Werror")),
)


def style():
    """Check the style of Python and C. Return the names of the checks that failed."""
    sources = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "*.c", "*.h", ":!*qstrdefs*"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    failed = []
    for name, command in STYLE:
        if name == "clang-format":
            command = (*command, *sources)
        if subprocess.run([str(word) for word in command], cwd=ROOT).returncode:
            failed.append(name)
    return failed


def tests(arguments):
    """Run pytest. Return whether everything passed."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "host_tests",
        f"--junitxml={ROOT / 'build' / 'junit.xml'}",
        f"--board={arguments.board}",
    ]
    if arguments.board == "emulated":
        command += ["-n", "auto", "--dist", "loadfile"]
    if arguments.fast:
        command += ["-m", "not emulated and not slow and not long"]
    if arguments.soak:
        command.append("--soak")
    environment = dict(os.environ)
    measured = not (arguments.fast or arguments.pytest) and arguments.board == "emulated"
    if measured:
        shutil.rmtree(COVERAGE, ignore_errors=True)
        environment["P11_COVERAGE"] = str(COVERAGE)
    passed = not subprocess.run(command + arguments.pytest, cwd=ROOT, env=environment).returncode
    return (not measured or coverage_verdict.verdict(COVERAGE)) and passed


def main():
    """Parse the command line, run what it asks for, return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--style", action="store_true", help="style only")
    parser.add_argument("--fast", action="store_true", help="the edit loop: no emulated board")
    parser.add_argument("--soak", action="store_true", help="also the long versions")
    parser.add_argument("--board", default="emulated", help="serial port of a real board")
    parser.add_argument("pytest", nargs="*", help="further arguments for pytest, after --")
    arguments = parser.parse_args()
    (ROOT / "build").mkdir(exist_ok=True)
    start = time.monotonic()
    failed = style()
    passed = arguments.style or tests(arguments)
    for name in failed:
        print(
            f"style: {name} found something, see above (make format repairs it)", file=sys.stderr
        )
    if not arguments.style:
        print(
            f"test: {time.monotonic() - start:.0f} s, results in build/junit.xml", file=sys.stderr
        )
    return 0 if passed and not failed else 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
