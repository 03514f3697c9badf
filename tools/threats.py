#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The computed parts of docs/THREATS.md: what each board gives away, PIN length against time.

usage: tools/threats.py [--iterations N] [--write]

Without --write it prints them. Facts of the boards come from boards/*/geometry.py, the iterations
of PBKDF2 from the emulated board's, or from `p11board info --json` (token.pins.user.iterations).
"""

import argparse
import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "THREATS.md"
DEFAULT_BOARD = "AST1030_EVB"

# Iterations of PBKDF2-HMAC-SHA256 that one large graphics card does in a second: 11 million
# guesses of 1000 iterations (hashcat's figure for an RTX 5090).
CARD = 11_000_000 * 1000

PINS = (
    ("4 digits", 10, 4),
    ("6 digits", 10, 6),
    ("8 digits", 10, 8),
    ("12 digits", 10, 12),
    ("8 random letters and digits", 62, 8),
    ("10 random letters and digits", 62, 10),
    ("12 random letters and digits", 62, 12),
)
UNITS = (("years", 365.25 * 86400), ("days", 86400), ("hours", 3600), ("minutes", 60), ("s", 1))


def geometry(board):
    """The facts of a board: its module geometry."""
    spec = importlib.util.spec_from_file_location(
        "geometry_of_" + board, ROOT / "boards" / board / "geometry.py"
    )
    module = importlib.util.module_from_spec(spec)
    if str(ROOT / "boards") not in sys.path:
        sys.path.insert(0, str(ROOT / "boards"))  # the families' own tables
    spec.loader.exec_module(module)
    return module


def power(value):
    """A large number: 1.1 · 10^6."""
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa} · 10^{int(exponent)}"


def duration(seconds):
    """A time in the largest unit of which it is at least one: two figures."""
    for name, size in UNITS:
        if seconds >= size or name == "s":
            value = seconds / size
            figure = power(value) if value >= 10000 else f"{float(f'{value:.2g}'):g}"
            return f"{figure} {name}"
    raise AssertionError


def pin_table(iterations):
    """Markdown lines: how long one graphics card takes for all PINs of a stolen dump."""
    guesses = CARD / iterations
    lines = [
        f"With {iterations} iterations stored one large graphics card tries {power(guesses)} PINs a second.",
        "",
        "| PIN | there are | all of them |",
        "|---|---|---|",
    ]
    for name, letters, length in PINS:
        count = letters**length
        there = f"10^{length}" if letters == 10 else power(count)
        lines.append(f"| {name} | {there} | {duration(count / guesses)} |")
    return lines


def board_table():
    """Markdown lines: boards that give away the same, and what."""
    groups = {}
    for path in sorted(ROOT.glob("boards/*/geometry.py")):
        facts = geometry(path.parent.name)
        key = (facts.THREATS, facts.DEVICE_SECRET or "none")
        groups.setdefault(key, []).append((path.parent.name, facts.ENTROPY))
    lines = []
    for (threats, secret), boards in groups.items():
        lines += ["- **" + ", ".join(name for name, _ in boards) + "**"]
        lines += [f"  - {threat}" for threat in threats]
        lines += [f"  - device secret: {secret}"]
        for text in dict.fromkeys(text for _, text in boards):
            names = [name for name, other in boards if other == text]
            lines.append(f"  - entropy: {text}")
            if len(names) < len(boards):
                lines[-1] += ":"
                lines.append(f"    {', '.join(names)}")
    return lines


def parts(iterations):
    """{name of a marked part of the page: its lines}."""
    return {"boards": board_table(), "pins": pin_table(iterations)}


def filled(text, iterations):
    """The page with its marked parts made anew."""
    for name, lines in parts(iterations).items():
        begin, end = f"<!-- {name}: made by tools/threats.py -->", f"<!-- end of {name} -->"
        before, _, rest = text.partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            raise SystemExit(f"threats: no part {name} in {PAGE.name}")
        text = "\n".join([before + begin, "", *lines, "", end + after])
    return text


def main():
    """Print the parts, or write them into the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--iterations", type=int, default=geometry(DEFAULT_BOARD).PIN_ITERATIONS)
    parser.add_argument("--write", action="store_true", help="into docs/THREATS.md")
    options = parser.parse_args()
    if options.iterations < 1:
        parser.error("iterations begin at 1")
    if options.write:
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(filled(text, options.iterations), encoding="utf-8")
    else:
        for lines in parts(options.iterations).values():
            print("\n".join([*lines, ""]))


if __name__ == "__main__":
    sys.exit(main())
