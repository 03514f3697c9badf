# SPDX-License-Identifier: MIT
"""Programming an STM32 with dfu-util, st-flash, OpenOCD or pyOCD.

Takes a build directory or its firmware.dfu, which says what goes where. The key region is in no
image; each of the four tools erases only the sectors it writes, and no command here erases more.
Which board: a DFU device by its serial number, an ST-LINK by that of its USB port. Two of them
are listed and refused, the wrong one would be written to.
"""

import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from serial.tools import list_ports

from p11board.errors import FileProblem, UsageProblem
from p11board.flash_real import Plan, ProgrammerProblem, Segment, check_segments, read_bytes
from p11board.flash_real_files import parse_dfuse

STLINKS = {0x3748, 0x374A, 0x374B, 0x374D, 0x374E, 0x374F, 0x3752, 0x3753, 0x3754, 0x3757}
OPENOCD_TARGETS = {
    "f4": "target/stm32f4x.cfg",
    "l4": "target/stm32l4x.cfg",
    "g4": "target/stm32g4x.cfg",
    "wb": "target/stm32wbx.cfg",
    "h7": "target/stm32h7x_dual_bank.cfg",
}
PYOCD_TARGETS = {  # those that pyOCD knows without a vendor's pack
    "STM32F429ZI": "stm32f429xi",
    "STM32F439ZI": "stm32f439xi",
    "STM32L475VG": "stm32l475xg",
    "STM32H743ZI": "stm32h743xx",
}
FOUND = re.compile(r'Found DFU: \[0483:df11\].*?path="([^"]*)".*?name="([^"]*)", serial="([^"]*)"')
ZONE = re.compile(r"/0x([0-9A-Fa-f]{1,8})/([^/]*)")
SECTORS = re.compile(r"(\d{1,4})\*(\d{1,4})([ BKM])")
UNITS_MAX = 1024  # erase units of a chip


@dataclass(frozen=True)
class Probe:
    """A board in its DFU loader, or behind an ST-LINK: `serial` names it."""

    kind: str  # "dfu" or "stlink"
    serial: str
    where: str
    flash: str = ""  # what its DFU loader says of its sectors


def listed_units(text):
    """[(address, bytes)] of the sectors in a DFU loader's text (UM0290): 04*016Kg,… after /address/."""
    units = []
    for start, sectors in ZONE.findall(text):
        at = int(start, 16)
        for count, size, unit in SECTORS.findall(sectors):
            length = int(size) * {" ": 1, "B": 1, "K": 1 << 10, "M": 1 << 20}[unit]
            for _ in range(min(int(count), UNITS_MAX - len(units)) if length else 0):
                units.append((at, length))
                at += length
    return units


def check_chip(board, plan, probe):
    """Refuse a board whose sectors are not `board`'s, as far as image and keys reach. UsageProblem."""
    listed = set(listed_units(probe.flash))
    areas = [board.keys] + [(s.address, len(s.data)) for s in plan.segments]
    end = max(at + length for at, length in areas)
    if listed and not listed.issuperset(u for u in board.erase_units() if u[0] < end):
        raise UsageProblem(
            f"the board {probe.serial} is not a {board.chip}: its flash is {probe.flash.strip()}",
            f"nothing was written; if it is the right one all the same: --probe {probe.serial}",
        )


def make_plan(board, path):
    """The Plan for an image, without the board: no commands yet."""
    file = path / "firmware.dfu" if path.is_dir() else path
    try:
        parts = parse_dfuse(read_bytes(file, "the image"))
    except ValueError as error:
        raise FileProblem(
            f"{file} is not a DfuSe image ({error})", "build it with `make firmware BOARD=…`"
        ) from None
    segments = [
        Segment(at, data, f"{file.name}, part {i}", file) for i, (at, data) in enumerate(parts)
    ]
    check_segments(board, segments)
    keys, size = board.keys
    plan = Plan(board.name, segments)
    plan.notes.append(f"keys at 0x{keys:08x} ({size // 1024} KiB) are in no image and not touched")
    return plan


