# SPDX-License-Identifier: MIT
"""What can go wrong, each with one sentence that says what to do next.

Promise: every failure a user can cause reaches the command line as a `Problem`, and
`Problem.line()` is one line.  The exit code belongs to the class: 1 for a failure, 2 for a
request that cannot be carried out as written (wrong option, two boards to choose from).
"""

EXIT_OK = 0
EXIT_ERROR = 1
EXIT_USAGE = 2
EXIT_INTERRUPTED = 130


class Problem(Exception):
    """A failure with its remedy: `what` happened, and what the user does `next`."""

    exit_code = EXIT_ERROR

    def __init__(self, what, next_step=""):
        super().__init__(what)
        self.what = what
        self.next_step = next_step

    def line(self):
        """The message as one line, whatever the parts contain."""
        text = f"{self.what}: {self.next_step}" if self.next_step else self.what
        return " ".join(text.split())

    def as_dict(self):
        """The message for `--json` output."""
        return {"error": self.what, "hint": self.next_step}


class UsageProblem(Problem):
    """The request cannot be carried out as written."""

    exit_code = EXIT_USAGE


class TransportProblem(Problem):
    """The board cannot be reached, or stopped answering."""


class EmulatorProblem(Problem):
    """The emulated board cannot be started, stopped or programmed."""


class FileProblem(Problem):
    """A file given by the user is not what the command needs."""


# What to do next for the return values a user meets; the board's own hint wins.
CKR_NEXT_STEPS = {
    "CKR_PIN_INCORRECT": "the attempt was counted; give the right PIN with --pin-file",
    "CKR_PIN_LOCKED": "too many wrong PINs; the token has to be unlocked by the security officer",
    "CKR_USER_NOT_LOGGED_IN": "this needs the user PIN; give it with --pin-file",
    "CKR_ATTRIBUTE_SENSITIVE": "a private key never leaves the board",
    "CKR_DEVICE_MEMORY": "the token is full; free space with `p11board destroy`",
    "CKR_DEVICE_ERROR": "look at entropy and store in `p11board info`",
    "CKR_FUNCTION_NOT_SUPPORTED": "this firmware does not offer it",
}


class TokenError(Problem):
    """The token refused: `ckr` is the name of the Cryptoki return value, `code` its number."""

    def __init__(self, ckr, code=None, hint=""):
        number = ckr.startswith("CKR_") and isinstance(code, int)
        named = f"{ckr} (0x{code:X})" if number else ckr
        super().__init__(named, hint or CKR_NEXT_STEPS.get(ckr, ""))
        self.ckr = ckr
        self.code = code

    def as_dict(self):
        """The message for `--json` output."""
        return {"error": self.ckr, "code": self.code, "hint": self.next_step}
