# SPDX-License-Identifier: MIT
"""Texts with a board's facts in braces: "CN={id},O=Example", "pins/{serial}.pin".

Promises: only whole names in braces are replaced, each value is escaped for the place it goes to,
and a value never leads a file name out of its directory.
"""

import re
from pathlib import Path

from p11board.errors import UsageProblem

NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
PIECE = re.compile(r"\{([^{}]*)\}|([{}])")
SPECIAL_IN_NAMES = re.compile(r'[,+"\\<>;=]')  # RFC 4514 §2.4
VALUE_MAX = 200  # characters


class Fields:
    """Values of one board by name; `folder` is where relative file names start."""

    def __init__(self, values, folder=Path()):
        self.values = {name: str(value) for name, value in values.items()}
        self.folder = folder

    def text(self, template):
        """The template with its fields replaced as they are."""
        return self._filled(template, lambda value: value)

    def subject(self, template):
        """The same for an X.509 name: a comma in a value starts no second attribute."""
        return self._filled(template, escaped_for_subject)

    def path(self, template):
        """The same for a file name, as a Path below the folder."""
        return self.folder / self._filled(template, _safe_in_path)

    def _filled(self, template, escape):
        def value_of(match):
            name = match.group(1)
            if match.group(2) or name not in self.values:
                known = ", ".join("{" + name + "}" for name in sorted(self.values))
                what = match.group(2) or match.group(0)
                raise UsageProblem(
                    f"{what} in {template!r} stands for nothing", f"known: {known or 'none'}"
                )
            if not self.values[name]:
                raise UsageProblem(f"{match.group(0)} in {template!r} has no value here")
            return escape(self.values[name])

        return PIECE.sub(value_of, template)


def escaped_for_subject(value):
    """A value inside RFC 4514 text."""
    text = SPECIAL_IN_NAMES.sub(lambda match: "\\" + match.group(), value)
    if value.endswith(" ") and len(value) > 1:
        text = text[:-1] + "\\ "
    return "\\" + text if value[0] in " #" else text


def _safe_in_path(value):
    if "/" in value or "\0" in value or value.startswith("."):
        raise UsageProblem(
            f"{value!r} cannot be part of a file name", "it has a / or begins with ."
        )
    return value


def check_values(values, where):
    """Refuse values that no certificate and no report should carry."""
    for name, value in values.items():
        if len(value) > VALUE_MAX or not value.isprintable():
            raise UsageProblem(
                f"{where}: {name} is too long or has control characters",
                f"at most {VALUE_MAX} printable characters",
            )
