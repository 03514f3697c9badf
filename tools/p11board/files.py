# SPDX-License-Identifier: MIT
"""Writing files that are whole or not there."""

import os

from p11board.errors import UsageProblem


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
