# SPDX-License-Identifier: MIT
"""Everything the command line prints goes through here.

Promises: data goes to standard output, progress and errors to standard error; progress is
shown only on a terminal; `--json` output is one JSON document and nothing else; NO_COLOR and
TERM=dumb are honoured (by rich).
"""

import json
import sys
import time
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn
from rich.table import Table
from rich.text import Text


def printable(value):
    """`value` as text without control characters: a label must not drive the terminal."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in str(value))


class Output:
    """Where a command prints. `as_json` makes `data` print JSON and silences `say`."""

    def __init__(self, as_json=False):
        self.as_json = as_json
        self.out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self.err = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    def say(self, text="", style=None):
        """A line for a person; not printed with `--json`."""
        if not self.as_json:
            self.out.print(text, style=style, markup=False)

    def data(self, value, show):
        """Print `value`: as JSON, or for a person by calling `show(value)`."""
        if self.as_json:
            sys.stdout.write(json.dumps(value, indent=2) + "\n")
        else:
            show(value)

    def table(self, columns, rows):
        """A table without frame, aligned, that survives being piped into a file."""
        table = Table(box=None, pad_edge=False, header_style="bold", show_edge=False)
        for name in columns:
            table.add_column(name, overflow="fold")
        for row in rows:
            table.add_row(*(Text(printable(cell)) for cell in row))
        self.out.print(table)

    def pairs(self, rows):
        """Names and values, one pair a line."""
        width = max((len(name) for name, _ in rows), default=0)
        for name, value in rows:
            self.out.print(f"{name:<{width}}  {printable(value)}", markup=False)

    def error(self, problem):
        """A failure: one line on standard error (or one JSON object on standard output)."""
        if self.as_json:
            sys.stdout.write(json.dumps(problem.as_dict()) + "\n")
        self.err.print(f"p11board: {problem.line()}", style="red", markup=False)

    @contextmanager
    def progress(self, what, total):
        """A bar over `total` units; yields `advance(done)` with the number done so far."""
        columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn())
        visible = self.err.is_terminal and not self.as_json
        with Progress(*columns, console=self.err, transient=True, disable=not visible) as bar:
            task = bar.add_task(what, total=total)
            yield lambda done: bar.update(task, completed=done)

    @contextmanager
    def busy(self, what):
        """A spinner while something of unknown length runs; nothing when not on a terminal."""
        if self.err.is_terminal and not self.as_json:
            with self.err.status(what):
                yield
        else:
            yield


class Stopwatch:
    """Seconds since it was made, or since the last `lap`."""

    def __init__(self):
        self.start = self.last = time.monotonic()

    def lap(self):
        """Seconds since the last lap."""
        now = time.monotonic()
        seconds, self.last = now - self.last, now
        return seconds

    def total(self):
        """Seconds since it was made."""
        return time.monotonic() - self.start
