# SPDX-License-Identifier: MIT
"""`p11board flash` for STM32 boards: plans, refusals, and the commands that would be run.

No board is needed: programmers are scripts that write down how they were called.
"""

import contextlib
import json
import os
import struct
import zlib

import pytest
from flash_runner import run
from hypothesis import given
from hypothesis import strategies as st
from layout import with_file

from p11board import flash_real, flash_real_stm32
from p11board.errors import FileProblem, UsageProblem
from p11board.flash_real_files import (
    Partition,
    make_table,
    parse_csv,
    parse_dfuse,
    parse_table,
)
from p11board.flash_real_stm32 import Probe

STM32 = with_file("memory.ld")
ESP32 = with_file("partitions.csv")


def dfuse(parts):
    """A DfuSe file of [(address, bytes)], as MicroPython's tools/dfu.py makes it."""
    body = b"".join(struct.pack("<LL", at, len(data)) + data for at, data in parts)
    target = b"Target\0\1\0\0\0" + b"ST...".ljust(255, b"\0")
    target += struct.pack("<LL", len(body), len(parts)) + body
    data = struct.pack("<5sBLB", b"DfuSe", 1, 11 + len(target), 1) + target
    data += struct.pack("<HHHH3sB", 0, 0xDF11, 0x0483, 0x011A, b"UFD", 16)
    return data + struct.pack("<L", ~zlib.crc32(data) & 0xFFFFFFFF)


def stm32_build(folder, board, parts=None):
    """A build directory with a firmware.dfu."""
    facts = flash_real.board_facts(board)
    if parts is None:
        vectors = facts.regions.get("vectors", facts.regions["app"])
        parts = [(vectors[0], b"\x01" * 1000)]
        if "vectors" in facts.regions:
            parts.append((facts.regions["app"][0], b"\x02" * 5000))
    (folder / "info").mkdir(parents=True)
    (folder / "info" / "buildinfo.py").write_text('VERSION = "1"\nBOARD = "%s"\n' % board)
    (folder / "firmware.dfu").write_bytes(dfuse(parts))
    return folder


# --- formats ------------------------------------------------------------------------------------


def test_a_dfuse_file_is_read_and_a_damaged_one_is_not():
    data = dfuse([(0x08000000, b"abc"), (0x08020000, b"defg")])
    assert parse_dfuse(data) == [(0x08000000, b"abc"), (0x08020000, b"defg")]
    for damaged in (data[:-1], data[:40] + b"\xff" + data[41:], b"", b"DfuSe", data + b"\0"):
        with pytest.raises(ValueError):
            parse_dfuse(damaged)


def test_a_partition_table_is_read_and_a_damaged_one_is_not():
    rows = [Partition("nvs", 1, 2, 0x9000, 0x6000, 0), Partition("a", 0, 0, 0x10000, 0x1000, 0)]
    data = make_table(rows)
    assert parse_table(data) == rows
    with pytest.raises(ValueError, match="checksum"):
        parse_table(data[:4] + b"\x09" + data[5:])
    with pytest.raises(ValueError, match="not a partition table"):
        parse_table(b"\xe9" + bytes(0xBFF))
    with pytest.raises(ValueError, match="empty"):
        parse_table(b"\xff" * 0xC00)
    rows[1] = Partition("a", 0, 0, 0xA000, 0x1000, 0)
    with pytest.raises(ValueError, match="overlap"):
        parse_table(make_table(rows))


@pytest.mark.parametrize(
    "row",
    ["nvs, data, nvs, 0x9000", "nvs, data, nosuch, 0x9000, 4K,", "x, app, factory, , 0x1000,"]
    + ["sixteencharacters, 0x40, 1, 0x1000, 0x1000,", ", 0x40, 1, 0x1000, 0x1000,"]
    + ["a, 0x40, 1, 0x1000, 0x1000, readonly", "just text"],
)
def test_a_row_that_is_not_understood_is_refused(row):
    with pytest.raises(ValueError, match="partition"):
        parse_csv("# a comment\n\n" + row)


