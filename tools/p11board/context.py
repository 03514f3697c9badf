# SPDX-License-Identifier: MIT
"""What the commands share: the options --board, --state, --json, --pin-file, and the connection.

The options may stand before or behind the command's name.  One `Session` lives per command
run; it opens at most one connection.
"""

import getpass
import sys
from contextlib import contextmanager
from pathlib import Path

import click
from click.core import ParameterSource

from p11board import selection
from p11board.board import Board
from p11board.emulator import Emulator
from p11board.errors import (
    EXIT_INTERRUPTED,
    FileProblem,
    Problem,
    UsageProblem,
)
from p11board.files import read_file
from p11board.output import Output
from p11board.transport import Link


class Session:
    """The options of this run and what is made from them."""

    def __init__(self):
        self.board_name = None
        self.state = None
        self.pin_file = None
        self.output = Output()

    @property
    def emulator(self):
        """The emulated board of the chosen state directory."""
        return Emulator(self.state)

    @contextmanager
    def board(self):
        """The connected Board this run is about."""
        port = selection.choose(self.board_name, self.emulator)
        with Link(port) as link:
            yield Board(link, self.read_pin)

    def read_pin(self):
        """The user PIN, from --pin-file or typed at the terminal; never from an argument."""
        if self.pin_file:
            text = sys.stdin.readline() if self.pin_file == "-" else _first_line(self.pin_file)
        elif sys.stdin.isatty():
            text = getpass.getpass("User PIN: ")
        else:
            raise UsageProblem("the token wants its user PIN", "give it with --pin-file FILE")
        pin = text.rstrip("\r\n")
        if not pin:
            raise UsageProblem("the PIN is empty")
        return pin.encode()


def _first_line(path):
    lines = read_file(Path(path), "the PIN file").splitlines()
    try:
        return lines[0].decode() if lines else ""
    except UnicodeDecodeError:
        raise FileProblem(f"{path} is not text", "a PIN file holds the PIN on one line") from None


class ProblemGroup(click.Group):
    """A group of commands whose Problems become one line and an exit code."""

    def invoke(self, ctx):
        try:
            return super().invoke(ctx)
        except Problem as problem:
            ctx.find_object(Session).output.error(problem)
            ctx.exit(problem.exit_code)
        except (KeyboardInterrupt, click.Abort):
            click.echo("p11board: interrupted", err=True)
            ctx.exit(EXIT_INTERRUPTED)


def _store(field):
    def callback(ctx, param, value):
        session = ctx.ensure_object(Session)
        # An option before the command's name is not overridden by the environment behind it.
        weak = ctx.get_parameter_source(param.name) is ParameterSource.ENVIRONMENT
        if value is not None and not (weak and getattr(session, field)):
            setattr(session, field, value)

    return callback


def _as_json(ctx, param, value):
    del param
    if value:
        ctx.ensure_object(Session).output = Output(as_json=True)


def board_option(command):
    """--board and --state."""
    command = click.option(
        "--board",
        envvar="P11BOARD",
        metavar="emulated|PORT",
        expose_value=False,
        callback=_store("board_name"),
        help="Which board: 'emulated' or a serial port. Needed only if there are several.",
    )(command)
    return state_option(command)


def state_option(command):
    """--state: where the emulated board lives."""
    return click.option(
        "--state",
        envvar="P11BOARD_STATE",
        metavar="DIR",
        type=click.Path(file_okay=False, path_type=Path),
        expose_value=False,
        callback=_store("state"),
        help="Directory of the emulated board (flash image, log).",
    )(command)


def json_option(command):
    """--json."""
    return click.option(
        "--json",
        is_flag=True,
        expose_value=False,
        callback=_as_json,
        help="Print one JSON document instead of text.",
    )(command)


def pin_option(command):
    """--pin-file."""
    return click.option(
        "--pin-file",
        envvar="P11BOARD_PIN_FILE",
        metavar="FILE",
        expose_value=False,
        callback=_store("pin_file"),
        help="File with the user PIN ('-': standard input). A new token's default PIN is known.",
    )(command)


def hexadecimal(ctx, param, value):
    """click callback: text of hex digits -> bytes."""
    del ctx, param
    if value is None:
        return None
    try:
        return bytes.fromhex(value)
    except ValueError:
        raise click.BadParameter(f"{value!r} is not hexadecimal") from None


def write_result(output, path, data):
    """Write bytes to a file, or to standard output when `path` is None or '-'."""
    if path is None or str(path) == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    try:
        Path(path).write_bytes(data)
    except OSError as error:
        raise UsageProblem(f"cannot write {path}: {error.strerror}") from None
    output.say(f"{path}: {len(data)} bytes written")


def read_input(path):
    """The bytes of a file argument; '-' is standard input."""
    if str(path) == "-":
        return sys.stdin.buffer.read()
    return read_file(Path(path))
