# SPDX-License-Identifier: MIT
"""Boards with little RAM: a request that is too long is refused, and its rest eaten; the heap is kept
from falling apart."""

import gc
import io
import json
import runpy
import sys
import types

import pytest
from layout import BOARDS, geometry, with_file

from pkcs11 import hostlink


@pytest.fixture
def small(monkeypatch):
    """A board whose requests have at most 64 bytes."""
    board = types.ModuleType("geometry")
    board.REQUEST_MAX = 64
    monkeypatch.setitem(sys.modules, "geometry", board)


def serve(monkeypatch, data):
    stream = io.BytesIO(data)
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=stream))
    hostlink.serve_line()
    return stream.read()


def test_a_request_that_fits_is_served(small, monkeypatch, capsys):
    rest = serve(monkeypatch, b'{"cmd": "nonsense"}\nnext')
    assert json.loads(capsys.readouterr().out)["error"] == "unknown command"
    assert rest == b"next"


@pytest.mark.parametrize("length", [65, 200, 5000])
def test_a_request_that_is_too_long_never_reaches_the_prompt(small, monkeypatch, capsys, length):
    request = b'{"cmd": "nonsense", "x": "' + b"x" * length + b'"}\n'
    assert serve(monkeypatch, request + b"next") == b"next"
    answer = json.loads(capsys.readouterr().out)
    assert answer["error"] == "CKR_ARGUMENTS_BAD"
    assert answer["hint"] == "this board takes 64 bytes in one request"


def test_an_answer_is_never_put_together_as_one_line(monkeypatch):
    """Its length has no bound: a list of objects would want kilobytes in one piece."""
    pieces = []
    monkeypatch.setattr(sys, "stdout", types.SimpleNamespace(write=pieces.append))
    monkeypatch.setattr(
        hostlink, "answer", lambda request: {"objects": [{"label": "x" * 40}] * 30}
    )
    hostlink.run(b'{"cmd": "objects"}')
    assert len(json.loads("".join(pieces))["objects"]) == 30
    assert max(len(piece) for piece in pieces) < 64


def test_the_boards_that_need_it_say_so():
    for board in with_file("memory.ld"):
        facts = geometry(board)
        assert 2048 <= facts.get("REQUEST_MAX", 16384) <= 16384


@pytest.mark.parametrize("before, after", [(-1, 8192), (1000, 1000), (0, 0)])
def test_rubbish_is_collected_before_the_heap_is_in_pieces(monkeypatch, before, after):
    """Unless the program has chosen itself. MicroPython's gc.threshold, which CPython has not."""
    now = [before]
    monkeypatch.setattr(
        gc, "threshold", lambda *new: now.__setitem__(0, *new) if new else now[0], raising=False
    )
    runpy.run_path(str(BOARDS / "stm32_family.py"))
    assert now == [after]
