# SPDX-License-Identifier: MIT
"""Boards for the tests: emulated ones on private copies of a flash image, or a real one.

`board` (one per module) is whatever `--board` names; the tests that use it leave the objects of
others alone, except under labels that begin with "test ".  `emulated` is a private emulated
board for one test, which may pull its plug, reprogram it and damage its flash.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import zlib
from pathlib import Path

import pytest
from board.tls_board import TlsBoard
from click.testing import CliRunner
from factory import built, program

from p11board import image
from p11board.board import Board
from p11board.cli import cli
from p11board.emulator import Emulator
from p11board.transport import Link

ROOT = Path(__file__).resolve().parent.parent.parent
SCRIPTS = ROOT / "tools" / "mpremote"
PREFIX = "test "  # of the labels a test may use on a real board


def pytest_collection_modifyitems(items):
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.emulated)


class BoardUnderTest:
    """A board by its port, used the three ways a user has: Python, p11board, mpremote."""

    def __init__(self, port):
        self._port = port

    @property
    def port(self):
        """Its serial port now."""
        return self._port

    @contextlib.contextmanager
    def connected(self):
        """A p11board.board.Board on an own connection."""
        with Link(self.port) as link:
            yield Board(link)

    def options(self):
        """Options of p11board that mean this board."""
        return ["--board", self.port]

    def p11board(self, *arguments, code=0, **more):
        """Run p11board in this process; returns click's Result.

        Its exit code has to be `code`, unless that is None.
        """
        result = CliRunner().invoke(cli, [*self.options(), *map(str, arguments)], **more)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        if code is not None:
            assert result.exit_code == code, (arguments, result.exit_code, result.output)
        return result

    def json(self, *arguments):
        """Run p11board with --json; returns the parsed document."""
        return json.loads(self.p11board(*arguments, "--json").stdout)

    def mpremote(self, *arguments, code=0, timeout=60):
        """Run the real mpremote as a user would; returns what it printed."""
        command = [sys.executable, "-m", "mpremote", "connect", self.port, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout)
        assert done.returncode == code, (arguments, done.returncode, done.stdout, done.stderr)
        return done.stdout

    def script(self, name, *before, code=0):
        """Run a script of tools/mpremote on the board; returns what it printed."""
        return self.mpremote(*before, "run", SCRIPTS / name, code=code)


class EmulatedBoard(BoardUnderTest):
    """An emulated board of its own, with a plug to pull."""

    def __init__(self, state, loader):
        super().__init__(None)
        self.emulator = Emulator(state)
        self.loader = loader

    @property
    def port(self):
        return self.emulator.port

    def options(self):
        return ["--state", str(self.emulator.state), "--board", "emulated"]

    def start(self):
        """Power on; returns when the REPL answers."""
        self.emulator.start(self.loader)

    def power_cycle(self):
        """Off (flushed, as a switch after a quiet moment) and on."""
        self.emulator.stop()
        self.start()


@pytest.fixture(scope="session")
def firmware():
    """The built firmware: its image and loader, as paths; `make firmware` makes them."""
    build = built()
    return [build / "firmware.p11a", build / "loader.elf"]


@pytest.fixture(scope="session")
def second_image(firmware, tmp_path_factory):
    """Another application: the build with another version, else the same one re-headed."""
    following = firmware[0].with_name("firmware-next.p11a")
    if following.exists():
        return following
    path = tmp_path_factory.mktemp("images") / "second.p11a"
    path.write_bytes(image.make(image.read(firmware[0]).payload, "9.9.9-test").to_bytes())
    return path


@pytest.fixture(scope="session")
def factory_flash(firmware, tmp_path_factory):
    """A chip with the application and nothing else; tests work on copies."""
    return program(tmp_path_factory.mktemp("factory") / "flash.bin", firmware[0].parent)


@pytest.fixture(scope="session")
def make_board(firmware, factory_flash):
    """make(folder): an emulated board on a copy of the factory flash; off."""
    made = []

    def make(folder):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(factory_flash, folder / "flash.bin")
        made.append(EmulatedBoard(folder, firmware[1]))
        return made[-1]

    yield make
    for one in made:
        one.emulator.kill()


@pytest.fixture(scope="module")
def board(request, tmp_path_factory):
    """The board of this module: on, shared by its tests."""
    name = request.config.getoption("--board")
    if name != "emulated":
        yield BoardUnderTest(name)
        return
    make = request.getfixturevalue("make_board")
    made = make(tmp_path_factory.mktemp("board") / "state")
    made.start()
    yield made
    made.emulator.kill()
    os.unlink(made.emulator.flash)


@pytest.fixture
def emulated(request, make_board, tmp_path):
    """An emulated board for one test: on, fresh, its plug free to pull."""
    if request.config.getoption("--board") != "emulated":
        pytest.skip("needs the plug of an emulated board")
    made = make_board(tmp_path / "state")
    made.start()
    yield made
    made.emulator.kill()
    if made.emulator.flash.exists():
        os.unlink(made.emulator.flash)


@pytest.fixture(scope="module")
def one_device(request, make_board, tmp_path_factory):
    """A board with a device's identity, shared by the tests of a module."""
    if request.config.getoption("--board") != "emulated":
        pytest.skip("needs a server on this machine's network, and a fresh token")
    folder = tmp_path_factory.mktemp("tls")
    made = make_board(folder / "state")
    made.start()
    yield TlsBoard(made, folder)


@pytest.fixture
def device(one_device):
    """That board, its tunnel ended afterwards."""
    yield one_device
    one_device.end()


@pytest.fixture
def label(request):
    """A label of the test's own."""
    name = request.node.name
    return f"{PREFIX}{zlib.crc32(name.encode()):08x} {name[:40]}"
