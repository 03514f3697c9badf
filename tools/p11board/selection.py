# SPDX-License-Identifier: MIT
"""Which board a command talks to.

Named with `--board` (or P11BOARD), or the only candidate there is: the running emulated board
and every USB serial port count; `emulated:DIR` is the emulated board of another directory.
Never a guess: two candidates are listed and refused, since the wrong one would be written to.
"""

from dataclasses import dataclass

from serial.tools import list_ports

from p11board.errors import TransportProblem, UsageProblem

EMULATED = "emulated"


@dataclass(frozen=True)
class Candidate:
    """A board that could be meant: the `name` to give to --board, its `port`, what it is."""

    name: str
    port: str
    description: str


def candidates(emulator):
    """All boards that could be meant, the emulated one first (emulator None: not that one)."""
    found = []
    status = emulator.status() if emulator else {"running": False}
    if status["running"] and status["port"]:
        found.append(Candidate(EMULATED, status["port"], "the emulated board"))
    for port in sorted(list_ports.comports()):
        if port.vid is not None:
            serial = f", serial number {port.serial_number}" if port.serial_number else ""
            name = port.product or port.description
            found.append(Candidate(port.device, port.device, f"{name}{serial}"))
    return found


def choose(name, emulator):
    """Path of the serial port for `--board NAME`, or of the only candidate when None.

    emulator: the Emulator that `emulated` means; None: only real boards are meant.
    """
    if emulator is None and (name or "").partition(":")[0] == EMULATED:
        raise UsageProblem("this is for a real board", "name its serial port with --board")
    if name == EMULATED:
        return emulator.port
    if name and name.startswith(EMULATED + ":"):
        return type(emulator)(name.partition(":")[2] or None).port
    if name:
        return name
    found = candidates(emulator)
    if not found:
        raise TransportProblem(
            "no board found",
            "start the emulated one with `p11board emulate start`, or name a port with --board"
            if emulator
            else "plug it in, or name its serial port with --board",
        )
    if len(found) > 1:
        names = ", ".join(f"{c.name} ({c.description})" for c in found)
        raise UsageProblem(
            f"{len(found)} boards to choose from", f"name one with --board: {names}"
        )
    return found[0].port
