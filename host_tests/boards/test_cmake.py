# SPDX-License-Identifier: MIT
"""The CMake way of building the C modules, which is that of MicroPython's esp32 port.

A project stands in for the port: the interface library `usermod`, mbedTLS 3.6 with the configuration
it comes with, stubs of ESP-IDF's headers. Every file that the modules name is compiled for RV32.
"""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from test_compiles import (
    CMODULES,
    CPUS,
    GENERATED,
    MBEDTLS,
    MICROPYTHON,
    P11CRYPTO,
    RISCV,
    ROOT,
    STUBS,
    WARNINGS,
    interned,
)

pytestmark = pytest.mark.long

PROJECT = """
cmake_minimum_required(VERSION 3.16)
project(port C)
function(idf_build_get_property variable property)
    set(${variable} ${property} -O2)
    list(TRANSFORM ${variable} REPLACE "^COMPILE_OPTIONS$" "-ffunction-sections")
    set(${variable} ${${variable}} PARENT_SCOPE)
endfunction()
add_library(usermod INTERFACE)
set(ESP_PLATFORM %(esp)d)
set(IDF_TARGET esp32c3)
set(MBEDTLS %(mbedtls)s)
include(%(modules)s/micropython.cmake)
add_library(compiled OBJECT)
target_link_libraries(compiled PRIVATE usermod)
target_include_directories(compiled PRIVATE %(folders)s)
target_compile_options(compiled PRIVATE %(flags)s)
"""


def configure(folder, esp):
    """Write and configure the stand-in of a port; returns the folder to build in."""
    bindings = sorted(P11CRYPTO.glob("modp11crypto*.c"))
    interned(bindings, folder)
    folders = [folder, MICROPYTHON, GENERATED, ROOT / "firmware/ports/ast1030"]
    folders += [ROOT / "boards" / "AST1030_EVB", STUBS / "esp32"]
    if esp:
        folders.append(MBEDTLS / "include")
    _, machine = CPUS["rv32imac"]
    words = {
        "esp": esp,
        "mbedtls": MBEDTLS,
        "modules": CMODULES,
        "folders": " ".join(map(str, folders)),
        "flags": " ".join(
            machine.split() + ["-ffreestanding", *WARNINGS, "-DSOC_HMAC_SUPPORTED=1"]
        ),
    }
    (folder / "CMakeLists.txt").write_text(PROJECT % words)
    assert shutil.which("cmake"), "install cmake (make deps-test does)"
    made = folder / "made"
    command = ["cmake", "-S", folder, "-B", made, "-DCMAKE_C_COMPILER=" + RISCV]
    command += ["-DCMAKE_SYSTEM_NAME=Generic", "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY"]
    command += ["-DCMAKE_EXPORT_COMPILE_COMMANDS=1"]
    run(command)
    return made


def run(command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "warning" not in done.stderr, done.stderr


def build(folder, esp):
    """Build the stand-in of a port; returns the names of the objects."""
    made = configure(folder, esp)
    run(["cmake", "--build", made, "-j2"])
    return {path.name.removesuffix(".c.obj") for path in made.rglob("*.obj")}


def files(esp):
    """What core.mk builds with P256=own, without assembly: names of C files."""
    makefile = (
        f"P11_DIR = {P11CRYPTO}\nMBEDTLS = {MBEDTLS}\nP11_NAMES = x\ninclude {P11CRYPTO}/core.mk\n"
        "all:\n\t@echo $(P11_CORE) : $(P11_MBEDTLS_FILES)\n"
    )
    made = subprocess.run(
        ["make", "-s", "-f", "-"], input=makefile, capture_output=True, text=True
    )
    core, mbedtls = made.stdout.split(":")
    names = {name.split("/")[-1] for name in core.split()}
    return names - {"process_mbedtls"} if esp else names | set(mbedtls.split())


@pytest.mark.parametrize("esp", [1, 0], ids=["esp-idf", "another port"])
def test_the_files_of_the_make_build_are_compiled_without_a_warning(esp, tmp_path):
    built = build(tmp_path, esp)
    wanted = files(esp) | {path.stem for path in P11CRYPTO.glob("modp11crypto*.c")}
    if esp:  # mbedTLS itself is ESP-IDF's, and so is the SHA-256 of its hardware
        wanted |= {"esp32_entropy", "esp32_secret"}
    assert built == wanted


def test_headers_of_the_chip_are_found_besides_those_of_all_chips(tmp_path, monkeypatch):
    # esp_efuse.h includes esp_efuse_chip.h, which ESP-IDF has in a folder for each chip.
    monkeypatch.setenv("IDF_PATH", str(tmp_path / "idf"))
    wanted = [tmp_path / "idf/components/efuse" / end for end in ("include", "esp32c3/include")]
    for folder in wanted:
        folder.mkdir(parents=True)
    made = configure(tmp_path, 1)
    commands = json.loads((made / "compile_commands.json").read_text())
    [secret] = [e["command"] for e in commands if Path(e["file"]).stem == "esp32_secret"]
    assert [folder for folder in wanted if f"-I{folder} " not in secret] == []


def test_the_core_is_optimised_as_esp_idf_asks_where_the_port_does_not(tmp_path):
    # As the port of MicroPython 1.25 does it: ESP-IDF's options reach its own files only.
    made = configure(tmp_path, 1)
    commands = json.loads((made / "compile_commands.json").read_text())
    core = [entry for entry in commands if Path(entry["file"]).stem in files(1)]
    assert len(core) == len(files(1))
    assert [
        entry["file"] for entry in core if " -ffunction-sections -O2 " not in entry["command"]
    ] == []
