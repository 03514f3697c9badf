# SPDX-License-Identifier: MIT
"""The C library of the tests is built once, however many processes want it at the same moment."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def test_processes_that_want_the_library_at_once_do_not_spoil_each_others_build(tmp_path):
    # a checkout of its own, with nothing built
    for part in ("firmware", "host_tests/c", "host_tests/twin", "boards/AST1030_EVB"):
        shutil.copytree(ROOT / part, tmp_path / part)
    shutil.copytree(ROOT / "tools", tmp_path / "tools", ignore=shutil.ignore_patterns("p11board"))
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "src").symlink_to(ROOT / "build" / "src")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "host_tests" / "twin")}
    environment.pop("P11CORE", None)
    command = [sys.executable, "-c", "import p11crypto_c; print(p11crypto_c.lib.p11_has_source())"]
    programs = [
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for program in programs:
        output, errors = program.communicate(timeout=300)
        assert program.returncode == 0 and output, errors
