# SPDX-License-Identifier: MIT
"""The C modules compile without a warning for every family's processor.

With the cross compilers of Debian. Bindings are compiled against MicroPython's real headers (the
sources and the generated headers of the emulated board's build), drivers of the ESP32 against
stubs of ESP-IDF's headers; STM32 drivers need no headers but their own.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.long

ROOT = Path(__file__).resolve().parents[2]
CMODULES = ROOT / "firmware" / "cmodules"
P11CRYPTO, RAWFLASH, P11CHIP = (CMODULES / n for n in ("p11crypto", "rawflash", "p11chip"))
MICROPYTHON = ROOT / "build" / "src" / "micropython"
MBEDTLS = ROOT / "build" / "src" / "mbedtls"
GENERATED = ROOT / "build" / "AST1030_EVB"
STUBS = Path(__file__).resolve().parent / "stubs"

ARM = "arm-none-eabi-gcc"
RISCV = "riscv64-unknown-elf-gcc"
M4 = "-mcpu=cortex-m4 -mthumb -mfloat-abi=hard -mfpu=fpv4-sp-d16"
CPUS = {
    "cortex-m0plus": (ARM, "-mcpu=cortex-m0plus -mthumb"),
    "cortex-m4": (ARM, M4),
    "cortex-m7": (ARM, "-mcpu=cortex-m7 -mthumb -mfloat-abi=hard -mfpu=fpv5-d16"),
    "cortex-m33": (ARM, "-mcpu=cortex-m33 -mthumb -mfloat-abi=hard -mfpu=fpv5-sp-d16"),
    "rv32imac": (RISCV, "-march=rv32imac_zicsr -mabi=ilp32 --specs=picolibc.specs"),
}
# As MicroPython's ports have them, and more where only our own code is seen.
WARNINGS = "-Wall -Wpointer-arith -Wdouble-promotion -Wfloat-conversion -Werror -std=gnu99".split()
OWN = ["-Wextra", "-Wno-unused-parameter", "-Wmissing-prototypes"]

# family: (processor, flash driver, entropy and identity of the chip)
FAMILIES = {
    "F4": ("cortex-m4", "stm32_f4.c"),
    "L4": ("cortex-m4", "stm32_l4.c"),
    "G4": ("cortex-m4", "stm32_l4.c"),
    "WB": ("cortex-m4", "stm32_l4.c"),
    "H7": ("cortex-m7", "stm32_h7.c"),
}


def compile_all(cpu, sources, folder, flags):
    """Compile `sources` for `cpu` in one run of the compiler; returns what it said."""
    compiler, machine = CPUS[cpu]
    assert shutil.which(compiler), "install %s (make deps does)" % compiler
    command = [compiler, *machine.split(), "-Os", "-c", "-ffreestanding", *WARNINGS, *flags]
    done = subprocess.run(
        command + [str(source) for source in sources], cwd=folder, capture_output=True, text=True
    )
    return done.stderr.strip()


@pytest.fixture(scope="module")
def core_flags(tmp_path_factory):
    """What core.mk gives the files of p11crypto's core."""
    assert (MBEDTLS / "library" / "ecdsa.c").exists(), "no mbedTLS: run make sources"
    names = tmp_path_factory.mktemp("names") / "names.h"
    subprocess.run(["python3", str(P11CRYPTO / "prefix.py"), str(MBEDTLS), str(names)], check=True)
    makefile = "P11_DIR = %s\nMBEDTLS = %s\nP11_NAMES = %s\ninclude %s\n" % (
        P11CRYPTO,
        MBEDTLS,
        names,
        P11CRYPTO / "core.mk",
    )
    makefile += 'all:\n\t@printf "%s\\n" $(P11_CORE_FLAGS)\n'
    makefile += "\t@echo FILES $(P11_CORE:=.c) $(P11_ASSEMBLY:=.S)\n"
    made = subprocess.run(
        ["make", "-s", "-f", "-"], input=makefile, capture_output=True, text=True, check=True
    ).stdout
    flags, files = made.split("FILES")
    return flags.split("\n")[:-1], [P11CRYPTO / name for name in files.split()]


@pytest.mark.parametrize("cpu", CPUS)
def test_the_cryptographic_core(cpu, tmp_path, core_flags):
    flags, files = core_flags
    assert {"core.c", "ec_own.c", "field_arm.S"} <= {path.name for path in files}
    assert compile_all(cpu, files, tmp_path, flags) == ""


@pytest.mark.parametrize("cpu", CPUS)
def test_the_flash_layer(cpu, tmp_path):
    assert compile_all(cpu, [RAWFLASH / "rawflash.c"], tmp_path, OWN) == ""


def interned(sources, folder):
    """Copy the list of interned strings of the build, and add what these sources need besides."""
    built = GENERATED / "genhdr" / "qstrdefs.generated.h"
    assert built.exists(), "build the firmware first"
    text = built.read_text()
    used = set()
    for source in sources:
        used.update(re.findall(r"\bMP_QSTR_(\w+)", source.read_text()))
    for name in sorted(used):
        if "MP_QSTR_%s," % name not in text:
            text += 'QDEF1(MP_QSTR_%s, 0, %d, "%s")\n' % (name, len(name), name)
    (folder / "genhdr").mkdir()
    (folder / "genhdr" / built.name).write_text(text)


@pytest.mark.parametrize("cpu", CPUS)
def test_the_bindings(cpu, tmp_path):
    files = sorted(P11CRYPTO.glob("modp11crypto*.c")) + [RAWFLASH / "modrawflash.c"]
    assert len(files) > 3
    interned(files, tmp_path)
    folders = (tmp_path, RAWFLASH, P11CRYPTO, MICROPYTHON, GENERATED)
    folders += (ROOT / "firmware/ports/ast1030", ROOT / "boards" / "AST1030_EVB")
    flags = ["-I%s" % folder for folder in folders]
    assert compile_all(cpu, files, tmp_path, flags) == ""


@pytest.mark.parametrize("family", FAMILIES)
def test_the_drivers_of_an_stm32(family, tmp_path):
    cpu, driver = FAMILIES[family]
    files = [RAWFLASH / "stm32.c", RAWFLASH / driver, P11CHIP / "stm32_entropy.c"]
    flags = OWN + ["-DSTM32_FAMILY_" + family]
    flags += ["-I%s" % folder for folder in (RAWFLASH, P11CHIP, P11CRYPTO)]
    assert compile_all(cpu, files, tmp_path, flags) == ""


@pytest.mark.parametrize("family", FAMILIES)
def test_the_seams_to_the_stm32_port(family, tmp_path):
    cpu, _ = FAMILIES[family]
    folders = (STUBS / "stm32", RAWFLASH, P11CHIP, P11CRYPTO)
    flags = OWN + ["-DSTM32_FAMILY_" + family] + ["-I%s" % folder for folder in folders]
    assert compile_all(cpu, [P11CHIP / "stm32_port.c"], tmp_path, flags) == ""


@pytest.mark.parametrize("hmac", [0, 1])
def test_the_seams_to_esp_idf(hmac, tmp_path):
    flags = OWN + ["-DSOC_HMAC_SUPPORTED=%d" % hmac, "-I%s" % (STUBS / "esp32")]
    flags += ["-I%s" % P11CRYPTO]
    files = [P11CHIP / "esp32_entropy.c", P11CHIP / "esp32_secret.c"]
    assert compile_all("rv32imac", files, tmp_path, flags) == ""
