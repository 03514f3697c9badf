# SPDX-License-Identifier: MIT
"""Who signs a board's certificate request: the demo CA, a command, or somebody far away.

Each signer has `sign(request)`: it returns (certificate, list of certificates for the chain), or
raises Waiting when the certificate comes later.  Nothing a signer returns is believed: the caller
verifies key and path before the board sees it.
"""

import os
import subprocess

from cryptography.hazmat.primitives import serialization

from p11board import key_files
from p11board.errors import FileProblem, Problem, UsageProblem
from p11board.files import write_whole

COMMAND_SECONDS = 300
ANSWER_MAX = 1 << 20  # bytes


class Waiting(Exception):
    """The request is out; the text says what comes next. The plan stops here, without failing."""


class DemoSigner:
    """The demo CA, its root or (`jitp`) the CA below it."""

    def __init__(self, ca, days, jitp=False):
        self.ca = ca
        self.days = days
        self.jitp = jitp

    def sign(self, request):
        """A certificate at once."""
        return self.ca.issue(request, self.days, self.jitp), []


class CommandSigner:
    """A program: the request goes in as PEM, the certificate comes out as PEM.

    words: program and arguments, run without a shell; environment: P11BOARD_… variables for it.
    """

    def __init__(self, words, environment=None, folder=None):
        self.words = words
        self.environment = environment or {}
        self.folder = folder

    def sign(self, request):
        """Run the program; its messages go to standard error as they are."""
        pem = request.public_bytes(serialization.Encoding.PEM)
        try:
            done = subprocess.run(
                self.words,
                input=pem,
                capture_output=True,
                timeout=COMMAND_SECONDS,
                cwd=self.folder,
                env={**os.environ, **self.environment},
            )
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageProblem(f"cannot run {self.words[0]}: {reason}") from None
        except subprocess.TimeoutExpired:
            raise Problem(f"{self.words[0]} did not end in {COMMAND_SECONDS} s") from None
        if done.returncode:
            last = done.stderr.decode(errors="replace").strip().splitlines()[-1:] or ["no message"]
            raise Problem(
                f"{self.words[0]} did not sign (exit code {done.returncode}): {last[0][:200]}",
                "the board keeps what it has; run this again when the command works",
            )
        if len(done.stdout) > ANSWER_MAX:
            raise FileProblem(f"{self.words[0]} printed {len(done.stdout)} bytes")
        return parted(done.stdout, f"the output of {self.words[0]}")


class FileSigner:
    """Hand-over by files: the request is written to `export` and signed somewhere else."""

    def __init__(self, export=None):
        self.export = export

    def sign(self, request):
        """Write the request; always raises Waiting, or a Problem."""
        if self.export is None:
            raise UsageProblem(
                "the profile has the certificate signed elsewhere",
                "write the request with --export-csr FILE, import the answer with --import-cert",
            )
        write_whole(self.export, request.public_bytes(serialization.Encoding.PEM))
        raise Waiting(f"request written to {self.export}; go on with --import-cert")


def parted(data, name):
    """(the device's certificate, the others) of a signer's answer: the device's comes first."""
    if len(data) > ANSWER_MAX:
        raise FileProblem(f"{name} has {len(data)} bytes")
    found = key_files.certificates(data, name)
    return found[0], found[1:]
