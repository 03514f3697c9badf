# SPDX-License-Identifier: MIT
"""What an ESP32 board's CMake file makes of upstream's settings, with a stand-in for the esp32 port."""

import shutil
import subprocess

import pytest
from layout import BOARDS, geometry, partitions, with_file

from p11board.flash_real_files import parse_csv

ESP32 = with_file("partitions.csv")

# Run by `cmake -P` in the port's directory, as IDF's project file does it.
SCRIPT = """
set(CMAKE_BINARY_DIR %(out)s)
set(MICROPY_BOARD_DIR %(board)s)
set(MICROPY_BOARD %(name)s)
include(${MICROPY_BOARD_DIR}/mpconfigboard.cmake)
if(NOT "%(variant)s" STREQUAL "")
    include(${MICROPY_BOARD_DIR}/mpconfigvariant_%(variant)s.cmake)
endif()
foreach(word IN LISTS SDKCONFIG_DEFAULTS)
    message("settings ${word}")
endforeach()
foreach(word IN LISTS MICROPY_DEF_BOARD)
    message("define ${word}")
endforeach()
message("frozen ${MICROPY_FROZEN_MANIFEST}")
message("info ${MICROPY_MANIFEST_BUILD_INFO}")
"""
UPSTREAM = "set(SDKCONFIG_DEFAULTS boards/sdkconfig.base boards/sdkconfig.ble)\n"


def configure(folder, board, variant="", old=False):
    """{word: [values]} of what the board sets; `old`: in the port of MicroPython 1.25."""
    assert shutil.which("cmake"), "install cmake (make deps-test does)"
    port, out = folder / "port", folder / "out"
    (port / "boards" / board).mkdir(parents=True)
    (port / "boards" / board / "mpconfigboard.cmake").write_text(UPSTREAM)
    if old:
        (port / "partitions-4MiB.csv").write_text("")
    words = {"out": out, "board": BOARDS / board, "name": board, "variant": variant}
    (folder / "script.cmake").write_text(SCRIPT % words)
    command = ["cmake", "-P", str(folder / "script.cmake")]
    done = subprocess.run(command, cwd=port, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    said = {"settings": [], "define": []}
    for line in done.stderr.splitlines():
        word, _, value = line.partition(" ")
        said.setdefault(word, []).append(value)
    return said


@pytest.mark.parametrize("board", ESP32)
@pytest.mark.parametrize("old", [False, True], ids=["1.26 and later", "1.25"])
def test_the_settings_name_the_table_with_the_keys(board, old, tmp_path):
    said = configure(tmp_path, board, old=old)
    assert said["settings"][:2] == ["boards/sdkconfig.base", "boards/sdkconfig.ble"]
    table = tmp_path / "out" / "p11" / "partitions.csv"
    fragment = (tmp_path / "out" / "p11" / "sdkconfig").read_text()
    assert said["settings"][2] == str(table.with_name("sdkconfig"))
    assert "CONFIG_PARTITION_TABLE_CUSTOM=y\n" in fragment
    assert f'CONFIG_PARTITION_TABLE_CUSTOM_FILENAME="{table}"\n' in fragment
    rows = parse_csv(table.read_text())
    files = [row for row in rows if row.name == "vfs"]
    assert [row for row in rows if row.name != "vfs"] == partitions(board)
    assert [row.area for row in files] == ([geometry(board)["FLASH_MAP"]["fs"]] if old else [])


@pytest.mark.parametrize("board", ESP32)
def test_the_build_freezes_the_boards_manifest_and_says_which_board_it_is(board, tmp_path):
    said = configure(tmp_path, board)
    assert said["frozen"] == [str(BOARDS / board / "manifest.py")]
    info = tmp_path / "out" / "p11" / "buildinfo.py"
    assert said["info"] == [str(info.parent)]
    assert info.read_text() == 'VERSION = "0.0.0"\nBOARD = "%s"\n' % board


@pytest.mark.parametrize("board", ESP32)
def test_only_the_hardened_variant_turns_on_what_burns_efuses(board, tmp_path):
    plain = configure(tmp_path / "a", board)["settings"]
    hardened = configure(tmp_path / "b", board, "HARDENED")["settings"]
    assert not any(name.endswith("sdkconfig.hardened") for name in plain)
    assert hardened[-1].endswith("/sdkconfig.hardened")
    made = (str(tmp_path / "a"), str(tmp_path / "b"))  # the fragments of this build
    kept = [name for name in hardened[:-1] if not name.startswith(made)]
    others = [name for name in plain if not name.startswith(made)]
    assert kept in (others, [name for name in others if name != "boards/sdkconfig.ble"])
    text = (BOARDS / "sdkconfig.hardened").read_text()
    for wanted in ("SECURE_BOOT", "SECURE_BOOT_V2_ENABLED", "SECURE_FLASH_ENC_ENABLED"):
        assert "CONFIG_%s=y\n" % wanted in text


@pytest.mark.parametrize("board", ESP32)
def test_a_hardened_board_can_open_its_nvs(board):
    # ESP-IDF encrypts NVS wherever it encrypts flash, with keys in a partition nvs_keys. Without one
    # nvs_flash_init() fails, and Wi-Fi with it.
    table = (BOARDS / board / "partitions.csv").read_text()
    plain = "CONFIG_NVS_ENCRYPTION=n\n" in (BOARDS / "sdkconfig.hardened").read_text()
    assert plain != ("nvs_keys" in table)


@pytest.mark.parametrize("board", ESP32)
def test_the_variant_without_bluetooth_leaves_it_out(board, tmp_path):
    said = configure(tmp_path, board, "NOBLE")
    assert "boards/sdkconfig.ble" not in said["settings"]
    assert said["define"] == ["MICROPY_PY_BLUETOOTH=0", "MICROPY_BLUETOOTH_NIMBLE=0"]


@pytest.mark.parametrize("board", ["ESP32_GENERIC_C3", "ESP32_GENERIC_C6"])
def test_a_hardened_risc_v_board_has_no_bluetooth(board, tmp_path):
    # With it the C3's application is 1 946 400 bytes: padded to 64 KiB and signed it would end in the keys.
    said = configure(tmp_path, board, "HARDENED")
    assert "boards/sdkconfig.ble" not in said["settings"]
    assert "MICROPY_PY_BLUETOOTH=0" in said["define"]
