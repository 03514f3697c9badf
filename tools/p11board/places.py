# SPDX-License-Identifier: MIT
"""Where the daemon's socket lives, and how its neighbours are named.

Promises: the directory is ours alone (mode 0700, our uid) or we refuse to use it, because whoever
can open the socket can use a logged-in token.
"""

import os
import stat
import tempfile
from pathlib import Path

from p11board.errors import TransportProblem, UsageProblem

LONGEST = 107  # bytes of a unix socket's path on Linux


def default_socket():
    """$XDG_RUNTIME_DIR/p11board/pkcs11, or a directory of ours in /tmp."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    if runtime and os.path.isdir(runtime):
        return Path(runtime) / "p11board" / "pkcs11"
    return Path(tempfile.gettempdir()) / f"p11board-{os.getuid()}" / "pkcs11"


def control_path(path):
    """The control socket beside the socket."""
    return path.with_name(path.name + ".control")


def lock_path(path):
    """The file whose lock says that a daemon serves this socket."""
    return path.with_name(path.name + ".lock")


def log_path(path):
    """Where a daemon started in the background writes its log."""
    return path.with_name(path.name + ".log")


def private_directory(path):
    """Make sure the socket's directory is ours alone."""
    if len(os.fsencode(control_path(path))) > LONGEST:
        raise UsageProblem(f"{path} is too long for a socket", "give a shorter --socket")
    folder = path.parent
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        facts = os.lstat(folder)
    except OSError as error:
        raise TransportProblem(f"cannot make {folder}: {error.strerror}") from None
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise TransportProblem(
            f"{folder} can be entered by others",
            f"it must be a directory of yours with mode 700: `chmod 700 {folder}`",
        )
