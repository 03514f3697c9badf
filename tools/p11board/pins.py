# SPDX-License-Identifier: MIT
"""Where PINs and passwords come from: a file, a pinentry dialog, or the terminal.

Never an argument or the environment, which other users of the machine can read.  A file's name
may hold fields of the board, so that each board of a fleet has its own: `pins/{serial}.pin`.
"""

import getpass
import sys
from pathlib import Path

from p11board import pinentry
from p11board.errors import FileProblem, UsageProblem
from p11board.fields import Fields
from p11board.files import read_file

PIN_MIN, PIN_MAX = 4, 64  # bytes; the token's own limits

ROLES = {"user": "User PIN", "so": "Security officer's PIN"}


def first_line(path, name="the PIN file"):
    """The first line of a file as text, without its end; '-' is standard input."""
    if str(path) == "-":
        return sys.stdin.readline().rstrip("\r\n")
    lines = read_file(Path(path), name).splitlines()
    try:
        return lines[0].decode() if lines else ""
    except UnicodeDecodeError:
        raise FileProblem(f"{path} is not text", "a PIN file holds the PIN on one line") from None


class Pins:
    """The PINs for one board.

    files: role -> file name (fields in braces allowed) or None; dialog: name of a pinentry, None to ask at
    the terminal; asked: dict shared by the boards of a run, so that a person is asked once.
    """

    def __init__(self, files=None, dialog=None, fields=None, asked=None):
        fields = fields or Fields({})
        self.files = {
            role: name if name == "-" else fields.path(name)
            for role, name in (files or {}).items()
            if name
        }
        self.dialog = dialog
        self.asked = {} if asked is None else asked

    def user(self, new=False):
        """The user PIN (bytes); `new`: it is about to be set."""
        return self._get("user", new)

    def so(self, new=False):
        """The security officer's PIN (bytes)."""
        return self._get("so", new)

    def _get(self, role, new):
        name = self.files.get(role)
        if name and name != "-":
            pin = first_line(name).encode()
        else:
            if role not in self.asked:
                self.asked[role] = self._asked(role, new, name)
            pin = self.asked[role]
        return checked(pin, ROLES[role], new)

    def _asked(self, role, new, name):
        if name == "-":  # standard input: a line, read once for all boards
            return first_line(name).encode()
        return self.ask(ROLES[role], new, f"give it with {OPTIONS[role]}")

    def ask(self, prompt, twice=False, otherwise=""):
        """A secret from a person, as bytes; `twice` for one that is about to be set."""
        if self.dialog:
            with pinentry.Pinentry(self.dialog) as dialog:
                return dialog.ask(prompt, twice=twice)
        if not sys.stdin.isatty():
            raise UsageProblem(f"the {prompt} is needed and nobody is there to ask", otherwise)
        first = getpass.getpass(f"{prompt}: ")
        if twice and getpass.getpass(f"{prompt}, again: ") != first:
            raise UsageProblem("the two differ", "try again")
        return first.encode()

    def password(self, name, file=None):
        """The password (bytes) of an encrypted key; file: Path of a file that holds it."""
        if file:
            return first_line(file, f"the password file {file}").encode()
        key = f"password {name}"
        if key not in self.asked:
            self.asked[key] = self.ask(f"Password of {name}", otherwise="name a password file")
        return self.asked[key]


OPTIONS = {"user": "--pin-file FILE", "so": "--so-pin-file FILE"}


def checked(pin, what, new):
    """The PIN, or a Problem where it cannot be one: before the board counts an attempt."""
    try:
        pin.decode()
    except UnicodeDecodeError:
        raise UsageProblem(f"the {what} is not UTF-8 text") from None
    if not pin:
        raise UsageProblem(f"the {what} is empty")
    if new and not PIN_MIN <= len(pin) <= PIN_MAX:
        raise UsageProblem(f"the {what} has {len(pin)} bytes, a PIN has {PIN_MIN} to {PIN_MAX}")
    return pin
