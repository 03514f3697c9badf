# SPDX-License-Identifier: MIT
"""How the server starts and ends on a board: `pkcs11.rpc.serve` and `pkcs11.locked.main`."""

import sys
import types

import micropython
import pytest
from memory_line import MemoryLine

from p11board.frames import END, HELLO, Frame, FrameReader, Hello
from pkcs11 import locked, rpc


class Reset(Exception):
    """The board was reset."""


@pytest.fixture
def interrupts(monkeypatch):
    """The interrupt characters that were set, in order."""
    found = []
    monkeypatch.setattr(micropython, "kbd_intr", found.append)
    return found


@pytest.fixture
def machine(monkeypatch):
    def reset():
        raise Reset

    module = types.ModuleType("machine")
    module.reset = reset
    monkeypatch.setitem(sys.modules, "machine", module)


def test_serve_turns_interrupts_off_and_on_again(interrupts):
    line = MemoryLine(Frame(END, 0, 1).encode())
    rpc.serve(line, line)
    frames = FrameReader().feed(line.out)
    assert [frame.kind for frame in frames] == [HELLO, END]
    hello = Hello.decode(frames[0].payload)
    assert hello.development and not hello.locked and hello.name == "PKCS#11 token"
    assert interrupts == [-1, 3]


def test_a_locked_server_goes_on_after_end(interrupts):
    line = MemoryLine(Frame(END, 0, 1).encode() + Frame(END, 0, 2).encode())
    with pytest.raises(EOFError):
        rpc.serve(line, line, locked=True)
    frames = FrameReader().feed(line.out)
    assert [frame.kind for frame in frames] == [HELLO, END, HELLO, END, HELLO]
    assert Hello.decode(frames[0].payload).locked
    assert interrupts == [-1]


def test_a_locked_board_serves_when_no_application_is_frozen(interrupts, machine, monkeypatch):
    served = []
    monkeypatch.setattr(rpc, "serve", lambda **options: served.append(options))
    with pytest.raises(Reset):
        locked.main()
    assert served == [{"locked": True}] and interrupts == [-1]


@pytest.mark.parametrize("ends", [None, ValueError, SystemExit, KeyboardInterrupt, MemoryError])
def test_whatever_ends_the_application_resets_the_board(
    interrupts, machine, monkeypatch, capsys, ends
):
    def main():
        if ends:
            raise ends("a secret")

    module = types.ModuleType("locked_main")
    module.main = main
    monkeypatch.setitem(sys.modules, "locked_main", module)
    with pytest.raises(Reset):
        locked.main()
    assert capsys.readouterr() == ("", "")
