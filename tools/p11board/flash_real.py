# SPDX-License-Identifier: MIT
"""Programming real boards: a plan first, then other people's tools, never over the keys.

A `Plan` says what is written where, by which commands; it is made and checked without touching
the board, printed by a dry run, and only then run.  What makes a plan impossible is a Problem:
an image that reaches the key region, in erase units and not only in bytes; one for another board.

A board's facts are boards/NAME/geometry.py of this checkout, the very file that is frozen into
its firmware.
"""

import runpy
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from p11board.errors import FileProblem, Problem, UsageProblem

BOARDS = Path(__file__).resolve().parents[2] / "boards"


class ProgrammerProblem(Problem):
    """A programmer is missing, sees no board or several, or failed."""


@dataclass(frozen=True)
class Segment:
    """Bytes that go to an address: from a file, `what` for people."""

    address: int
    data: bytes
    what: str
    path: Path | None = None


@dataclass
class Plan:
    """What would be done: `commands` in order, and sentences for the user."""

    board: str
    segments: list
    commands: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    options: list = field(default_factory=list)  # of the programmer, from the build
    confirm: str | None = None  # to be typed by the user before anything happens


@dataclass(frozen=True)
class Board:
    """The facts of geometry.py that matter here."""

    name: str
    chip: str
    family: str | None  # of STM32 chips; None: an ESP32
    start: int
    size: int
    regions: dict

    @property
    def keys(self):
        """(address, bytes) of the key region."""
        return self.regions["keys"]

    def erase_units(self):
        """(address, bytes) of each erase unit of the chip."""
        sizes = {"l4": 0x800, "g4": 0x800, "wb": 0x1000, "h7": 0x20000, None: 0x1000}
        if self.family != "f4":
            unit = sizes[self.family]
            return [(self.start + at, unit) for at in range(0, self.size, unit)]
        units, at = [], self.start
        for _ in range(self.size // 0x100000):
            for length in [0x4000] * 4 + [0x10000] + [0x20000] * 7:
                units.append((at, length))
                at += length
        return units

    def erased_by(self, address, length):
        """The area that programming `length` bytes at `address` erases: (address, bytes)."""
        touched = [u for u in self.erase_units() if overlap(u, (address, length))]
        if not touched:
            return (address, 0)
        return touched[0][0], touched[-1][0] + touched[-1][1] - touched[0][0]


def overlap(a, b):
    """Do two (address, bytes) areas share a byte?"""
    return a[0] < b[0] + b[1] and b[0] < a[0] + a[1]


def known_boards():
    """Names of the real boards of this checkout."""
    return sorted(
        path.parent.name
        for path in BOARDS.glob("*/geometry.py")
        if path.parent.name != "AST1030_EVB"
    )


def geometry_of(name):
    """The frozen module geometry of the board `name`, as a dictionary."""
    sys.path.insert(0, str(BOARDS))  # where the families' modules are
    try:
        return runpy.run_path(str(BOARDS / name / "geometry.py"))
    finally:
        sys.path.remove(str(BOARDS))


def board_facts(name):
    """The Board called `name`. Raises UsageProblem when there is none."""
    if name not in known_boards():
        names = ", ".join(known_boards()) or "none: run p11board from a checkout"
        raise UsageProblem(f"no board {name}", f"there are {names}")
    facts = geometry_of(name)
    return Board(
        name,
        facts["CHIP"],
        facts.get("FAMILY"),
        facts["CHIP_START"],
        facts["CHIP_SIZE"],
        facts["FLASH_MAP"],
    )


def board_of(path, target):
    """Name of the board an image is for: `target`, or what the build directory says."""
    built = None
    folder = path if path.is_dir() else path.parent
    for info in (folder / "info" / "buildinfo.py", folder / "p11" / "buildinfo.py"):
        if info.exists():
            built = runpy.run_path(str(info)).get("BOARD")
    if target and built and target != built:
        raise UsageProblem(f"{path} was built for {built}, not for {target}")
    if not (target or built):
        raise UsageProblem(
            f"{path} does not say which board it is for", "name the board with --target"
        )
    return target or built


def check_segments(board, segments):
    """Refuse segments outside the chip, or whose erase units hold keys."""
    keys, size = board.keys
    for segment in segments:
        end = segment.address + len(segment.data)
        if segment.address < board.start or end > board.start + board.size:
            raise FileProblem(
                f"{segment.what} goes to 0x{segment.address:08x}, outside the flash of {board.chip}",
                "it is for another board; nothing was written",
            )
        area = board.erased_by(segment.address, len(segment.data))
        if overlap(area, (keys, size)):
            raise FileProblem(
                f"{segment.what} (0x{segment.address:08x}, {len(segment.data)} bytes) reaches the "
                f"key region at 0x{keys:08x}",
                "programming it would destroy keys; nothing was written",
            )


def read_bytes(path, what):
    """The bytes of a file. Raises FileProblem."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise FileProblem(f"cannot read {what} {path}: {error.strerror}") from None


def describe(output, plan):
    """Print a plan for a person."""
    output.say(f"board {plan.board}")
    for segment in plan.segments:
        output.say(f"  0x{segment.address:08x}  {len(segment.data):8d} bytes  {segment.what}")
    for note in plan.notes:
        output.say(note)
    for command in plan.commands:
        output.say("  $ " + " ".join(map(str, command)))


def facts(plan):
    """A plan for --json."""
    return {
        "board": plan.board,
        "parts": [
            {"address": s.address, "bytes": len(s.data), "what": s.what} for s in plan.segments
        ],
        "commands": [[str(word) for word in command] for command in plan.commands],
        "notes": plan.notes,
        "confirm": plan.confirm,
    }


def carry_out(output, plan, run=subprocess.run):
    """Run a plan's commands; their own progress goes to the terminal. Raises ProgrammerProblem.

    With --json what they print goes to standard error.
    """
    for command in plan.commands:
        output.say("$ " + " ".join(map(str, command)))
        try:
            done = run([str(word) for word in command], stdout=2 if output.as_json else None)
        except FileNotFoundError:
            raise ProgrammerProblem(f"{command[0]} is not installed") from None
        if done.returncode != 0:
            raise ProgrammerProblem(
                f"{Path(command[0]).name} failed with exit code {done.returncode}",
                "the board may hold half an application now; keys are untouched. Repeat it",
            )


def confirmed(plan, ask):
    """Ask for the words of a plan that cannot be undone. Raises UsageProblem without them."""
    if plan.confirm is None:
        return
    answer = ask(f'This cannot be undone. Type "{plan.confirm}" to go on')
    if answer.strip() != plan.confirm:
        raise UsageProblem("not confirmed", "nothing was written")
