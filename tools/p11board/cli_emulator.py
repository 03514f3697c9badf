# SPDX-License-Identifier: MIT
"""Commands about boards as such: demo, emulate, flash, ports, repl."""

import os
import sys
from pathlib import Path

import click

from p11board import cli_flash, emulator, selection
from p11board import demo as demonstration
from p11board.context import (
    ProblemGroup,
    Session,
    board_option,
    json_option,
    pin_option,
    state_option,
)
from p11board.errors import FileProblem, UsageProblem
from p11board.flashing import load_application

loader_option = click.option(
    "--loader",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Loader (ELF) to boot from; default: the build of this checkout.",
)


@click.group(cls=ProblemGroup)
def emulate():
    """The emulated board: power on, power off, look.

    Its flash is a file and persists; everything else is stock QEMU.
    """


@emulate.command()
@loader_option
@click.option(
    "--image",
    "application",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Application for a new flash; default: the build of this checkout.",
)
@click.option("--fresh", is_flag=True, help="Begin with a blank flash: all objects are lost.")
@state_option
@json_option
@click.pass_obj
def start(session: Session, loader, application, fresh):
    """Power on, in the background; returns when the REPL answers."""
    board, output = session.emulator, session.output
    if board.running():
        if fresh:
            raise UsageProblem(
                "the emulated board is on", "stop it first with `p11board emulate stop`"
            )
        words = f"already on, at {board.port}"
    else:
        with output.busy("Preparing the flash image"):
            board.create_flash(fresh)
        if not board.has_application():
            application = application or emulator.built("firmware.p11a")
            if application is None or not application.exists():
                raise FileProblem(
                    f"the flash is blank and there is no {application or 'firmware.p11a'}",
                    "build it with `make firmware`, or give one with --image",
                )
            program(session, board, application.name, load_application(application))
        hint_at_other_build(output, board)
        with output.busy("Booting"):
            board.start(loader)
        words = f"on, at {board.port}"
    output.data(board.status(), lambda _: output.say(f"emulated board {words}"))


def hint_at_other_build(output, board):
    """Say so when the flash holds another application than the build of this checkout."""
    path = emulator.built("firmware.p11a")
    if path is not None and path.exists() and not board.holds(path.read_bytes()):
        output.say(
            "note: the flash holds another application than the one built here; "
            f"to program that: p11board flash {path}"
        )


@emulate.command()
@state_option
@json_option
@click.pass_obj
def stop(session: Session):
    """Power off. The flash keeps what it holds."""
    was_on = session.emulator.stop()
    session.output.data(
        {"running": False, "was_on": was_on},
        lambda _: session.output.say("emulated board off" if was_on else "it was off already"),
    )


@emulate.command()
@state_option
@json_option
@click.pass_obj
def status(session: Session):
    """Is it on, and where?"""
    facts = session.emulator.status()
    rows = [("power", "on" if facts["running"] else "off")]
    rows += [(name, facts[name]) for name in ("port", "pid", "loader", "flash") if facts[name]]
    session.output.data(facts, lambda _: session.output.pairs(rows))


@click.command()
@click.argument("image_file", metavar="IMAGE", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Check and say what would be done; write nothing.")
@click.option("--target", metavar="BOARD", help="A real board: the name of its boards/ directory.")
@click.option(
    "--tool",
    type=click.Choice(["esptool", "dfu-util", "st-flash", "openocd", "pyocd"]),
    help="Programmer of a real board; default: the one that is installed and sees it.",
)
@click.option(
    "--probe", metavar="SERIAL", help="Which DFU device or ST-LINK, if there are several."
)
@loader_option
@board_option
@json_option
@click.pass_obj
def flash(session: Session, image_file, dry_run, target, tool, probe, loader):
    """Program an application: firmware.p11a into the emulated board, build/BOARD into a real one.

    Only the application is erased and programmed; keys, objects and files stay. An image that
    would reach the key region is refused. The emulated board is switched off for it and on
    again if it was on.
    """
    path = image_file
    if cli_flash.is_real(path, target, session.board_name not in (None, selection.EMULATED)):
        cli_flash.flash_board(session, path, target, tool, probe, dry_run)
        return
    if session.board_name not in (None, selection.EMULATED):
        raise UsageProblem(
            f"{path} is an image for the emulated board, not for {session.board_name}",
            "give the build directory of a real board (make firmware BOARD=…)",
        )
    board = session.emulator
    application = load_application(path)
    loader = loader or board.status()["loader"]
    was_on = not dry_run and board.stop()
    # An interruption leaves the board off: there would be no whole application to start.
    changed = program(session, board, path.name, application, dry_run)
    port = None
    if was_on:
        with session.output.busy("Booting"):
            port = board.start(loader)
        session.output.say(f"emulated board on again, at {port}")
    if session.output.as_json:
        facts = {"version": application.version, "bytes": len(application.data)}
        facts.update(sectors=changed, written=bool(changed) and not dry_run, port=port)
        session.output.data({"board": "emulated", **facts}, None)


def program(session, board, name, application, dry_run=False):
    """Program a checked application image, with progress; the board is off.

    Returns the number of sectors that differed.
    """
    total = len(application.data)
    with session.output.progress(f"Programming {name}", total) as advance:
        changed, sectors = board.program(application.data, advance, dry_run)
    what = f"{name} (version {application.version}, {total} bytes)"
    if not changed:
        session.output.say(f"{what} is in the flash already")
    elif dry_run:
        session.output.say(f"would program {what}: {changed} of {sectors} sectors differ")
    else:
        session.output.say(f"programmed {what}: {changed} of {sectors} sectors rewritten")
    return changed


@click.command()
@board_option
@json_option
@click.pass_obj
def ports(session: Session):
    """List the boards a command could mean."""
    found = selection.candidates(session.emulator)
    facts = [{"board": c.name, "port": c.port, "description": c.description} for c in found]

    def show(_):
        if not found:
            session.output.say("no board found; start the emulated one: p11board emulate start")
            return
        rows = [(c.name, c.port, c.description) for c in found]
        session.output.table(("--board", "port", "what"), rows)

    session.output.data(facts, show)


@click.command()
@board_option
@click.pass_obj
def repl(session: Session):
    """Python on the board, in this terminal.

    The REPL through mpremote; leave it with Ctrl-].
    """
    port = selection.choose(session.board_name, session.emulator)
    command = [sys.executable, "-m", "mpremote", "connect", port, "repl"]
    os.execv(command[0], command)  # in our place: ending us ends it, and frees the port


@click.command()
@click.option("--fresh", is_flag=True, help="Begin with a blank flash: new keys.")
@click.option("--image", "first", type=click.Path(path_type=Path), help="First application.")
@click.option("--second", type=click.Path(path_type=Path), help="Application to reprogram with.")
@loader_option
@pin_option
@state_option
@click.pass_obj
def demo(session: Session, fresh, first, second, loader):
    """The whole story in five steps, on the emulated board.

    What the board is; a key made on it and its certificate; signatures both ways; a power cut
    and another firmware that leave the keys alone; how to go on. A second run keeps the keys
    of the first.
    """
    demonstration.run(session, fresh, first, second, loader)
