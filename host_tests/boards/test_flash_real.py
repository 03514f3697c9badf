# SPDX-License-Identifier: MIT
"""`p11board flash` for real boards: plans, refusals, and the commands that would be run.

No board is needed: programmers are scripts that write down how they were called. esptool is the
real one, on images that it made itself from a real program.
"""

import json
import os
import shutil
import stat
import struct
import subprocess
import sys
import zlib

import pytest
from click.testing import CliRunner
from layout import with_file

from p11board import cli_flash, flash_real, flash_real_esp32, flash_real_stm32
from p11board.cli import cli
from p11board.errors import FileProblem, UsageProblem
from p11board.flash_real_esp32 import esptool
from p11board.flash_real_files import Partition, make_table, parse_dfuse, parse_table
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


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Programmers that write down their arguments; `tools.calls()` reads them."""

    class Tools:
        folder = tmp_path / "bin"
        log = tmp_path / "calls"

        def install(self, name, output="", code=0):
            script = self.folder / name
            script.write_text(
                '#!/bin/sh\nprintf "%%s\\n" "%s $*" >> %s\ncat <<"END"\n%s\nEND\nexit %d\n'
                % (name, self.log, output, code)
            )
            script.chmod(script.stat().st_mode | stat.S_IXUSR)

        def calls(self):
            return self.log.read_text().splitlines() if self.log.exists() else []

    made = Tools()
    made.folder.mkdir()
    monkeypatch.setenv("PATH", "%s:/usr/bin:/bin" % made.folder)
    monkeypatch.setattr(flash_real_stm32.list_ports, "comports", lambda: [])
    for name in ("P11BOARD", "P11BOARD_STATE"):
        monkeypatch.delenv(name, raising=False)
    return made


def run(*arguments, **options):
    return CliRunner().invoke(cli, ["flash", *map(str, arguments)], **options)


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


@pytest.mark.parametrize("tool", ["st-flash", "openocd", "pyocd"])
@pytest.mark.parametrize("board", [b for b in STM32 if b != "PYBV11"])
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


# --- ESP32, with esptool's own images -----------------------------------------------------------

PROGRAM = """
int answer = 42;
void _start(void) { for (;;) { answer++; } }
"""
LINK = """
MEMORY { iram (rwx) : ORIGIN = 0x4037c000, LENGTH = 64K  dram (rw) : ORIGIN = 0x3fc80000, LENGTH = 64K }
SECTIONS { .text : { *(.text*) } > iram  .data : { *(.data*) *(.sdata*) *(.sbss*) } > dram }
ENTRY(_start)
"""


@pytest.fixture(scope="module")
def images(tmp_path_factory):
    """A real ESP32-C3 image, made from a program by the compiler and esptool."""
    folder = tmp_path_factory.mktemp("images")
    (folder / "a.c").write_text(PROGRAM)
    (folder / "a.ld").write_text(LINK)
    compiler = "riscv64-unknown-elf-gcc"
    assert shutil.which(compiler), "install gcc-riscv64-unknown-elf (make deps does)"
    command = [compiler, "-march=rv32imc", "-mabi=ilp32", "-nostdlib", "-Os", "-o", "a.elf", "a.c"]
    subprocess.run([*command, "-Ta.ld"], cwd=folder, check=True)
    made = esptool("--chip", "esp32c3", "elf2image", "--output", "app.bin", "a.elf")
    subprocess.run(made, cwd=folder, check=True, capture_output=True)
    return folder


def rows(keys=(0x1F0000, 0x10000)):
    """The partitions of our table, or of one with the keys elsewhere (None: without)."""
    found = [
        Partition("nvs", 1, 2, 0x9000, 0x6000, 0),
        Partition("phy_init", 1, 1, 0xF000, 0x1000, 0),
        Partition("factory", 0, 0, 0x10000, 0x1E0000, 0),
    ]
    return found + ([Partition("pkcs11", 0x40, 1, *keys, 1)] if keys else [])


@pytest.fixture
def build(tmp_path, images):
    """make(keys, app): an ESP-IDF build directory of the C3 board."""

    def make(keys=(0x1F0000, 0x10000), app=None, chip="esp32c3", sdkconfig=""):
        folder = tmp_path / "build"
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "p11").mkdir(parents=True)
        (folder / "p11" / "buildinfo.py").write_text('BOARD = "ESP32_GENERIC_C3"\n')
        (folder / "bootloader.bin").write_bytes((images / "app.bin").read_bytes())
        (folder / "micropython.bin").write_bytes(app or (images / "app.bin").read_bytes())
        (folder / "table.bin").write_bytes(make_table(rows(keys)))
        (folder / "sdkconfig").write_text(sdkconfig)
        args = {
            "write_flash_args": [
                "--flash_mode",
                "dio",
                "--flash_size",
                "4MB",
                "--flash_freq",
                "80m",
            ],
            "flash_files": {
                "0x0": "bootloader.bin",
                "0x8000": "table.bin",
                "0x10000": "micropython.bin",
            },
            "extra_esptool_args": {"chip": chip},
        }
        (folder / "flasher_args.json").write_text(json.dumps(args))
        return folder

    return make


C3 = "ESP32_GENERIC_C3"


def plan_of(path):
    return flash_real_esp32.make_plan(flash_real.board_facts(C3), path)


def test_a_build_is_planned_with_esptools_own_check_of_its_images(build):
    plan = plan_of(build())
    assert [s.address for s in plan.segments] == [0, 0x8000, 0x10000]
    flash_real_esp32.add_commands(plan, flash_real.board_facts(C3), "/dev/x", rows())
    (command,) = plan.commands
    assert command[:3] == [sys.executable, "-m", "esptool"]
    assert "write-flash" in command and "--flash-mode" in command and "--flash_mode" not in command
    assert not any("erase" in str(word) for word in command)


def test_a_damaged_image_is_refused_by_esptool(build):
    folder = build()
    data = bytearray((folder / "micropython.bin").read_bytes())
    data[40] ^= 0xFF
    (folder / "micropython.bin").write_bytes(data)
    with pytest.raises(FileProblem, match="not a good image"):
        plan_of(folder)


def test_an_application_that_is_too_long_is_refused(build, images):
    data = (images / "app.bin").read_bytes()
    padded = data + b"\0" * (0x1E0000 - len(data) + 1)
    with pytest.raises(FileProblem, match="reaches the key region"):
        flash_real_esp32.make_plan(flash_real.board_facts(C3), build(app=padded), check=False)


def test_upstreams_table_is_refused_because_files_would_lie_over_the_keys(build):
    with pytest.raises(FileProblem, match="no partition for the keys"):
        plan_of(build(keys=None))


def test_a_table_with_the_keys_elsewhere_is_refused(build):
    with pytest.raises(FileProblem, match="0x1f8000"):
        plan_of(build(keys=(0x1F8000, 0x8000)))


def test_a_build_for_another_chip_is_refused(build):
    with pytest.raises(FileProblem, match="built for esp32s3"):
        plan_of(build(chip="esp32s3"))


def test_a_combined_image_of_merge_bin_is_taken_apart_for_the_check(build, tmp_path):
    folder = build()
    merged = tmp_path / "merged.bin"
    command = esptool("--chip", "esp32c3", "merge-bin", "-o", merged, "0x0", "bootloader.bin")
    command += ["0x8000", "table.bin", "0x10000", "micropython.bin"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    plan = plan_of(merged)
    assert [s.address for s in plan.segments] == [0]
    filled = esptool("--chip", "esp32c3", "merge-bin", "--pad-to-size", "4MB", "-o", merged)
    subprocess.run([*filled, *command[-6:]], cwd=folder, check=True, capture_output=True)
    with pytest.raises(FileProblem, match="reaches the key region"):
        plan_of(merged)


def test_a_board_with_its_keys_elsewhere_is_left_alone(build):
    plan = plan_of(build())
    with pytest.raises(FileProblem, match="the board has its keys at 0x1e0000"):
        flash_real_esp32.add_commands(
            plan, flash_real.board_facts(C3), "/dev/x", rows((0x1E0000, 0x10000))
        )
    assert plan.commands == []


@pytest.mark.parametrize("on_board", [None, rows(None)])
def test_the_key_region_is_erased_only_when_the_board_has_none_yet(build, on_board):
    plan = plan_of(build())
    flash_real_esp32.add_commands(plan, flash_real.board_facts(C3), "/dev/x", on_board)
    assert plan.commands[0][-3:] == ["erase-region", "0x1f0000", "0x10000"]
    assert len(plan.commands) == 2


def test_a_hardened_build_asks_for_the_words_and_takes_nothing_else(build):
    plan = plan_of(build(sdkconfig="CONFIG_SECURE_BOOT=y\n"))
    assert plan.confirm == "burn eFuses of ESP32_GENERIC_C3"
    with pytest.raises(UsageProblem, match="not confirmed"):
        flash_real.confirmed(plan, lambda question: "yes")
    flash_real.confirmed(plan, lambda question: "burn eFuses of ESP32_GENERIC_C3")
    assert plan_of(build(sdkconfig="# CONFIG_SECURE_BOOT is not set\n")).confirm is None


def test_a_dry_run_without_a_board_needs_none(build, tools):
    result = run(build(), "--dry-run")
    assert result.exit_code == 0, result.output
    assert "no board was looked at" in result.stdout and "nothing was written" in result.stdout


def test_a_board_that_does_not_answer_is_said_so_and_nothing_is_written(build, tools, tmp_path):
    result = run(build(), "--board", tmp_path / "no-such-port")
    assert result.exit_code == 1 and "esptool cannot read the board" in result.stderr


def test_the_whole_way_reads_the_table_then_writes(build, tools, monkeypatch):
    done = []

    def fake(command, **options):
        command = [str(word) for word in command]
        done.append(command)
        if "read-flash" in command:
            with open(command[-1], "wb") as file:
                file.write(make_table(rows()))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(
        cli_flash.flash_real_esp32,
        "read_board_table",
        lambda board, port, real=flash_real_esp32.read_board_table: real(board, port, fake),
    )
    monkeypatch.setattr(
        cli_flash.flash_real,
        "carry_out",
        lambda output, plan, real=flash_real.carry_out: real(output, plan, fake),
    )
    result = run(build(), "--board", "/dev/ttyX")
    assert result.exit_code == 0, result.output
    assert "read-flash" in done[0] and "write-flash" in done[1] and len(done) == 2


def test_every_board_has_facts_that_the_tool_can_use():
    for name in STM32 + ESP32:
        facts = flash_real.board_facts(name)
        assert facts.name == name
        assert facts.erased_by(facts.keys[0], 1)[0] == facts.keys[0]
    assert set(flash_real.known_boards()) == set(STM32 + ESP32)
    assert os.path.isdir(flash_real.BOARDS)
