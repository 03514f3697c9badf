# SPDX-License-Identifier: MIT
"""A key region that the firmware or the files reach into does not build."""

import re
import subprocess
from pathlib import Path

import pytest

BOARDS = Path(__file__).resolve().parents[2] / "boards"
GCC = "arm-none-eabi-gcc"

# What the linker scripts of the stm32 port add, as far as stm32.ld looks at it.
SECTIONS = """
_ebss = ORIGIN(RAM); _estack_reserve = 8;
SECTIONS {
    .text : { *(.text*) } > %(text)s
    _sidata = LOADADDR(.data);
    .data : { _sdata = .; *(.data*) _edata = .; } > RAM AT> %(text)s
}
"""


def compiled(header):
    """The words of the compiler about a flash_map.h, "" when there is nothing to say."""
    command = [GCC, "-fsyntax-only", "-x", "c", "-"]
    return subprocess.run(command, input=header, capture_output=True, text=True).stderr


@pytest.mark.parametrize(
    "name, value, words",
    [
        ("FLASH_KEYS_BASE", "0x0ff000", "files over the key region"),
        ("FLASH_KEYS_BASE", "0x2ff000", "files over the key region"),
        ("FLASH_KEYS_BASE", "0x01ff8000", "key region beyond the chip"),
        ("FLASH_KEYS_BASE", "0x400800", "key region of half sectors"),
        ("FLASH_APP_SIZE", "0x101000", "application over its second"),
    ],
)
def test_the_emulated_board_does_not_compile(name, value, words):
    header = (BOARDS / "AST1030_EVB" / "flash_map.h").read_text()
    assert compiled(header) == ""
    moved = re.sub(rf"(#define {name}\s+)0x\w+", rf"\g<1>{value}", header)
    assert moved != header
    assert words in compiled(moved)


def linked(folder, memory, text):
    """The words of the linker about a firmware of 4 KiB with this memory.ld."""
    script = folder / "board.ld"
    common = SECTIONS % {"text": text}
    script.write_text(
        "_estack_reserve = 8;\n" + memory + (BOARDS / "stm32.ld").read_text() + common
    )
    source = folder / "firmware.c"
    source.write_text(
        'int value = 1; __attribute__((section(".text"))) const char code[4096] = {1};'
    )
    command = [
        GCC,
        "-mcpu=cortex-m4",
        "-mthumb",
        "-nostdlib",
        "-Wl,--entry=code",
        "-T",
        script,
        source,
    ]
    command += ["-Wl,--no-gc-sections", "-o", folder / "firmware.elf"]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True).stderr


@pytest.mark.parametrize("board", sorted(p.parent.name for p in BOARDS.glob("*/memory.ld")))
def test_an_stm32_board_does_not_link(board, tmp_path):
    memory = (BOARDS / board / "memory.ld").read_text()
    text = "FLASH_TEXT" if "FLASH_TEXT" in memory else "FLASH"
    assert "key region" not in linked(tmp_path, memory, text)
    assert (tmp_path / "firmware.elf").exists()

    def moved(onto):
        origin = re.search(rf"\b{onto} \(\w+\)\s*: ORIGIN = (0x\w+)", memory).group(1)
        return re.sub(r"(FLASH_KEYS \(\w+\)\s*: ORIGIN = )0x\w+", rf"\g<1>{origin}", memory)

    assert "the firmware reaches into the key region" in linked(tmp_path, moved(text), text)
    assert "the file system reaches into the key region" in linked(
        tmp_path, moved("FLASH_FS"), text
    )
