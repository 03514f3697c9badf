# SPDX-License-Identifier: MIT
"""Command `tunnel`: lend a program on the board one TCP address of this machine's network."""

import asyncio
import sys
import time
from pathlib import Path

import click

from p11board import selection
from p11board.context import Session, board_option, json_option, read_input
from p11board.errors import UsageProblem
from p11board.tunnel import Tunnel


def split(text):
    """(host, port) of HOST:PORT or [HOST]:PORT; UsageProblem for anything else."""
    host, colon, port = text.rpartition(":")
    host = host.strip("[]")
    if (
        not colon
        or not host
        or not port.isascii()
        or not port.isdigit()
        or not 0 < int(port) < 65536
    ):
        raise UsageProblem(f"{text!r} is no address", "give it as HOST:PORT, e.g. localhost:8883")
    return host, int(port)


@click.command()
@click.argument("address", metavar="HOST:PORT")
@click.option(
    "--run",
    "program",
    type=click.Path(path_type=Path, dir_okay=False, allow_dash=True),
    metavar="FILE",
    help="Python program to run on the board; its output appears here, and the tunnel ends with it.",
)
@click.option("--quiet", is_flag=True, help="Do not tell of each connection.")
@board_option
@json_option
@click.pass_obj
def tunnel(session: Session, address, program, quiet):
    """Carry TCP connections to HOST:PORT for a program on the board (until Ctrl-C).

    The program asks with `pkcs11.tunnel.connect()`; nothing but HOST:PORT can be reached. TLS, if any, ends
    on the board: this command sees only what it encrypts. docs/TLS.md
    """
    where = split(address)
    source = None if program is None else read_input(program)
    port = selection.choose(session.board_name, session.emulator)

    def log(text):
        if not quiet:
            click.echo(f"{time.strftime('%H:%M:%S')} tunnel: {text}", err=True)

    def show(text):
        sys.stdout.write(text.replace("\r\n", "\n"))
        sys.stdout.flush()

    line = Tunnel(port, where, (lambda text: None) if session.output.as_json else show, log)
    asyncio.run(line.run(source))
    session.output.data(
        {
            "connections": line.opened,
            "bytes_to_board": line.to_board,
            "bytes_from_board": line.from_board,
        },
        lambda value: None,
    )
