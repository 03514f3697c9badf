# SPDX-License-Identifier: MIT
"""`p11board flash` for ESP32 boards. esptool is the real one, on images that it made itself from a
real program; only what would talk to a board is replaced.
"""

import json
import shutil
import subprocess
import sys

import pytest
from flash_runner import run

from p11board import cli_flash, flash_real, flash_real_esp32, flash_real_stm32
from p11board.errors import FileProblem, UsageProblem
from p11board.flash_real_esp32 import esptool
from p11board.flash_real_files import Partition, make_table

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
    assert plan.confirm  # nobody can tell whether its first start burns eFuses
    (tmp_path / "sdkconfig").write_text("# CONFIG_SECURE_BOOT is not set\n")
    assert plan_of(merged).confirm is None
    data = bytearray(merged.read_bytes())
    harmed = tmp_path / "harmed.bin"
    for at, why in ((0x10000 + 40, "application factory .* not a good image"), (40, "bootloader")):
        data[at] ^= 0xFF
        harmed.write_bytes(data)
        with pytest.raises(FileProblem, match=why):
            plan_of(harmed)
        data[at] ^= 0xFF
    data[0x10000] = 0x7F
    harmed.write_bytes(data)
    with pytest.raises(FileProblem, match="no image for the application factory"):
        plan_of(harmed)
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
    assert plan_of(build(sdkconfig="CONFIG_SECURE_FLASH_ENC_ENABLED=y\n")).confirm == plan.confirm
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


class Usb:
    """A port as pyserial lists it."""

    vid, pid, product, description, serial_number = 0x1A86, 0x7523, "USB Serial", "", None

    def __init__(self, device):
        self.device = device

    def __lt__(self, other):
        return self.device < other.device


class Running:
    """The emulated board, switched on."""

    port = "/dev/pts/9"

    def status(self):
        return {"running": True, "port": self.port}


@pytest.mark.parametrize("ports", [["/dev/ttyUSB0"], [], ["/dev/ttyUSB0", "/dev/ttyUSB1"]])
def test_esptool_is_never_let_loose_on_the_emulated_board(build, tools, monkeypatch, ports):
    asked = []

    def read(board, port):
        asked.append(port)
        return rows()

    monkeypatch.setattr(cli_flash.flash_real_esp32, "read_board_table", read)
    monkeypatch.setattr(cli_flash.Session, "emulator", Running())
    monkeypatch.setattr(
        cli_flash.flash_real, "carry_out", lambda output, plan: asked.extend(plan.commands)
    )
    monkeypatch.setattr(flash_real_stm32.list_ports, "comports", lambda: [Usb(p) for p in ports])
    result = run(build())
    if len(ports) == 1:
        assert result.exit_code == 0, result.output
        assert asked[0] == ports[0] and len(asked) == 2
    else:
        assert asked == [] and result.exit_code in (1, 2)
        assert ("no board found" if not ports else "2 boards to choose from") in result.stderr
