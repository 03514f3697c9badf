# SPDX-License-Identifier: MIT
"""The commands of the documentation's pages, run as they are written."""

import os
import re
import subprocess
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent.parent / "docs"


def blocks(page, language="sh"):
    """The fenced blocks of a page (a path below docs) in one language."""
    text = (DOCS / page).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)


def p11board_in(folder):
    """A directory with a `p11board` that runs this checkout, for PATH."""
    made = folder / "bin"
    made.mkdir(parents=True, exist_ok=True)
    script = made / "p11board"
    script.write_text(f'#!/bin/sh\nexec {sys.executable} -m p11board "$@"\n')
    script.chmod(0o755)
    return made


def path(*folders):
    """PATH with folders in front, then that of this Python."""
    return ":".join(map(str, (*folders, os.path.dirname(sys.executable), os.environ["PATH"])))


def run(script, folder, environment, seconds=300):
    """What commands print, run in a folder; the first that fails ends them and the test."""
    done = subprocess.run(
        ["bash", "-c", "set -eu -o pipefail\n" + script],
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout
