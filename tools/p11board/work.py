# SPDX-License-Identifier: MIT
"""Provisioning one board: the right one, by one plan, from a profile."""

import time
from dataclasses import dataclass
from pathlib import Path

from p11board import identity_steps, inputs, object_steps, token_steps
from p11board.errors import Problem
from p11board.fields import Fields
from p11board.files import read_file
from p11board.holdings import Holdings
from p11board.pins import Pins
from p11board.profile import JITP, JITR, Profile
from p11board.signers import CommandSigner, DemoSigner, FileSigner, parted

PATIENCE = 2  # seconds


@dataclass(frozen=True)
class Renewal:
    """`p11board renew`: with a new key or the same, now or only when the time has come."""

    new_key: bool = False
    force: bool = False


@dataclass(frozen=True)
class Job:
    """What is to be done to each board of a run.

    pin_files: role -> file name with fields; asked: PINs a person typed, shared by the boards;
    export_csr, import_cert: file names with fields, or None.
    """

    profile: Profile
    pin_files: dict
    asked: dict
    ca_folder: Path
    dialog: str = None
    export_csr: str = None
    import_cert: str = None
    renewal: Renewal = None


class WrongBoard(Problem):
    """The connected board is not the expected one; it was not touched."""


def check_serial(board, expected):
    """Refuse another board than the expected one. expected: token serial, None: any board."""
    found = (board.info()["token"] or {}).get("serial", "")
    if expected and found.upper() != expected.upper():
        raise WrongBoard(
            f"this board has the serial number {found or '(none)'}, expected was {expected}",
            "it was not touched; connect the right one",
        )
    return found


def wait_for_pins(board):
    """Sit out the delay after a single failed attempt: a power cut during a login counts as one.

    Longer ones are refused by the login itself: somebody gave wrong PINs.
    """
    pins = (board.info()["token"] or {}).get("pins", {})
    seconds = max((pin["wait_seconds"] for pin in pins.values()), default=0)
    if 0 < seconds <= PATIENCE:
        time.sleep(seconds)
        board.forget()


class Work(token_steps.TokenWork, object_steps.ObjectWork, identity_steps.IdentityWork):
    """The work on one connected board; `steps` is its plan.

    values: fields of this board (id and the columns of its row) besides its serial number.
    """

    def __init__(self, board, job, values):
        wait_for_pins(board)
        self.board = board
        self.held = Holdings(board)
        self.profile = job.profile
        self.renewal = job.renewal
        self.renewed = False  # in this run
        self.certificate = None  # verified in this run
        self.extra = []  # what a signer sent along
        serial = self.held.token["serial"]
        here = {"serial": serial, **values}
        here["id"] = here.get("id") or serial
        self.fields = Fields(here, job.profile.folder)
        local = Fields(here)
        self.pins = Pins(job.pin_files, job.dialog, local, job.asked)
        board.ask_pin_with(self.pins.user)
        self.inputs = inputs.read(job.profile, self.fields, self.pins, job.ca_folder)
        self.imported = None
        if job.import_cert:
            file = local.path(job.import_cert)
            self.imported = parted(read_file(file, f"the certificate {file}"), str(file))
        export = local.path(job.export_csr) if job.export_csr else None
        self.signer = self._signer(export)
        self.certifies = job.profile.certified or bool(export or job.import_cert)
        self.token_label(), self.subject(), self.names()  # what is wrong in them is said now

    def _signer(self, export):
        signer = self.profile["certificate.signer"]
        if export is not None or signer in ("file", "none"):
            return FileSigner(export)
        if signer == "demo":
            jitp = self.profile["kind"] in (JITP, JITR)
            return DemoSigner(self.inputs.ca, self.profile["certificate.days"], jitp)
        words = [self.fields.text(word) for word in self.profile["certificate.command"]]
        environment = {f"P11BOARD_{k.upper()}": v for k, v in self.fields.values.items()}
        return CommandSigner(words, environment, self.profile.folder)

    def steps(self):
        """The plan."""
        claim_first, claim_last = object_steps.claim_steps(self)
        return [
            *token_steps.steps(self),
            *object_steps.steps(self),
            *claim_first,
            *identity_steps.steps(self),
            *claim_last,
            *identity_steps.last_steps(self),
        ]