def dfu_probes(run=subprocess.run):
    """Boards in their DFU loader, by dfu-util; none when it is not installed."""
    if shutil.which("dfu-util") is None:
        return []
    listed = run(["dfu-util", "-l"], capture_output=True, text=True).stdout
    found = {}
    for where, name, serial in FOUND.findall(listed):
        if "Internal Flash" in name:
            found[serial] = Probe("dfu", serial, where, name.partition("Flash")[2])
    return sorted(found.values(), key=lambda probe: probe.serial)


def stlink_probes():
    """ST-LINKs, by the serial port that each of them has on Nucleo and Discovery boards."""
    return sorted(
        (
            Probe("stlink", port.serial_number, port.device)
            for port in list_ports.comports()
            if port.vid == 0x0483 and port.pid in STLINKS and port.serial_number
        ),
        key=lambda probe: probe.serial,
    )


def choose(probes, tool, wanted, port):
    """The one Probe that is meant: by serial number, by port, or the only one there is."""
    kind = {"dfu-util": "dfu", None: None}.get(tool, "stlink")
    found = [probe for probe in probes if kind in (None, probe.kind)]
    if wanted:
        found = [probe for probe in found if probe.serial == wanted]
    if port:
        found = [probe for probe in found if probe.where == port]
    if not found:
        raise ProgrammerProblem(
            "no board to program: neither in its DFU loader nor behind an ST-LINK",
            "see boards/NAME/deploy.md for how to connect it",
        )
    if len(found) > 1:
        names = ", ".join(f"{probe.serial} ({probe.kind}, {probe.where})" for probe in found)
        raise UsageProblem(
            f"{len(found)} boards to choose from", f"name one with --probe: {names}"
        )
    return found[0]


def choose_tool(board, probe, wanted):
    """Name of the programmer for a probe: the wanted one, or the first that is installed."""
    usable = ["dfu-util"] if probe.kind == "dfu" else ["st-flash", "openocd", "pyocd"]
    if board.chip not in PYOCD_TARGETS and "pyocd" in usable:
        usable.remove("pyocd")
    if wanted:
        if wanted not in usable:
            raise UsageProblem(
                f"{wanted} cannot program {board.chip} over {probe.kind}",
                f"take {' or '.join(usable)}",
            )
        usable = [wanted]
    for tool in usable:
        if shutil.which(tool):
            return tool
    raise ProgrammerProblem(f"none of {', '.join(usable)} is installed")


def add_commands(plan, board, probe, tool, folder):
    """Complete a plan. Tools that cannot read a DfuSe file get its parts as files in `folder`."""
    if tool == "dfu-util":
        file = plan.segments[0].path
        plan.commands.append(
            [
                "dfu-util",
                "-a",
                "0",
                "-d",
                "0483:df11",
                "-S",
                probe.serial,
                "-s",
                ":leave",
                "-D",
                file,
            ]
        )
        return
    parts = []
    for segment in plan.segments:
        file = Path(folder) / f"{segment.address:08x}.bin"
        file.write_bytes(segment.data)
        parts.append((segment.address, file))
    plan.commands += PROGRAMMERS[tool](board, probe, parts)


def st_flash(board, probe, parts):
    """st-flash writes one file at a time; the last one starts the board."""
    for at, file in parts:
        last = ["--reset"] if (at, file) == parts[-1] else []
        yield ["st-flash", "--serial", probe.serial, *last, "write", file, hex(at)]


def openocd(board, probe, parts):
    """OpenOCD programs and verifies all parts in one session."""
    command = ["openocd", "-f", "interface/stlink.cfg", "-c", f"adapter serial {probe.serial}"]
    command += ["-f", OPENOCD_TARGETS[board.family]]
    for at, file in parts:
        command += ["-c", f"program {{{file}}} 0x{at:08x} verify"]
    yield command + ["-c", "reset run", "-c", "exit"]


def pyocd(board, probe, parts):
    """pyOCD, told to erase sectors only."""
    for at, file in parts:
        command = ["pyocd", "flash", "--no-wait", "--uid", probe.serial]
        command += ["--target", PYOCD_TARGETS[board.chip], "--erase", "sector"]
        yield command + ["--base-address", hex(at), file]


PROGRAMMERS = {"st-flash": st_flash, "openocd": openocd, "pyocd": pyocd}
