# SPDX-License-Identifier: MIT
"""Fixtures of the RPC tests: a server in this process, and boards with a daemon and programs."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
for folder in (HERE, HERE.parent / "pkcs11"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))

import pytest  # noqa: E402
from harness import BOARDS, CPythonBoard, Served  # noqa: E402
from local_board import LocalBoard, fresh  # noqa: E402
from wire import Caller  # noqa: E402


@pytest.fixture
def board():
    fresh()
    board = LocalBoard()
    yield board
    board.stop()


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
