# SPDX-License-Identifier: MIT
"""Files: read with a one-line error, written whole or not at all."""

import os

from p11board.errors import UsageProblem


def read_file(path, name=None):
    """The bytes of a Path. Raises UsageProblem; name: how that calls the file."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageProblem(f"cannot read {name or path}: {error.strerror}") from None


def write_whole(path, data):
    """Write bytes to a Path, making its directory; an interrupted write leaves the old file.

    Raises UsageProblem.
    """
    partial = path.with_name(path.name + ".part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_bytes(data)
        os.replace(partial, path)
    except OSError as error:
        raise UsageProblem(f"cannot write {path}: {error.strerror}") from None