@given(st.text(max_size=80))
def test_any_text_is_a_table_or_a_value_error(text):
    try:
        rows = parse_csv(text)
    except ValueError:
        return
    assert all(1 <= len(row.name) <= 15 for row in rows)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_value_error_or_what_they_say(data):
    for parse in (parse_table, parse_dfuse):
        with contextlib.suppress(ValueError):
            parse(data)
        with contextlib.suppress(ValueError):
            parse(dfuse([(0, data)])[: len(data)])


# --- STM32: what is refused ---------------------------------------------------------------------


@pytest.mark.parametrize("board", STM32)
def test_an_image_in_the_application_region_is_accepted(board, tmp_path):
    facts = flash_real.board_facts(board)
    start, size = facts.regions["app"]
    folder = stm32_build(tmp_path / "b", board, [(start, bytes(size))])
    assert flash_real_stm32.make_plan(facts, folder).segments[0].address == start


@pytest.mark.parametrize("board", STM32)
def test_an_image_that_reaches_the_key_region_is_refused(board, tmp_path):
    facts = flash_real.board_facts(board)
    keys, size = facts.keys
    for i, (at, length) in enumerate(
        [(keys, 4), (keys + size - 4, 4), (keys - 4, 8), (keys - 4, size + 8), (keys + 8, 8)]
    ):
        folder = stm32_build(tmp_path / str(i), board, [(at, bytes(length))])
        with pytest.raises(FileProblem, match="reaches the key region|outside the flash"):
            flash_real_stm32.make_plan(facts, folder)


def test_an_image_that_only_shares_an_erase_unit_with_keys_is_refused(tmp_path):
    facts = flash_real.board_facts("PYBV11")
    moved = dict(facts.regions, keys=(0x080C8000, 0x38000))  # a layout as it must not be
    facts = flash_real.Board(facts.name, facts.chip, "f4", facts.start, facts.size, moved)
    folder = stm32_build(tmp_path / "b", "PYBV11", [(0x080C0000, b"x")])
    with pytest.raises(FileProblem, match="key region"):
        flash_real_stm32.make_plan(facts, folder)


def test_an_image_for_another_chip_is_refused(tmp_path):
    folder = stm32_build(tmp_path / "b", "PYBV11", [(0x08100000, b"x")])
    with pytest.raises(FileProblem, match="outside the flash"):
        flash_real_stm32.make_plan(flash_real.board_facts("PYBV11"), folder)


def test_a_build_for_another_board_is_refused(tmp_path, tools):
    folder = stm32_build(tmp_path / "b", "PYBV11")
    result = run(folder, "--target", "NUCLEO_F439ZI", "--dry-run")
    assert result.exit_code == 2 and "built for PYBV11" in result.stderr


def test_a_file_that_does_not_say_its_board_needs_a_target(tmp_path, tools):
    file = tmp_path / "x.dfu"
    file.write_bytes(dfuse([(0x08000000, b"x")]))
    result = run(file, "--dry-run")
    assert result.exit_code == 2 and "--target" in result.stderr
    assert run(file, "--dry-run", "--target", "PYBV11").exit_code == 0
    assert "there are" in run(file, "--target", "NOSUCH").stderr


# --- STM32: which board, which tool -------------------------------------------------------------

DFU = 'Found DFU: [0483:df11] ver=2200, devnum=5, cfg=1, intf=0, path="1-%d", alt=%d, name="%s", serial="%s"'
ALTS = (
    (0, "@Internal Flash  /0x08000000/04*016Kg,01*064Kg,07*128Kg"),
    (1, "@Option Bytes  /0x1FFFC000/01*016 e"),
)


def dfu_list(*serials):
    return "\n".join(
        DFU % (i, alt, name, serial) for i, serial in enumerate(serials) for alt, name in ALTS
    )


class Port:
    """A port as pyserial lists it."""

    def __init__(self, device, serial, pid=0x374B):
        self.device, self.serial_number, self.vid, self.pid = device, serial, 0x0483, pid


def test_the_only_board_in_its_dfu_loader_is_programmed(tmp_path, tools):
    tools.install("dfu-util", dfu_list("3367AB"))
    folder = stm32_build(tmp_path / "b", "PYBV11")
    result = run(folder)
    assert result.exit_code == 0, result.output
    assert tools.calls()[0] == "dfu-util -l"
    assert tools.calls()[1] == (
        "dfu-util -a 0 -d 0483:df11 -S 3367AB -s :leave -D %s/firmware.dfu" % folder
    )


