# SPDX-License-Identifier: MIT
"""What of the token is frozen into a board, and that nothing frozen imports what was left out."""

import ast
import os
import types

import pytest
from layout import BOARDS, with_file

REAL = with_file("manifest.py")
PARTS = {
    "qualification": {"runner"},
    "tls": {"tls", "tls_errors", "tunnel"},
    "updates": {"codeverify", "manifest"},
}
SOURCES = BOARDS.parent / "firmware" / "pkcs11"


def frozen(options, monkeypatch):
    """{package: names of its files} that manifest_token.py freezes with these options."""
    monkeypatch.chdir(BOARDS)  # as MicroPython's makemanifest.py runs an included manifest
    chosen = types.SimpleNamespace()
    chosen.defaults = lambda **known: chosen.__dict__.update({**known, **options})
    packages = {}
    names = {
        "options": chosen,
        "package": lambda name, files, **_: packages.update({name: files}),
        "module": lambda *_, **__: None,
    }
    exec(compile((BOARDS / "manifest_token.py").read_text(), "manifest_token.py", "exec"), names)
    return packages


def options_of(board):
    """The options with which a board includes manifest_token.py."""
    for node in ast.walk(ast.parse((BOARDS / board / "manifest.py").read_text())):
        if isinstance(node, ast.Call) and node.func.id == "include":
            if node.args[0].value == "../manifest_token.py":
                return {keyword.arg: keyword.value.value for keyword in node.keywords}
    raise AssertionError("no token in " + board)


def tops(files):
    """First components of paths, without .py."""
    return {path.split(os.sep)[0].removesuffix(".py") for path in files}


def imported(path):
    """Modules of pkcs11 that a file of the package's top imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            dotted = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ("pkcs11." if node.level else "") + (node.module or "")
            dotted = [base.rstrip(".") + "." + name.name for name in node.names]
        else:
            continue
        yield from (name.split(".")[1] for name in dotted if name.startswith("pkcs11."))


def test_the_imports_of_a_file_are_found():
    assert {"der", "keys", "tls_errors"} <= set(imported(SOURCES / "tls.py"))
    assert "manifest" in set(imported(SOURCES / "codeverify.py"))


def test_everything_is_frozen_unless_left_out(monkeypatch):
    assert tops(frozen({}, monkeypatch)["pkcs11"]) == {
        path.stem for path in SOURCES.iterdir() if path.suffix == ".py" or path.is_dir()
    } - {"__pycache__"}


@pytest.mark.parametrize("part", sorted(PARTS))
def test_a_part_left_out_takes_its_files_and_no_other(part, monkeypatch):
    everything = frozen({}, monkeypatch)
    less = frozen({part: False}, monkeypatch)
    assert tops(everything["pkcs11"]) - tops(less["pkcs11"]) == PARTS[part]
    assert less["pal"] == everything["pal"]


@pytest.mark.parametrize("board", REAL)
def test_nothing_frozen_imports_at_its_start_or_later_what_was_left_out(board, monkeypatch):
    kept = frozen(options_of(board), monkeypatch)["pkcs11"]
    left_out = set().union(*PARTS.values()) - tops(kept)
    for path in kept:
        if os.sep not in path:
            assert not left_out & set(imported(SOURCES / path)), path


@pytest.mark.parametrize("board", REAL)
def test_the_tls_client_is_frozen_exactly_where_mbedtls_can_ask_the_token(board):
    """Only the make ports have the hook, and only when it is switched on; ESP-IDF's mbedTLS has none."""
    settings = BOARDS / board / "mpconfigboard.mk"
    hook = settings.exists() and "\nMICROPY_PY_SSL_ECDSA_SIGN_ALT = 1\n" in settings.read_text()
    assert options_of(board).get("tls", True) == hook


@pytest.mark.parametrize("board", REAL)
def test_a_board_says_in_its_description_what_it_leaves_out(board):
    options = options_of(board)
    assert set(options) <= set(PARTS)
    assert all(value is False for value in options.values())
    named = {"qualification": "qualify", "tls": "pkcs11.tls", "updates": "pkcs11.codeverify"}
    described = (BOARDS / board / "board.md").read_text()
    assert {part for part, name in named.items() if name in described} == set(options)
