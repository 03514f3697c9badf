# SPDX-License-Identifier: MIT
"""The command `flash` for real boards."""

import tempfile
from functools import partial

import click

from p11board import flash_real, flash_real_esp32, flash_real_stm32, selection
from p11board.context import Session
from p11board.errors import FileProblem, UsageProblem


def is_real(path, target, board_name):
    """Is this a request for a real board? Images for the emulated one end in .p11a."""
    if path.suffix == ".p11a":
        return False
    return bool(target) or path.is_dir() or path.suffix in (".dfu", ".bin") or board_name


def flash_board(session: Session, path, target, tool, probe, dry_run):
    """Program a real board: plan, check, say, and do it unless it is a dry run."""
    board = flash_real.board_facts(flash_real.board_of(path, target))
    if not path.exists():
        raise FileProblem(f"there is no {path}", f"make firmware BOARD={board.name} …")
    way = flash_esp32 if board.family is None else flash_stm32
    way(session, board, path, tool, probe, dry_run)


def flash_esp32(session, board, path, tool, probe, dry_run):
    """The way of the ESP32s: esptool on a serial port."""
    if tool not in (None, "esptool") or probe:
        raise UsageProblem(f"{board.name} is programmed by esptool", "name its port with --board")
    plan = flash_real_esp32.make_plan(board, path)
    port = session.board_name
    if port is None and dry_run:
        plan.notes.append("no board was looked at: name its port with --board to check its table")
        flash_real_esp32.add_commands(plan, board, "PORT", [_placeholder(board)])
    else:
        port = selection.choose(port, None)
        with session.output.busy("Reading the board's partition table"):
            on_board = flash_real_esp32.read_board_table(board, port)
        flash_real_esp32.add_commands(plan, board, port, on_board)
    finish(session, plan, dry_run)


def _placeholder(board):
    """A table that has the keys in their place, for a dry run without a board."""
    from p11board.flash_real_files import Partition

    return Partition("pkcs11", 0x40, 1, *board.keys, 0)


def flash_stm32(session, board, path, tool, probe, dry_run):
    """The way of the STM32s: their DFU loader or an ST-LINK."""
    plan = flash_real_stm32.make_plan(board, path)
    with tempfile.TemporaryDirectory() as folder:
        probes = flash_real_stm32.dfu_probes() + flash_real_stm32.stlink_probes()
        if dry_run and not probes:
            plan.notes.append("no board is connected; the commands would follow here")
        else:
            chosen = flash_real_stm32.choose(probes, tool, probe, session.board_name)
            if not probe:
                flash_real_stm32.check_chip(board, plan, chosen)
            name = flash_real_stm32.choose_tool(board, chosen, tool)
            flash_real_stm32.add_commands(plan, board, chosen, name, folder)
        finish(session, plan, dry_run)


def finish(session, plan, dry_run):
    """Say the plan; carry it out unless it is a dry run. With --json the plan comes at the end."""
    flash_real.describe(session.output, plan)
    if not dry_run:
        flash_real.confirmed(plan, partial(click.prompt, err=True))
        flash_real.carry_out(session.output, plan)
    said = "dry run: nothing was written"
    if not dry_run:
        said = f"programmed {plan.board}; next: p11board info"
    session.output.data(
        {**flash_real.facts(plan), "written": not dry_run}, lambda _: session.output.say(said)
    )