def test_a_dry_run_names_the_command_and_runs_none(tmp_path, tools):
    tools.install("dfu-util", dfu_list("3367AB"))
    result = run(stm32_build(tmp_path / "b", "PYBV11"), "--dry-run")
    assert result.exit_code == 0
    assert "dfu-util -a 0 -d 0483:df11 -S 3367AB" in result.stdout
    assert tools.calls() == ["dfu-util -l"]


def test_the_plan_comes_as_json_and_nothing_else_does(tmp_path, tools):
    tools.install("dfu-util", dfu_list("3367AB"))
    folder = stm32_build(tmp_path / "b", "PYBV11")
    for options, written in ((["--dry-run"], False), ([], True)):
        result = run(folder, "--json", *options)
        said = json.loads(result.stdout)
        assert said["board"] == "PYBV11" and said["written"] is written
        assert [part["address"] for part in said["parts"]] == [0x08000000, 0x08020000]
        assert said["commands"][0][0] == "dfu-util" and said["confirm"] is None


def test_two_boards_are_listed_and_refused_until_one_is_named(tmp_path, tools):
    tools.install("dfu-util", dfu_list("AAAA", "BBBB"))
    folder = stm32_build(tmp_path / "b", "PYBV11")
    result = run(folder)
    assert result.exit_code == 2
    assert "AAAA" in result.stderr and "BBBB" in result.stderr
    assert tools.calls() == ["dfu-util -l"]
    assert run(folder, "--probe", "BBBB").exit_code == 0
    assert "-S BBBB" in tools.calls()[-1]


def test_without_a_board_nothing_is_guessed(tmp_path, tools):
    result = run(stm32_build(tmp_path / "b", "PYBV11"))
    assert result.exit_code == 1 and "no board to program" in result.stderr


@pytest.mark.parametrize("zones", ["256*02Kg", "04*016Kg,01*064Kg,03*128Kg", "16*128Kg"])
def test_a_board_with_another_flash_is_refused_until_it_is_named(tmp_path, tools, zones):
    """Another board's keys lie elsewhere: this image could reach them."""
    tools.install("dfu-util", dfu_list("AAAA").replace("04*016Kg,01*064Kg,07*128Kg", zones))
    folder = stm32_build(tmp_path / "b", "PYBV11")
    result = run(folder)
    assert result.exit_code == 2
    assert "AAAA" in result.stderr and "not a STM32F405RG" in result.stderr
    assert "--probe AAAA" in result.stderr
    assert tools.calls() == ["dfu-util -l"]
    assert run(folder, "--probe", "AAAA").exit_code == 0


@pytest.mark.parametrize(
    "board, zones",
    [
        ("NUCLEO_F429ZI", "04*016Kg,01*064Kg,07*128Kg,04*016Kg,01*064Kg,07*128Kg"),
        ("B_L475E_IOT01A", "512*0002Kg"),
        ("NUCLEO_H743ZI", "16*128Kg"),
        ("NUCLEO_H743ZI", "08*128Kg/0x08100000/08*128Kg"),
        ("NUCLEO_WB55", "203*0004Kg"),  # the radio's part is not listed
        ("NUCLEO_G474RE", "256*02Kg"),
    ],
)
def test_the_flash_that_a_dfu_loader_lists_is_the_boards(board, zones, tmp_path, tools):
    listed = dfu_list("AAAA").replace("04*016Kg,01*064Kg,07*128Kg", zones)
    tools.install("dfu-util", listed)
    assert run(stm32_build(tmp_path / "b", board)).exit_code == 0


@given(st.text(alphabet="@/0123456789abcdefx*,KMBg ", max_size=80))
def test_any_list_of_sectors_is_understood_or_empty(text):
    units = flash_real_stm32.listed_units("@Internal Flash  " + text)
    assert all(length > 0 for _, length in units) and len(units) <= flash_real_stm32.UNITS_MAX


