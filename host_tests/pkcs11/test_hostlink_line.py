# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the kit, with its fixture)
"""Requests of the host as they come over the line: one line of JSON each, or nonsense."""

import io
import json
import sys
import types

import pytest
from hostlink_kit import *

from pkcs11 import hostlink


@pytest.mark.parametrize(
    "request_",
    [
        None,
        5,
        [],
        "text",
        {},
        {"cmd": None},
        {"cmd": []},
        {"cmd": "sign"},
        {"cmd": "sign", "label": 5, "digest": "00"},
        {"cmd": "sign", "label": "x", "digest": "0"},
        {"cmd": "digest", "value": "zz"},
        {"cmd": "digest", "value": 5},
        {"cmd": "random", "length": "x"},
        {"cmd": "objects", "pin": 1234},
        {"cmd": "import", "class": "certificate", "label": "x"},
        {"cmd": "init"},
        {"cmd": "set_pin", "pin": "0000"},
    ],
)
def test_requests_that_make_no_sense(request_, power_on):
    answer = hostlink.answer(request_)
    assert answer["error"] and answer["code"] and "hint" in answer
    power_on.clear()


def test_unknown_names_are_answered_with_the_known_ones():
    assert "keygen" in ask("nonsense")["hint"]
    assert "certificate" in ask_as_user("import", label="x", **{"class": "cat"})["hint"]
    assert ask_as_user("keygen", label="x", curve="P-1")["error"] == "CKR_CURVE_NOT_SUPPORTED"
    answer = ask_as_user("import", label="x", value="00", **{"class": "secret key"})
    assert answer["error"] == "this class cannot be imported"


@pytest.mark.parametrize("text", [b'{"cmd": "random", "length": 2}', '{"cmd": "info"}', b"{", b""])
def test_run_prints_one_line_of_json(capsys, text):
    hostlink.run(text)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 and type(json.loads(lines[0])) is dict


@pytest.mark.parametrize("ending", [b"\n", b""])
def test_serve_line_reads_one_line_and_leaves_the_rest(monkeypatch, capsys, ending):
    stream = io.BytesIO(b'{"cmd": "random", "length": 2}' + ending + b"next")
    if not ending:
        stream = io.BytesIO(b'{"cmd": "random", "length": 2}')
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=stream))
    hostlink.serve_line()
    assert len(json.loads(capsys.readouterr().out)["value"]) == 4
    assert stream.read() == (b"next" if ending else b"")


def test_serve_line_wipes_the_line(monkeypatch, capsys):
    import p11crypto

    wiped = []
    monkeypatch.setattr(p11crypto, "wipe", lambda buffer: wiped.append(len(buffer)))
    for blanks, sizes in ((0, [1024]), (5000, [1024, 2048, 4096, 8192])):
        line = b'{"cmd": "objects", "pin": "0000"%s}\n' % (b" " * blanks)
        monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(line)))
        del wiped[:]
        hostlink.serve_line()
        assert [size for size in wiped if size >= 1024] == sizes
        assert json.loads(capsys.readouterr().out) == {"objects": []}
