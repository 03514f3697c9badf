# SPDX-License-Identifier: MIT
"""Compiles the engine and its harness for this machine, a bare Cortex-M4 and a bare RV32IMC.

Everything goes to build/p256; a file's name has a hash of its sources and flags, so it is built
once and test processes may run side by side.
Assumes gcc, arm-none-eabi-gcc with newlib-nano, riscv64-unknown-elf-gcc with picolibc.
"""

import functools
import hashlib
import os
import shutil
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
ENGINE = ROOT / "firmware" / "cmodules" / "p11crypto"
HARNESS = Path(__file__).resolve().parent / "harness"
OUT = ROOT / "build" / "p256"

SOURCES = sorted((ENGINE / "p256").glob("*.c")) + [ENGINE / "sha256" / "fast_sha256.c"]
ASSEMBLY = sorted((ENGINE / "p256").glob("*.S")) + sorted((ENGINE / "sha256").glob("*.S"))
INCLUDES = ["-I%s" % (ENGINE / part) for part in ("p256", "sha256")] + ["-I%s" % HARNESS]
WARNINGS = ["-std=gnu11", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
SECTIONS = ["-ffunction-sections", "-fdata-sections"]

TARGETS = {
    "m4": {
        "compiler": "arm-none-eabi-gcc",
        "flags": "-mcpu=cortex-m4 -mthumb -mfpu=fpv4-sp-d16 -mfloat-abi=hard --specs=nano.specs",
        "origin": 0,
    },
    "m0": {
        "compiler": "arm-none-eabi-gcc",
        "flags": "-mcpu=cortex-m0plus -mthumb --specs=nano.specs",
        "origin": 0,
    },
    "rv32": {
        "compiler": "riscv64-unknown-elf-gcc",
        "flags": "-march=rv32imc -mabi=ilp32 -misa-spec=2.2 --specs=picolibc.specs",
        "origin": 0x80000000,
    },
}
# Cores that only compile and link: what the portable path is for.
OTHER_CORES = {
    "m0plus": "-mcpu=cortex-m0plus -mthumb",
    "m7": "-mcpu=cortex-m7 -mthumb",
    "m33": "-mcpu=cortex-m33 -mthumb",
    "m33nodsp": "-mcpu=cortex-m33+nodsp -mthumb",
}


def run(command, **options):
    """Runs a command (list); its output is in the exception when it fails."""
    done = subprocess.run([str(x) for x in command], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise RuntimeError("%s\n%s%s" % (" ".join(map(str, command)), done.stdout, done.stderr))
    return done.stdout


def have(*programs):
    """Whether all of these programs are installed."""
    return all(shutil.which(program) for program in programs)


def emulator(target):
    """Whether the compiler and QEMU for a target are installed."""
    qemu = {"m4": "qemu-system-arm", "rv32": "qemu-system-riscv32"}[target]
    return have(TARGETS[target]["compiler"], qemu)


@functools.cache
def _digest(paths):
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.name.encode() + path.read_bytes())
    return digest


def _build(name, command, inputs):
    """Runs `command -o OUT/name-hash` unless that exists; returns its path."""
    headers = [*(ENGINE / "p256").glob("*.h"), *(ENGINE / "sha256").glob("*.h")]
    headers += [*(ENGINE / "p256").glob("*.inc"), *HARNESS.glob("*.h"), *HARNESS.glob("*.ld")]
    digest = _digest((*inputs, *sorted(headers))).copy()
    digest.update(" ".join(map(str, command)).encode())
    path = OUT / ("%s-%s" % (name, digest.hexdigest()[:12]))
    if not path.exists():
        OUT.mkdir(parents=True, exist_ok=True)
        new = OUT / ("%s.%d" % (path.name, os.getpid()))
        run([*command, "-o", new])
        os.replace(new, path)
    return path


def library(flags="-O2"):
    """Path of the engine as a shared library for ctypes; flags as one string."""
    files = [*SOURCES, HARNESS / "batch.c"]
    command = ["gcc", *flags.split(), *WARNINGS, "-shared", "-fPIC", *INCLUDES, *files]
    return _build("libp256.so", command, files)


def host(name, flags):
    """Path of the harness for this machine, e.g. host("asan", "-O1 -fsanitize=address")."""
    parts = ("serve.c", "ops_engine.c", "target_host.c")
    files = [*SOURCES, *(HARNESS / part for part in parts)]
    return _build("host-" + name, ["gcc", *flags.split(), *WARNINGS, *INCLUDES, *files], files)


def bare(target, optimise="-O2", operations="ops_engine.c", defines=(), library=()):
    """Path of the harness for "m4", "m0" or "rv32".

    operations: a file of the harness; library: more C files that it needs, built as they are
    (another implementation to compare with), with these defines.
    """
    t = TARGETS[target]
    engine = [*SOURCES, *ASSEMBLY] if operations == "ops_engine.c" else [*library]
    files = [*engine, *(HARNESS / part for part in ("serve.c", "target_bare.c", operations))]
    link = [
        "-nostartfiles",
        "-T%s" % (HARNESS / "bare.ld"),
        "-Wl,--defsym=_origin=%#x" % t["origin"],
        "-Wl,--gc-sections",
    ]
    flags = [*t["flags"].split(), optimise, *SECTIONS, *defines]
    warnings = [] if library else [w for w in WARNINGS if w not in ("-Werror", "-Wconversion")]
    command = [t["compiler"], *flags, *warnings, *INCLUDES, *files, *link]
    return _build("%s%s-%s" % (target, optimise, operations[:-2]), command, files)


def text_size(program, compiler):
    """Bytes of .text, .rodata and .data of a program."""
    size = compiler.replace("-gcc", "-size")
    text, data = run([size, program]).splitlines()[1].split()[:2]
    return int(text) + int(data)


def object_files(core, optimise="-Os"):
    """The engine's objects, compiled with warnings as errors for one of OTHER_CORES."""
    flags = [*OTHER_CORES[core].split(), optimise, *SECTIONS, *WARNINGS, *INCLUDES, "-c"]
    return [
        _build("%s%s-%s.o" % (core, optimise, f.name), ["arm-none-eabi-gcc", *flags, f], [f])
        for f in (*SOURCES, *ASSEMBLY)
    ]
