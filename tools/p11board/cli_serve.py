# SPDX-License-Identifier: MIT
"""Commands that give the board to other programs: serve, connect, release, resume, env,
setup-host, doctor, uri."""

import asyncio
import os
import shlex
import sys
import time
from pathlib import Path

import click

from p11board import control, selection
from p11board.board_link import BoardLink
from p11board.connect import open_socket, pump
from p11board.context import Session, board_option, json_option, pin_option
from p11board.daemon import Daemon
from p11board.doctor import Doctor
from p11board.errors import EXIT_ERROR, TransportProblem
from p11board.places import default_socket
from p11board.rpc_bodies import DaemonClient
from p11board.setup_host import Setup, client_module
from p11board.uri import uris

socket_option = click.option(
    "--socket",
    "path",
    envvar="P11BOARD_SOCKET",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Unix socket for the programs (default: p11board/pkcs11 in $XDG_RUNTIME_DIR).",
)
token_option = click.option(
    "--token",
    envvar="P11BOARD_TOKEN",
    metavar="TEXT",
    help="Serial number or label of the token: the board that has it is found.",
)


def socket_path(path):
    """The socket a command is about, absolute."""
    return Path(os.path.abspath(path or default_socket()))


def _ports(session, token):
    """Function that lists the ports to try: all candidates if a token was named, else the one."""

    def ports():
        if token and not session.board_name:
            return [candidate.port for candidate in selection.candidates(session.emulator)]
        return [selection.choose(session.board_name, session.emulator)]

    return ports


def _log(text):
    click.echo(f"{time.strftime('%H:%M:%S')} {text}", err=True)


@click.command()
@socket_option
@token_option
@click.option("--status", is_flag=True, help="Say what the running daemon does.")
@click.option("--stop", is_flag=True, help="Stop the running daemon.")
@board_option
@json_option
@click.pass_obj
def serve(session: Session, path, token, status, stop):
    """Let every PKCS#11 program on this machine use the board (until Ctrl-C).

    Programs come in through p11-kit; `p11board setup-host` tells p11-kit about it.
    """
    path = socket_path(path)
    if status or stop:
        answer = control.ask(path, "stop" if stop else "status")
        if answer is None:
            raise TransportProblem(f"no daemon serves {path}", "start one with `p11board serve`")
        session.output.data(answer, lambda value: session.output.pairs(_rows(value)))
        return
    asyncio.run(Daemon(path, _ports(session, token), token, _log).run())


def _rows(answer):
    rows = []
    for name, value in answer.items():
        if isinstance(value, dict):
            rows += [(f"{name} {key}", part) for key, part in value.items()]
        elif value is not None:
            rows.append((name.replace("_", " "), value))
    return rows


@click.command()
@socket_option
@token_option
@board_option
@click.pass_obj
def connect(session: Session, path, token):
    """Connect standard input and output to the daemon; start it if there is none.

    For p11-kit's `remote: |p11board connect`.
    """
    arguments = ["--board", session.board_name] if session.board_name else []
    if token:
        arguments += ["--token", token]
    if session.state:
        arguments += ["--state", str(session.state)]
    line = open_socket(socket_path(path), arguments)
    pump(line, sys.stdin.fileno(), sys.stdout.fileno())


@click.command()
@socket_option
@board_option
@click.pass_obj
def release(session: Session, path):
    """Lend the board's port out: to mpremote, p11board's other commands, a terminal.

    Without a daemon, takes a board that was left in its RPC server back to its prompt.
    """
    answer = control.ask(socket_path(path), "release")
    if answer is None:
        port = selection.choose(session.board_name, session.emulator)
        asyncio.run(_release_port(port))
        session.output.say(f"{port}: given back")
    else:
        session.output.say("the daemon has given the port back; `p11board resume` takes it again")


async def _release_port(port):
    link = BoardLink(port, _log)
    await link.open()
    await link.release()


@click.command()
@socket_option
@click.pass_context
def resume(ctx, path):
    """Let the daemon take the port again after `release`."""
    session = ctx.find_object(Session)
    answer = control.ask(socket_path(path), "resume")
    if answer is None:
        raise TransportProblem("no daemon runs", "start one with `p11board serve`")
    if answer["state"] != "serving":
        raise TransportProblem("the daemon waits", answer.get("waiting_for") or "see its log")
    session.output.say(f"serving {answer['board']} at {answer['port']}")


@click.command("setup-host")
@socket_option
@token_option
@click.option("--write", is_flag=True, help="Write the files (default: only show them).")
@click.option("--remove", is_flag=True, help="Remove what --write wrote.")
@click.option("--system", is_flag=True, help="For all users, in /etc (root; not a user's files).")
@click.option("--on-demand", is_flag=True, help="No systemd: p11-kit starts the daemon itself.")
@board_option
@click.pass_obj
def setup_host(session: Session, path, token, write, remove, system, on_demand):
    """Tell p11-kit and systemd about the board.

    Shows what would be written, unless --write is given.
    """
    setup = Setup(socket_path(path), session.board_name, token, system, on_demand)
    for line in setup.remove(write=True) if remove else setup.install(write):
        session.output.say(line)


@click.command()
@socket_option
@board_option
@json_option
@click.pass_obj
def doctor(session: Session, path):
    """Check everything between a program and the key, and say what to do next."""
    findings = Doctor(socket_path(path), session).examine()
    session.output.data(
        [vars(finding) for finding in findings],
        lambda _: [session.output.say(finding.line()) for finding in findings],
    )
    if any(finding.state == "fail" for finding in findings):
        sys.exit(EXIT_ERROR)


@click.command()
@socket_option
@click.pass_obj
def env(session: Session, path):
    """Print shell commands that let one terminal use the board: `eval "$(p11board env)"`.

    For a try, for root, and for scripts; `p11board setup-host` is for good.
    """
    del session
    module = client_module()
    if module is None:
        raise TransportProblem("p11-kit-client.so is not installed", "install p11-kit-modules")
    path = socket_path(path)
    click.echo(f"export P11_KIT_SERVER_ADDRESS={shlex.quote(f'unix:path={path}')}")
    click.echo(f"export P11BOARD_SOCKET={shlex.quote(str(path))}")
    click.echo(f"export P11_MODULE={shlex.quote(str(module))}")


@click.command()
@socket_option
@pin_option
@board_option
@json_option
@click.option("--private", is_flag=True, help="Log in (asks for the PIN) to list private keys.")
@click.pass_obj
def uri(session: Session, path, private):
    """Print the PKCS#11 URIs (RFC 7512) of the token and its objects, to paste elsewhere."""
    path = socket_path(path)
    if control.ask(path, "status") is None:
        raise TransportProblem(f"no daemon serves {path}", "start one with `p11board serve`")
    with DaemonClient(path) as module:
        found = uris(module, session.read_pin() if private or session.pin_file else None)
    session.output.data(found, lambda _: [click.echo(text) for text in found])
