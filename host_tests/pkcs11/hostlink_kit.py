# SPDX-License-Identifier: MIT
"""A board for the tests of JSON commands: the token in memory, facts of a geometry module, a version."""

import sys
import types

import pytest
from token_kit import certificate, ec_key

import pkcs11
from pkcs11 import hostlink

KEY = ec_key()
CERT = certificate(KEY)


@pytest.fixture(autouse=True)
def board(monkeypatch, token):
    """This board: the token in memory, facts of a geometry module, a version."""
    geometry = types.SimpleNamespace(
        BOARD="TEST_BOARD",
        ENTROPY="the host's",
        FLASH_MAP={"keys": (0x1000, 0x2000), "app": (0, 0x1000)},
        DEVICE_SECRET=None,
    )
    monkeypatch.setitem(sys.modules, "geometry", geometry)
    monkeypatch.setitem(sys.modules, "buildinfo", types.SimpleNamespace(VERSION="1.2.3-test"))
    flash = types.SimpleNamespace(info=lambda: (0xEF4019, 1 << 25, 4096, 256))
    monkeypatch.setitem(sys.modules, "rawflash", flash)
    monkeypatch.setattr(pkcs11, "_token", token)
    return geometry


def ask(cmd, **fields):
    return hostlink.answer(dict(fields, cmd=cmd))


def ask_as_user(cmd, **fields):
    return ask(cmd, pin="0000", **fields)


def refused(answer, error):
    return answer["error"] == error and answer["code"] == 5 and answer["hint"]
