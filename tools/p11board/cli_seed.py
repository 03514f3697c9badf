# SPDX-License-Identifier: MIT
"""`p11board seed`: the first entropy of a board that has no source of its own."""

import secrets

import click

from p11board.context import Session, board_option, json_option

SEED_BYTES = 64


@click.command()
@board_option
@json_option
@click.pass_obj
def seed(session: Session):
    """Give a board without an entropy source its seed, at manufacture.

    The 64 bytes come from this computer's generator. The board mixes them with what it has and
    replaces them at each start; a seed can be given again, it only adds. A board with a source
    of its own refuses.
    """
    with session.board() as board:
        generation = board.seed(secrets.token_bytes(SEED_BYTES))
    session.output.data(
        {"generation": generation},
        lambda _: session.output.say(f"seed stored, generation {generation}"),
    )
