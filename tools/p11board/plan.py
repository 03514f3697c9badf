# SPDX-License-Identifier: MIT
"""A plan is a list of steps; what is done already is skipped, so it can be run again at any time.

A step's `check()` asks the board whether there is anything to do and changes nothing; `apply()`
does it and returns a sentence.  After apply the check is made again: a step that did not take
fails here and not in the field.  No file says how far an earlier run came.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from p11board.errors import Problem
from p11board.signers import Waiting

DONE = "done"  # there already
TO_DO = "to do"  # in a preview
APPLIED = "applied"
WAITING = "waiting"  # a certificate is made elsewhere
FAILED = "failed"


@dataclass(frozen=True)
class Step:
    """One step; `always`: a check that is made in every run, such as the last one."""

    name: str
    title: str
    check: Callable[[], bool]
    apply: Callable[[], str]
    always: bool = False


@dataclass(frozen=True)
class Outcome:
    """What became of a step."""

    name: str
    title: str
    state: str
    text: str = ""
    seconds: float = 0.0

    def as_dict(self):
        """For reports."""
        return {**asdict(self), "seconds": round(self.seconds, 2)}


def preview(steps):
    """Outcomes DONE or TO_DO; nothing is changed."""
    return [
        Outcome(step.name, step.title, DONE if not step.always and step.check() else TO_DO)
        for step in steps
    ]


def run(steps, tell=lambda outcome: None, begin=lambda step: None):
    """Do what is left to do. Returns the outcomes; the last one is WAITING if a plan stops there.

    tell: called with each Outcome as it happens; begin: with a Step that is about to be applied.
    A Problem of a step is told as FAILED and goes on to the caller.
    """
    outcomes = []
    for step in steps:
        started = time.monotonic()
        state, text = DONE, ""
        try:
            if step.always or not step.check():
                begin(step)
                state, text = APPLIED, step.apply()
                if not step.always and not step.check():
                    raise Problem(
                        f"{step.title}: done, and the board does not show it",
                        "look at `p11board info`, then run this again",
                    )
        except Waiting as waiting:
            state, text = WAITING, str(waiting)
        except Problem as problem:
            seconds = time.monotonic() - started
            tell(Outcome(step.name, step.title, FAILED, problem.line(), seconds))
            raise
        outcome = Outcome(step.name, step.title, state, text, time.monotonic() - started)
        outcomes.append(outcome)
        tell(outcome)
        if state == WAITING:
            break
    return outcomes
