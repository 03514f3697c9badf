# SPDX-License-Identifier: MIT
"""A board with the signer's key, a chip with an old image, and updates for it."""

import io

import pytest
from token_kit import ec_key, log_in
from update_kit import BOARD, Chip, application, enrolled, signed

from pkcs11 import codeverify
from pkcs11.application import Application

OLD = application(version="old")
NEW = application(version="new")
OTHER = ec_key()


@pytest.fixture
def board(token):
    """The token with the signer's key, opened."""
    with enrolled(token) as opened:
        yield opened


@pytest.fixture
def chip():
    return Chip(OLD)


def verify(token, data, **more):
    return codeverify.verify(io.BytesIO(data), token=token, board=BOARD, **more)


def install(token, data, chip):
    return codeverify.install(io.BytesIO(data), chip.slot(), token=token, board=BOARD)


def flipped(data, at, bit=1):
    changed = bytearray(data)
    changed[at] ^= bit
    return bytes(changed)


def keep(token, template):
    app = Application(token)
    app.C_Initialize()
    app.C_CreateObject(log_in(app), template)
    app.C_Finalize()


GOOD = signed(NEW)
