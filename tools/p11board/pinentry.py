# SPDX-License-Identifier: MIT
"""Asking for a secret through a pinentry program, over the Assuan protocol.

pinentry is GnuPG's dialog for PINs: started as a child, it answers line by line on its standard
output.  A line is at most 1000 bytes; `D` lines carry data with %XX escapes, `OK` and `ERR number
text` end an answer, `S` and `#` lines are remarks.  Promises: whatever the program says, the
result is the secret (bytes), `Cancelled`, or a Problem of one line; the secret never appears in a
message, in an argument or in the environment.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys

from p11board.errors import Problem, UsageProblem

PROGRAM = "pinentry"
LINE_MAX = 1000  # bytes, without the line feed
SECRET_MAX = 4096  # bytes of all D lines together
CANCELLED = 99  # GPG_ERR_CANCELED, the low 16 bits of an ERR number
ESCAPE = re.compile(rb"%([0-9A-Fa-f]{2})")
TOO_SPECIAL = re.compile(r"[%\x00-\x1f\x7f]")


class Cancelled(Problem):
    """The person chose to cancel."""


class Pinentry:
    """A running pinentry. Use as a context manager."""

    def __init__(self, program=PROGRAM):
        self.program = program
        self.child = None

    def __enter__(self):
        path = shutil.which(self.program)
        if path is None:
            raise UsageProblem(
                f"no program {self.program}", "install pinentry, or give the PIN in a file"
            )
        try:
            self.child = subprocess.Popen(
                [path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
            )
        except OSError as error:
            raise UsageProblem(f"cannot start {path}: {error.strerror}") from None
        try:
            self._answer()
            self._options()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc):
        with contextlib.suppress(OSError):
            self.child.stdin.write(b"BYE\n")
        for stream in (self.child.stdin, self.child.stdout):
            with contextlib.suppress(OSError):
                stream.close()
        try:
            self.child.wait(2)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()

    def ask(self, prompt, description="", twice=False):
        """The secret a person types, as bytes. twice: the dialog makes them repeat it."""
        self._command("SETTITLE", "p11board")
        self._command("SETDESC", description or prompt)
        self._command("SETPROMPT", prompt)
        if twice:
            self._try("SETREPEAT", "Again")
            self._try("SETREPEATERROR", "They differ; try again")
        return self._command("GETPIN")

    # -- the protocol ----------------------------------------------------------------------

    def _options(self):
        """Tell the program about the terminal; one that knows an option not may refuse it."""
        with contextlib.suppress(OSError):
            self._try("OPTION", f"ttyname={os.ttyname(sys.stdin.fileno())}")
        for name, value in (("ttytype", "TERM"), ("lc-ctype", "LANG"), ("display", "DISPLAY")):
            if os.environ.get(value):
                self._try("OPTION", f"{name}={os.environ[value]}")

    def _try(self, *words):
        """A command the program may not know."""
        with contextlib.suppress(Refused):
            self._command(*words)

    def _command(self, name, text=""):
        line = f"{name} {escaped(text)}".strip().encode()
        if len(line) > LINE_MAX:
            raise UsageProblem("a text for pinentry is too long")
        try:
            self.child.stdin.write(line + b"\n")
        except OSError:
            raise self._broken("it ended") from None
        return self._answer()

    def _answer(self):
        secret = b""
        while True:
            line = self.child.stdout.readline(LINE_MAX + 2)
            if not line.endswith(b"\n"):
                raise self._broken("it ended" if len(line) <= LINE_MAX else "a line is too long")
            word, _, rest = line.rstrip(b"\r\n").partition(b" ")
            if word == b"OK":
                return secret
            if word == b"ERR":
                raise _error(self.program, rest)
            if word == b"D":
                secret += ESCAPE.sub(lambda m: bytes([int(m.group(1), 16)]), rest)
                if len(secret) > SECRET_MAX:
                    raise self._broken("it sends too much")
            elif word == b"INQUIRE":
                self.child.stdin.write(b"END\n")
            elif word != b"S" and not word.startswith(b"#"):
                raise self._broken("its answer is no Assuan")

    def _broken(self, why):
        return Problem(
            f"{self.program} does not work as a pinentry: {why}",
            "give another one with --pinentry, or the PIN in a file",
        )


class Refused(Problem):
    """pinentry answered a command with an error."""


def _error(program, rest):
    number, _, text = rest.decode("ascii", "replace").partition(" ")
    text = TOO_SPECIAL.sub(" ", text)[:80]
    if number.isdigit() and int(number) & 0xFFFF == CANCELLED:
        return Cancelled("cancelled", "nothing was changed by this step")
    return Refused(f"{program} refused ({text or number})", "give the PIN in a file instead")


def escaped(text):
    """Text as Assuan wants it: control characters and '%' as %XX."""
    return TOO_SPECIAL.sub(lambda match: f"%{ord(match.group()):02X}", text)
