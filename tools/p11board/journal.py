# SPDX-License-Identifier: MIT
"""The log of provisioning: one JSON object a line, appended, readable by its owner only.

It is for people who ask later what happened to a board; no run ever reads it.  No PIN, password
or key value gets here: only names, states and the sentences the terminal shows.
"""

import json
import os
import time
from pathlib import Path

import platformdirs

from p11board.errors import UsageProblem


def default_path():
    """Where the log is unless told otherwise."""
    return platformdirs.user_log_path("p11board") / "provision.log"


class Journal:
    """An open log. Use as a context manager."""

    def __init__(self, path=None):
        self.path = Path(path) if path else default_path()
        self._file = None

    def __enter__(self):
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
            self._file = os.fdopen(os.open(self.path, flags, 0o600), "a", encoding="utf-8")
        except OSError as error:
            raise UsageProblem(
                f"cannot write the log {self.path}: {error.strerror}", "name another with --log"
            ) from None
        return self

    def __exit__(self, *exc):
        self._file.close()

    def note(self, event, **facts):
        """Append a line, on disk before this returns."""
        line = {"time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "event": event}
        self._file.write(json.dumps({**line, **facts}, ensure_ascii=False) + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())
