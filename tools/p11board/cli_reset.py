# SPDX-License-Identifier: MIT
"""`p11board factory-reset`: destroys everything in the token, when told so twice."""

import sys

import click

from p11board.context import Session, board_option, json_option
from p11board.errors import UsageProblem

WORDS = "destroy everything"


@click.command("factory-reset")
@click.option("--yes", "-y", is_flag=True, help="Do it; without this, only say what would go.")
@board_option
@json_option
@click.pass_obj
def factory_reset(session: Session, yes):
    """Destroy every object, key and PIN in the token.

    A dry run unless you say --yes; at a terminal you then type a confirmation. Needs no PIN. The
    keys go first, so that a reset that power cuts short leaves nothing to read; the next start
    finishes it. It is also the way out of a key region that is refused as not recognised.
    """
    with session.board() as board:
        found = board.factory_reset()
        if yes:
            if sys.stdin.isatty():
                _typed(described(found))
            with session.output.busy("Erasing"):
                found = board.factory_reset(yes=True)
    session.output.data(found, lambda _: session.output.say(sentence(found)))


def described(found):
    """What there is to destroy, in words."""
    if not found["recognised"]:
        return "a key region that is not a store of this firmware"
    count = found["objects"]
    if count is None:
        return "a store whose token records are damaged"
    return "the PINs and " + ("1 object" if count == 1 else f"{count or 'no'} objects")


def sentence(found):
    """The last line for a person."""
    if found["done"]:
        return f"destroyed {described(found)}; the token is as new"
    return f"dry run: would destroy {described(found)}; nothing was changed, say --yes to do it"


def _typed(what):
    answer = click.prompt(
        f'This destroys {what} for good. Type "{WORDS}" to go on', err=True, default=""
    )
    if answer.strip() != WORDS:
        raise UsageProblem("not confirmed", "nothing was changed")
