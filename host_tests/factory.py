# SPDX-License-Identifier: MIT
"""Chips of the emulated board as they leave the factory: a built firmware and nothing else."""

import pytest
from qemu_machine import BUILD

from p11board import flashing

HOW = {"": "make firmware", "-notrng": "make firmware NO_TRNG=1"}


def built(variant=""):
    """The directory of a build, by the end of its name; the test fails when it was not made."""
    build = BUILD.with_name(BUILD.name + variant)
    if not all((build / name).exists() for name in ("firmware.p11a", "loader.elf")):
        pytest.fail(f"no firmware to test: run `{HOW[variant]}`")
    return build


def program(path, build):
    """Make the flash file of a new chip with the application of a build; returns its path."""
    flashing.create_blank(path)
    flashing.program_app(path, (build / "firmware.p11a").read_bytes())
    return path
