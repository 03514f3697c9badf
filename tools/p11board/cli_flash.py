# SPDX-License-Identifier: MIT
"""The command `flash` for real boards, and `backup-region`."""

import tempfile
from pathlib import Path

import click

from p11board import flash_real, flash_real_esp32, flash_real_stm32, selection
from p11board.context import Session, board_option
from p11board.errors import FileProblem, TransportProblem, UsageProblem


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
        port = selection.choose(port, session.emulator)
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
            name = flash_real_stm32.choose_tool(chosen, tool)
            flash_real_stm32.add_commands(plan, board, chosen, name, folder)
        finish(session, plan, dry_run)


def finish(session, plan, dry_run):
    """Say the plan; carry it out unless it is a dry run."""
    flash_real.describe(session.output, plan)
    if dry_run:
        session.output.say("dry run: nothing was written")
        return
    flash_real.confirmed(plan, click.prompt)
    flash_real.carry_out(session.output, plan)
    session.output.say(f"programmed {plan.board}; next: p11board info")


READ_REGION = """
import sys, binascii, geometry
device = geometry.device()
last = device.caps.sectors[-1]
size = last[0] + last[1]
buf = bytearray(256)
sys.stdout.write("%d\\n" % size)
for offset in range(0, size, 256):
    device.raw_read(offset, buf)
    sys.stdout.write(binascii.hexlify(buf).decode() + "\\n")
"""


@click.command("backup-region")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@board_option
@click.pass_obj
def backup_region(session: Session, file):
    """Write the raw key region to FILE, for support: sealed objects only.

    The image holds what lies in the flash: objects sealed under keys that only a PIN (and, where
    the chip has one, its device secret) opens. It is no backup to restore from: a token does not
    take back an older state of itself.
    """
    with session.board() as board:
        with session.output.busy("Reading the key region"):
            printed, trace = board.link.execute(READ_REGION, 60)
    lines = printed.split()
    try:
        size = int(lines[0])
        data = b"".join(bytes.fromhex(line) for line in lines[1:])
    except (IndexError, ValueError):
        why = trace.strip().splitlines()[-1] if trace.strip() else "its answer cannot be read"
        raise TransportProblem(f"the board does not give its key region: {why}") from None
    if len(data) != size:
        raise TransportProblem(f"{len(data)} of {size} bytes arrived", "try it again")
    try:
        file.write_bytes(data)
    except OSError as error:
        raise FileProblem(f"cannot write {file}: {error.strerror}") from None
    session.output.say(f"{file}: {size} bytes of the key region, sealed")
