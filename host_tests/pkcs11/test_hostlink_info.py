# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the kit, with its fixture)
"""What a board tells about itself, and the settings it takes from its geometry."""

import json
import sys
import types

from hostlink_kit import *

import pkcs11
from pkcs11.token import Token


def test_info_of_a_blank_board_writes_nothing(store):
    answer = ask("info")
    assert answer["board"] == "TEST_BOARD" and answer["firmware"] == "1.2.3-test"
    assert answer["development"] is True and answer["device_secret"] is False
    assert [place["name"] for place in answer["flash"]["map"]] == ["app", "keys"]
    assert answer["flash"]["jedec"] == "ef4019"
    assert answer["entropy"]["source"] == "the host's"
    assert answer["token"]["default_mode"] is True and answer["objects"] == 0
    assert "USER_PIN_TO_BE_CHANGED" in answer["token"]["flags"]
    assert answer["token"]["pins"]["user"] == {
        "set": True,
        "tries_left": 10,
        "limit": 10,
        "wait_seconds": 0,
        "iterations": 0,
    }
    assert "repetition count (11)" in answer["entropy"]["proof"]
    assert answer["token"]["pins"]["so"]["set"] is False
    assert json.loads(json.dumps(answer)) == answer and not store.writes


def test_info_when_the_store_cannot_be_served(store):
    from pal.store import StoreError

    store.fail_mount = StoreError.NEWER
    answer = ask("info")
    assert answer["token"] is None and answer["store"]["error"] == "NEWER"
    assert answer["board"] == "TEST_BOARD"
    assert ask("objects")["error"] == "CKR_FUNCTION_FAILED"


def test_info_on_a_board_without_version_flash_chip_and_login_delay(monkeypatch):
    monkeypatch.setitem(sys.modules, "buildinfo", None)
    monkeypatch.setitem(sys.modules, "rawflash", None)
    assert ask("sign", label="x", digest="00", pin="9999")["error"] == "CKR_PIN_INCORRECT"
    answer = ask("info")
    assert answer["firmware"] == "unknown" and "jedec" not in answer["flash"]
    assert answer["token"]["pins"]["user"]["wait_seconds"] == 1
    assert answer["token"]["pins"]["user"]["tries_left"] == 9


def test_a_board_has_the_settings_of_its_geometry(monkeypatch, board):
    from pkcs11 import settings

    monkeypatch.setitem(
        sys.modules, "machine", types.SimpleNamespace(unique_id=lambda: b"\x01\xab")
    )
    chosen = settings.of_board()
    assert chosen.serial == b"01AB" and chosen.version == (1, 2)
    assert chosen.iterations is None and chosen.default_mode  # measured when a PIN is set
    board.LOCKED = True
    board.PIN_ITERATIONS = 5
    monkeypatch.setitem(sys.modules, "machine", None)
    monkeypatch.setitem(sys.modules, "buildinfo", types.SimpleNamespace(VERSION="dev"))
    chosen = settings.of_board()
    assert chosen.iterations == 10000 and not chosen.default_mode and chosen.version == (0, 0)
    assert tuple(chosen.limits) == (10, 15)
    board.PIN_ITERATIONS, board.PIN_LIMITS = 30000, (5, 100)
    chosen = settings.of_board()
    assert chosen.iterations == 30000 and tuple(chosen.limits) == (5, 15)
    board.PIN_LIMITS = (0, -1)
    assert tuple(settings.of_board().limits) == (3, 3)


def test_a_board_has_one_token(monkeypatch, store):
    from pal import pal

    monkeypatch.setitem(sys.modules, "machine", None)
    monkeypatch.setattr(pkcs11, "_token", None)
    pal.use(pal.Pal(store))
    try:
        assert type(pkcs11.board_token()) is Token and pkcs11.board_token() is pkcs11.board_token()
        with pkcs11.open(pin="0000") as token:
            token.generate("key")
            assert token.key("key").label == b"key"
    finally:
        pal.use(None)
