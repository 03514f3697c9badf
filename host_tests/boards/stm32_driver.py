# SPDX-License-Identifier: MIT
"""The STM32 drivers of rawflash and p11chip, compiled for this machine on top of a model.

`Driver(name, chip)` is one freshly loaded copy of a driver whose every access goes to `chip`.
`driver.module()` is what `import rawflash` gives on a board.
"""

import ctypes
import errno
import os
import shutil
import subprocess
import types
from functools import cache
from pathlib import Path

from stm32_chip_f4 import F4, F429
from stm32_chip_h7 import H7
from stm32_chip_l4 import G4, L4, WB

ROOT = Path(__file__).resolve().parents[2]
RAWFLASH = ROOT / "firmware" / "cmodules" / "rawflash"
P11CHIP = ROOT / "firmware" / "cmodules" / "p11chip"
P11CRYPTO = ROOT / "firmware" / "cmodules" / "p11crypto"
HERE = Path(__file__).resolve().parent / "c"
OUT = ROOT / "build" / "host_boards"

# name: (model, driver file, family macro, key region as in a board's memory.ld, erase unit)
LAYOUTS = {
    "f4": (F4, "stm32_f4", "F4", (0x080C0000, 0x40000), 0x20000),
    "f429": (F429, "stm32_f4", "F4", (0x08100000, 0x10000), 0x4000),
    "l4": (L4, "stm32_l4", "L4", (0x080F8000, 0x8000), 0x800),
    "g4": (G4, "stm32_l4", "G4", (0x08075000, 0x4000), 0x800),
    "wb": (WB, "stm32_l4", "WB", (0x080A0000, 0x8000), 0x1000),
    "h7": (H7, "stm32_h7", "H7", (0x08140000, 0x40000), 0x20000),
}

OK, CORRECTED, FAULTED, RANGE, READ_ONLY, VERIFY, TIMEOUT, NO_CHIP = range(8)
ERRNO = {
    RANGE: errno.EINVAL,
    READ_ONLY: errno.EROFS,
    VERIFY: errno.EIO,
    TIMEOUT: errno.ETIMEDOUT,
    NO_CHIP: errno.ENODEV,
}

WORD = ctypes.c_uint32
CALLBACKS = (
    ("reg_read", ctypes.CFUNCTYPE(WORD, WORD)),
    ("reg_write", ctypes.CFUNCTYPE(None, WORD, WORD)),
    ("bus_read32", ctypes.CFUNCTYPE(WORD, WORD)),
    ("bus_write32", ctypes.CFUNCTYPE(None, WORD, WORD)),
    ("cpu", ctypes.CFUNCTYPE(WORD, WORD, WORD)),
)


class Hooks(ctypes.Structure):
    """stm32_model_t of stm32_model.h."""

    _fields_ = CALLBACKS


class ChipInfo(ctypes.Structure):
    """rawflash_chip_t of rawflash.h."""

    _fields_ = [(name, WORD) for name in ("id", "size", "erase", "page", "unit")]


@cache
def compile_shared(name, sources, defines, includes=()):
    """Build a shared library; undefined behaviour ends the process."""
    OUT.mkdir(parents=True, exist_ok=True)
    output = OUT / (name + ".so")
    made = OUT / ("%s-%d.so" % (name, os.getpid()))  # several test processes may build it at once
    command = ["cc", "-shared", "-fPIC", "-O1", "-g", "-std=gnu99", "-Wall", "-Wextra", "-Werror"]
    command += ["-Wdouble-promotion", "-Wfloat-conversion"]
    command += ["-fsanitize=undefined", "-fsanitize-undefined-trap-on-error"]
    command += ["-DRAWFLASH_MODEL=1", "-DSTM32_POLLS_MAX=1000"]
    command += ["-D" + define for define in defines]
    command += ["-I%s" % folder for folder in (HERE, RAWFLASH, P11CHIP, P11CRYPTO)]
    command += ["-I%s" % folder for folder in includes]
    command += ["-o", str(made)] + [str(source) for source in sources]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError(done.stderr)
    os.replace(made, output)
    return output


def hook_up(library, chip):
    """Point the library's accesses at `chip`; returns what must stay alive."""
    hooks = Hooks(*[kind(getattr(chip, name)) for name, kind in CALLBACKS])
    Hooks.in_dll(library, "stm32_model").__init__(*[getattr(hooks, n) for n, _ in CALLBACKS])
    return hooks


class Driver:
    """One copy of the driver `name` (a key of LAYOUTS) over a chip model."""

    def __init__(self, name, folder, keys=None, **options):
        model, source, family, default_keys, self.erase_unit = LAYOUTS[name]
        self.keys = keys or default_keys
        self.chip = model(self.keys, **options)
        defines = (
            "STM32_FAMILY_" + family,
            "KEYS_START=0x%xu" % self.keys[0],
            "KEYS_SIZE=0x%xu" % self.keys[1],
        )
        sources = (RAWFLASH / "rawflash.c", RAWFLASH / "stm32.c", RAWFLASH / (source + ".c"))
        sources += (HERE / "stm32_model.c",)
        built = compile_shared("%s-%x-%x" % ((name,) + self.keys), sources, defines)
        own = Path(folder) / ("%s-%d.so" % (name, id(self)))
        shutil.copy(built, own)
        self.library = ctypes.CDLL(str(own))
        self.hooks = hook_up(self.library, self.chip)
        if source == "stm32_l4":
            self.chip.nmi = self.library.stm32_model_nmi
        self.library.rawflash_region.restype = ctypes.c_void_p
        self.region = ctypes.c_void_p(self.library.rawflash_region(b"keys"))

    def info(self):
        """(status, ChipInfo)."""
        facts = ChipInfo()
        return self.library.rawflash_info(ctypes.byref(facts)), facts

    def read(self, offset, length):
        """(status, bytes)."""
        buf = ctypes.create_string_buffer(length)
        size = ctypes.c_size_t
        status = self.library.rawflash_read(self.region, size(offset), buf, size(length))
        return status, buf.raw

    def program(self, offset, data):
        """Status of programming `data`."""
        size = ctypes.c_size_t
        return self.library.rawflash_program(
            self.region, size(offset), bytes(data), size(len(data))
        )

    def erase(self, offset, length):
        """Status of erasing."""
        return self.library.rawflash_erase(
            self.region, ctypes.c_size_t(offset), ctypes.c_size_t(length)
        )

    def module(self):
        """A module like the board's `rawflash`."""
        module = types.ModuleType("rawflash")
        module.Region = lambda name: Region(self)
        return module


def check(status):
    """Raise what the binding raises."""
    if status > FAULTED:
        raise OSError(ERRNO[status], "rawflash")


class Region:
    """rawflash.Region of the binding, over a Driver."""

    def __init__(self, driver):
        self.driver = driver
        status, self.facts = driver.info()
        check(status)

    def size(self):
        return self.driver.keys[1]

    def base(self):
        return self.driver.keys[0] - 0x08000000

    def erase_size(self):
        return self.facts.erase

    def page(self):
        return self.facts.page

    def unit(self):
        return self.facts.unit

    def read(self, offset, buf):
        status, data = self.driver.read(offset, len(buf))
        check(status)
        buf[:] = data
        return status

    def program(self, offset, buf):
        check(self.driver.program(offset, bytes(buf)))

    def erase(self, offset, length):
        check(self.driver.erase(offset, length))