def test_stlinks_are_told_apart_by_their_ports(tmp_path, tools, monkeypatch):
    ports = [Port("/dev/ttyACM0", "S1"), Port("/dev/ttyACM1", "S2"), Port("/dev/ttyUSB9", "X", 1)]
    monkeypatch.setattr(flash_real_stm32.list_ports, "comports", lambda: ports)
    tools.install("st-flash")
    folder = stm32_build(tmp_path / "b", "NUCLEO_F439ZI")
    assert run(folder).exit_code == 2
    assert run(folder, "--board", "/dev/ttyACM1").exit_code == 0
    one, two = tools.calls()
    assert one.startswith("st-flash --serial S2 write") and one.endswith("0x8000000")
    assert two.startswith("st-flash --serial S2 --reset write") and two.endswith("0x8020000")


# What pyOCD 0.46 lists under `pyocd list --targets`; other chips need a vendor's pack
PYOCD = {"NUCLEO_F429ZI", "NUCLEO_F439ZI", "B_L475E_IOT01A", "NUCLEO_H743ZI"}


@pytest.mark.parametrize("board", [b for b in STM32 if b != "PYBV11"])
def test_pyocd_is_taken_only_for_chips_that_it_knows(board, tools):
    facts = flash_real.board_facts(board)
    tools.install("pyocd")
    probe = Probe("stlink", "S1", "/dev/ttyACM0")
    if board in PYOCD:
        assert flash_real_stm32.choose_tool(facts, probe, None) == "pyocd"
    else:
        with pytest.raises(UsageProblem, match="pyocd cannot program"):
            flash_real_stm32.choose_tool(facts, probe, "pyocd")
        with pytest.raises(flash_real.ProgrammerProblem, match="st-flash, openocd"):
            flash_real_stm32.choose_tool(facts, probe, None)


def test_the_second_bank_of_an_h743_is_known_to_openocd(tmp_path):
    facts = flash_real.board_facts("NUCLEO_H743ZI")
    at, size = facts.regions["app"]
    folder = stm32_build(tmp_path / "b", "NUCLEO_H743ZI", [(at, bytes(size))])
    plan = flash_real_stm32.make_plan(facts, folder)
    probe = Probe("stlink", "S1", "/dev/ttyACM0")
    flash_real_stm32.add_commands(plan, facts, probe, "openocd", tmp_path)
    assert "target/stm32h7x_dual_bank.cfg" in plan.commands[0]


@pytest.mark.parametrize(
    "board, tool",
    [
        (board, tool)
        for board in STM32
        if board != "PYBV11"
        for tool in ("st-flash", "openocd", "pyocd")
        if tool != "pyocd" or board in PYOCD
    ],
)
def test_no_programmer_is_ever_told_to_erase_everything(board, tool, tmp_path):
    facts = flash_real.board_facts(board)
    plan = flash_real_stm32.make_plan(facts, stm32_build(tmp_path / "b", board))
    probe = Probe("stlink", "S1", "/dev/ttyACM0")
    flash_real_stm32.add_commands(plan, facts, probe, tool, tmp_path)
    words = " ".join(str(word) for command in plan.commands for word in command)
    assert "S1" in words
    assert not any(
        bad in words for bad in ("mass", "erase-all", "--erase chip", ":force", "unprotect")
    )
    files = sorted(tmp_path.glob("08*.bin"))
    assert [int(f.stem, 16) for f in files] == [s.address for s in plan.segments]
    assert [f.read_bytes() for f in files] == [s.data for s in plan.segments]


def test_a_programmer_that_fails_is_a_failure(tmp_path, tools):
    tools.install("dfu-util", dfu_list("A"), code=0)
    folder = stm32_build(tmp_path / "b", "PYBV11")
    script = tools.folder / "dfu-util"
    script.write_text(script.read_text().replace("exit 0", '[ "$1" = -l ] || exit 74'))
    result = run(folder)
    assert result.exit_code == 1 and "exit code 74" in result.stderr


def test_a_tool_that_does_not_fit_the_probe_is_refused(tmp_path, tools):
    tools.install("dfu-util", dfu_list("A"))
    result = run(stm32_build(tmp_path / "b", "PYBV11"), "--tool", "esptool")
    assert result.exit_code != 0


def test_every_board_has_facts_that_the_tool_can_use():
    for name in STM32 + ESP32:
        facts = flash_real.board_facts(name)
        assert facts.name == name
        assert facts.erased_by(facts.keys[0], 1)[0] == facts.keys[0]
    assert set(flash_real.known_boards()) == set(STM32 + ESP32)
    assert os.path.isdir(flash_real.BOARDS)
