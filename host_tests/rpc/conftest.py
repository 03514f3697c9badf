# SPDX-License-Identifier: MIT
"""Fixtures of the RPC tests: a server in this process, and boards with a daemon and programs."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "pkcs11"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import pytest  # noqa: E402
from harness import BOARDS, CPythonBoard, EmulatedBoard, Served  # noqa: E402
from host_end import PortBoard  # noqa: E402
from local_board import LocalBoard, fresh  # noqa: E402
from wire import Caller  # noqa: E402


@pytest.fixture
def local():
    """A server in this process, on a new token."""
    fresh()
    board = LocalBoard()
    yield board
    board.stop()


@pytest.fixture(scope="session")
def emulated_line(tmp_path_factory):
    """The server on the emulated board, without a daemon."""
    board = EmulatedBoard(tmp_path_factory.mktemp("line"))
    line = PortBoard(board.port)
    yield line
    line.stop()
    board.stop()


@pytest.fixture
def board(request):
    """The line of a board: of one in this process, or what the module's BOARD names."""
    if "emulated" in getattr(request, "param", ""):
        line = request.getfixturevalue("emulated_line")
        line.greet()
        return line
    return request.getfixturevalue("local")


def pytest_generate_tests(metafunc):
    if getattr(metafunc.module, "BOTH_BOARDS", False) and "board" in metafunc.fixturenames:
        if "local" not in metafunc.fixturenames:
            emulated = pytest.param("emulated", marks=pytest.mark.emulated)
            metafunc.parametrize("board", ["cpython", emulated], indirect=True)


@pytest.fixture
def caller(board):
    """A client of version 0 that called C_Initialize."""
    caller = Caller(board.connect())
    caller.initialize()
    return caller


@pytest.fixture
def session(caller):
    """A session of `caller` in which the user is logged in."""
    session = caller.open()
    caller.login(session)
    return session


@pytest.fixture
def double(tmp_path):
    """A CPython board of its own, on a pseudo terminal."""
    board = CPythonBoard(tmp_path)
    yield board
    board.stop()


@pytest.fixture
def served(double, tmp_path):
    """A daemon of its own, on `double`."""
    served = Served(double, tmp_path)
    yield served
    served.stop()


@pytest.fixture(
    scope="module", params=["cpython", pytest.param("emulated", marks=pytest.mark.emulated)]
)
def programs(request, tmp_path_factory):
    """A board and a daemon shared by the tests of a module: once CPython, once emulated."""
    folder = tmp_path_factory.mktemp(request.param)
    board = BOARDS[request.param](folder)
    served = Served(board, folder)
    yield served
    served.stop()
    board.stop()


@pytest.fixture
def shared(one_served):
    """A daemon without clients, for the tests that leave it as it was."""
    yield one_served
    one_served.hang_up()


@pytest.fixture(scope="module")
def one_served(tmp_path_factory):
    """One board and one daemon for many tests."""
    folder = tmp_path_factory.mktemp("shared")
    board = CPythonBoard(folder, "--serial", "FEEDBEEF")
    served = Served(board, folder)
    yield served
    served.stop()
    board.stop()
