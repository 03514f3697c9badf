# SPDX-License-Identifier: MIT
"""Fixtures of the tests of the AST1030 port and its loader."""

import shutil

import pytest
from factory import built, program
from qemu_machine import Board, tiny_program

from p11board import image


@pytest.fixture(scope="session")
def firmware():
    """Path of the built application image; the loader lies beside it."""
    return built() / "firmware.p11a"


@pytest.fixture(scope="session")
def factory_flash(firmware, tmp_path_factory):
    """A chip with the application and nothing else."""
    return program(tmp_path_factory.mktemp("factory") / "flash.bin", firmware.parent)


@pytest.fixture(scope="module")
def board(firmware, factory_flash, tmp_path_factory):
    """The board of this module, at its prompt."""
    flash = tmp_path_factory.mktemp("port") / "flash.bin"
    shutil.copyfile(factory_flash, flash)
    made = Board(flash, firmware.with_name("loader.elf")).start()
    yield made
    made.kill()
    flash.unlink()


@pytest.fixture
def tiny_image():
    """A valid image of tiny_program."""
    return image.make(tiny_program(), "tiny").to_bytes()
