# SPDX-License-Identifier: MIT
"""Many boards: the list they are in (CSV), and what became of each.

A row is one board, named by the serial number of its token; the `id` and further columns are
fields for the profile.  The results go to a CSV file with the same rows and four more columns,
written anew after each board, which can be the input of the next run.  Promise: whatever is in
the file, a row means one board, or the file is refused before any board is touched.
"""

import csv
import io
from dataclasses import dataclass, field
from pathlib import Path

from p11board.errors import FileProblem
from p11board.fields import NAME, check_values
from p11board.files import read_file, write_whole

ROWS_MAX = 10000
SERIAL_MAX = 16  # characters, as in CK_TOKEN_INFO
RESULTS = ("result", "detail", "seconds", "certificate")

OK, WAITING, FAILED, WRONG, ABSENT = "ok", "waiting", "failed", "wrong board", "absent"
DRY_RUN = "dry run"  # never in a file


@dataclass
class Row:
    """A board of the list; `result` and so on are None until something became of it."""

    serial: str
    port: str = ""
    values: dict = field(default_factory=dict)
    result: str = ABSENT
    detail: str = ""
    seconds: float = 0.0
    certificate: dict = None
    steps: list = field(default_factory=list)
    earlier: str = ""  # what a file of results says of the certificate

    def as_dict(self):
        """For the report."""
        return {
            "serial": self.serial,
            "port": self.port,
            **self.values,
            "result": self.result,
            "detail": self.detail,
            "seconds": round(self.seconds, 2),
            "certificate": self.certificate,
            "steps": [outcome.as_dict() for outcome in self.steps],
        }


@dataclass
class Fleet:
    """The rows of a file, in its order, and the names of its columns."""

    columns: list
    rows: list

    def row_of(self, serial):
        """The row of a serial number, or None."""
        for row in self.rows:
            if row.serial == serial.upper():
                return row
        return None

    def write(self, path):
        """Write rows and results as CSV, all or nothing."""
        columns = [name for name in self.columns if name not in RESULTS] + list(RESULTS)
        lines = []
        for row in self.rows:
            known = {"serial": row.serial, "port": row.port, **row.values}
            certificate = row.certificate["sha256"] if row.certificate else row.earlier
            known |= {"result": row.result, "detail": row.detail, "certificate": certificate}
            known["seconds"] = f"{row.seconds:.1f}" if row.seconds else ""
            lines.append([known.get(name, "") for name in columns])
        _write(path, columns, lines)

    def summary(self):
        """How many boards have which result."""
        return {
            name: sum(row.result == name for row in self.rows)
            for name in (OK, WAITING, FAILED, WRONG, ABSENT, DRY_RUN)
        }


def write_list(path, rows):
    """Write a list to be filled in: serial numbers and an empty column id."""
    _write(path, ("serial", "id"), [(row.serial, "") for row in rows])


def _write(path, columns, lines):
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerows([columns, *lines])
    write_whole(path, text.getvalue().encode())


def load(path):
    """The Fleet of a CSV file."""
    return parse(read_file(Path(path), f"the list {path}"), str(path))


def parse(data, name):
    """The Fleet in the bytes of a CSV file. Raises FileProblem."""
    try:
        text = data.decode("utf-8-sig")  # spreadsheets write the mark
    except UnicodeDecodeError:
        raise FileProblem(f"{name} is not UTF-8 text", "save it as CSV in UTF-8") from None
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise FileProblem(f"{name} is no CSV ({error})") from None
    lines = [line for line in lines if any(cell.strip() for cell in line)]
    if not lines:
        raise FileProblem(f"{name} is empty", "its first line names the columns: serial,id")
    columns = [cell.strip() for cell in lines[0]]
    _check_columns(columns, name)
    if len(lines) - 1 > ROWS_MAX:
        raise FileProblem(f"{name} has more than {ROWS_MAX} rows", "split it")
    rows, seen = [], {}
    for number, line in enumerate(lines[1:], 1):
        where = f"{name}, board {number}"
        if len(line) != len(columns):
            raise FileProblem(f"{where} has {len(line)} cells, the first line {len(columns)}")
        row = _row(dict(zip(columns, (cell.strip() for cell in line))), where)
        for kind, value in (("serial", row.serial), ("id", row.values.get("id"))):
            if value and seen.setdefault((kind, value), number) != number:
                raise FileProblem(f"{where} has the {kind} of board {seen[kind, value]}: {value}")
        rows.append(row)
    return Fleet(columns, rows)


def _check_columns(columns, name):
    if "serial" not in columns:
        raise FileProblem(
            f"{name} has no column serial", "its first line names the columns: serial,id"
        )
    for column in columns:
        if not NAME.match(column) or columns.count(column) > 1:
            raise FileProblem(
                f"{name}: {column!r} cannot be a column",
                "names are small letters, digits and _, each once",
            )


def _row(cells, where):
    check_values(cells, where)
    serial = cells.pop("serial").upper()
    if not serial or len(serial) > SERIAL_MAX or not serial.isascii() or " " in serial:
        raise FileProblem(
            f"{where} has no serial number of a token ({serial!r})",
            "`p11board info` shows it; without it no board is touched",
        )
    result = cells.get("result") or ABSENT
    return Row(
        serial,
        cells.pop("port", ""),
        {key: value for key, value in cells.items() if key not in RESULTS},
        result if result in (OK, WAITING) else ABSENT,
        cells.get("detail", ""),
        earlier=cells.get("certificate", ""),
    )
