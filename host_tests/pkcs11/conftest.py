# SPDX-License-Identifier: MIT
"""Fixtures of the token layer's tests: a token over a store in memory, Applications on it."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import p11crypto
import pytest
from memory_store import MemoryStore
from token_kit import generate

from pal.pal import Pal
from pkcs11 import api
from pkcs11.application import Application
from pkcs11.const import CKF_RW_SESSION, CKF_SERIAL_SESSION, CKU_SO, CKU_USER
from pkcs11.settings import Settings
from pkcs11.token import Token


class Clock:
    """A clock in ms that a test moves."""

    def __init__(self):
        self.now = 1000

    def __call__(self):
        return self.now


@pytest.fixture(autouse=True)
def power_on():
    """Each test starts with empty key slots and ends with none taken by surprise."""
    p11crypto.test_source()
    p11crypto.test_reset()
    surprises = []
    original = api.unexpected
    api.unexpected = surprises.append
    yield surprises
    api.unexpected = original
    assert not surprises, "exceptions that no code foresaw: %r" % surprises


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def store():
    return MemoryStore()


@pytest.fixture
def make_token(store, clock):
    """Make a Token as after power-on over the same store."""

    def make(**choices):
        choices.setdefault("iterations", 50)
        return Token(Pal(store), Settings(clock=clock, **choices))

    return make


@pytest.fixture
def token(make_token):
    return make_token()


@pytest.fixture
def app(token):
    application = Application(token)
    application.C_Initialize()
    return application


@pytest.fixture
def session(app):
    """A read/write session in which the user is logged in."""
    handle = app.C_OpenSession(1, CKF_SERIAL_SESSION | CKF_RW_SESSION)
    app.C_Login(handle, CKU_USER, b"0000")
    return handle


@pytest.fixture
def open_session(app):
    """A read/write session without login."""
    return app.C_OpenSession(1, CKF_SERIAL_SESSION | CKF_RW_SESSION)


@pytest.fixture
def officer(app):
    """A session of the security officer (PIN "12345678") on an initialised token."""
    app.C_InitToken(1, b"12345678", b"mine")
    handle = app.C_OpenSession(1, CKF_SERIAL_SESSION | CKF_RW_SESSION)
    app.C_Login(handle, CKU_SO, b"12345678")
    return handle


@pytest.fixture
def restart(make_token):
    """Power off and on: a new Application on a new Token over the same store."""

    def again(**choices):
        p11crypto.test_reset()
        application = Application(make_token(**choices))
        application.C_Initialize()
        return application

    return again


@pytest.fixture
def pair(app, session):
    """Handles of a generated pair: (public, private)."""
    return generate(app, session)


@pytest.fixture
def public(pair):
    return pair[0]


@pytest.fixture
def private(pair):
    return pair[1]
