# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""The token over the real store on simulated flash, and power cuts in the middle of its calls."""

import os
import random
import types

import p11crypto
import pytest
from flashsim import Flash, Geometry
from flashtear import COMPLETE, COMPLETE_WEAK, HALF, NOT_STARTED, PREFIX
from token_kit import *

from pal.flash import ZERO_ANY, ZERO_NONE
from pal.pal import Pal
from pal.store import Store
from pkcs11.application import Application
from pkcs11.hostlink_switch import switch
from pkcs11.settings import Settings
from pkcs11.token import Token

KEY = ec_key()
CERT = certificate(KEY)
GEOMETRIES = (Geometry(1, 4096, 4, ZERO_ANY, 256), Geometry(32, 8192, 3, ZERO_NONE, 32))


def fill(buffer):
    buffer[:] = os.urandom(len(buffer))


class Board:
    """A flash and whatever was last powered up on it."""

    def __init__(self, geometry):
        self.flash = Flash(geometry)
        self.limits = (10, 15)

    def power_up(self):
        """Return an initialised Application on a new Token."""
        p11crypto.test_reset()
        self.now = 0
        settings = Settings(iterations=3, limits=self.limits, clock=lambda: self.now)
        app = Application(Token(Pal(Store(self.flash, fill)), settings))
        app.C_Initialize()
        app.token.keyring._delay = lambda role: 0  # time passes
        return app


@pytest.fixture(params=GEOMETRIES, ids=repr)
def board(request):
    return Board(request.param)


def contents(app, pin=b"0000"):
    """Log in; return what is there as {(class, label): value or None}, each key having signed."""
    session = log_in(app, pin)
    found = {}
    for handle in find(app, session):
        object_class, label = get(app, session, handle, CKA_CLASS, CKA_LABEL)
        value = None
        if object_class in (CKO_CERTIFICATE, CKO_DATA):
            value = get(app, session, handle, CKA_VALUE)
        elif object_class == CKO_PUBLIC_KEY:
            value = get(app, session, handle, CKA_EC_POINT)
        else:
            app.C_SignInit(session, CKM_ECDSA, handle)
            point = get(app, session, handle, CKA_EC_POINT)
            assert verifies(point[2:], DIGEST, app.C_Sign(session, DIGEST))
            value = point
        found[(object_class, label)] = value
    app.C_Finalize()
    return found


def test_the_guides_objects_survive_power_off(board):
    app = board.power_up()
    session = log_in(app)
    generate(app, session)
    app.C_CreateObject(session, guide_certificate(CERT))
    app.C_CreateObject(session, guide_public(KEY, b"Code Verify Key"))
    app.C_CreateObject(session, guide_private(KEY, b"imported"))
    before = contents_of(app, session)
    for _ in range(3):
        assert contents(board.power_up()) == before
    assert scalar(KEY) not in bytes(board.flash.data)


def contents_of(app, session):
    """What contents() will say, without logging in again."""
    found = {}
    for handle in find(app, session):
        object_class, label = get(app, session, handle, CKA_CLASS, CKA_LABEL)
        value = CKA_EC_POINT if object_class >= CKO_PUBLIC_KEY else CKA_VALUE
        found[(object_class, label)] = get(app, session, handle, value)
    return found


def test_a_destroyed_key_leaves_no_ciphertext(board):
    app = board.power_up()
    session = log_in(app)
    handle = app.C_CreateObject(session, guide_private(KEY))
    sealed = app.object(handle).tail
    app.C_DestroyObject(session, handle)
    assert sealed not in bytes(board.flash.data)


def test_old_wraps_are_gone_after_set_pin_and_init_token(board):
    app = board.power_up()
    session = log_in(app)
    old = app.token.keyring._read_wrap(0)[4]
    app.C_SetPIN(session, b"0000", b"654321")
    assert old not in bytes(board.flash.data)
    old = app.token.keyring._read_wrap(0)[4]
    app.C_CloseSession(session)
    app.C_InitToken(1, b"12345678", b"")
    assert old not in bytes(board.flash.data)


# --- power cuts --------------------------------------------------------------------------------


def cuts(board, action, variants=(NOT_STARTED, PREFIX, HALF, COMPLETE, COMPLETE_WEAK)):
    """Do action(); then yield for each flash operation in it and each way it can be torn."""
    rng = random.Random(7)
    board.flash.trace = []
    action()
    trace, board.flash.trace = board.flash.trace, None
    assert trace
    for entry in trace:
        for variant in variants:
            board.flash.tear(entry, variant, rng)
            board.flash.boot(rng)
            yield


def before_and_after(board, act, pins=(b"0000", b"0000")):
    """Cut everywhere in act(app, session): afterwards there is the old or the new state."""
    app = board.power_up()
    session = log_in(app, pins[0])
    old = contents_of(app, session)
    new = {}

    def action():
        act(app, session)
        new.update(contents_of(app, session))

    seen = set()
    for _ in cuts(board, action):
        again = board.power_up()
        try:
            state = contents(again, pins[0])
        except P11Error as error:
            assert error.ckr == CKR_PIN_INCORRECT and pins[0] != pins[1]
            again.C_Finalize()
            state = contents(board.power_up(), pins[1])
        assert state in (old, new)
        seen.add(state == new)
    assert seen == {False, True} or old == new


def test_a_cut_during_key_generation_leaves_no_pair_or_a_whole_one(board):
    before_and_after(board, lambda app, session: generate(app, session))


def test_a_cut_during_an_import(board):
    app = board.power_up()
    app.C_CreateObject(log_in(app), guide_certificate(CERT))
    before_and_after(board, lambda a, session: a.C_CreateObject(session, guide_private(KEY)))


def test_a_cut_while_an_object_is_destroyed(board):
    app = board.power_up()
    generate(app, log_in(app))

    def act(app, session):
        app.C_DestroyObject(session, find(app, session, (CKA_CLASS, CKO_PRIVATE_KEY))[0])

    before_and_after(board, act)


def test_a_cut_while_an_attribute_changes(board):
    app = board.power_up()
    app.C_CreateObject(log_in(app), guide_private(KEY))

    def act(app, session):
        app.C_SetAttributeValue(session, find(app, session)[0], [(CKA_LABEL, b"new label")])

    before_and_after(board, act)


def test_a_cut_while_an_identity_is_switched_leaves_the_old_one_or_the_new_one(board):
    app = board.power_up()
    session = log_in(app)
    for number, label in enumerate((b"key", b"next")):
        generate(app, session, *guide_pair(label, label))
        app.C_CreateObject(session, guide_certificate(certificate(ec_key(), str(number)), label))

    def act(app, session):
        token = types.SimpleNamespace(app=app, session=session)
        classes = ("private key", "public key", "certificate")
        moves = [[name, "next", "key"] for name in classes]
        assert switch(token, {"moves": moves}) == {"moved": 3, "gone": 3}

    before_and_after(board, act)


def test_a_cut_while_the_pin_changes_leaves_one_of_the_two(board):
    app = board.power_up()
    generate(app, log_in(app))
    before_and_after(
        board, lambda a, s: a.C_SetPIN(s, b"0000", b"654321"), pins=(b"0000", b"654321")
    )


def test_a_cut_at_the_very_first_login(board):
    app = board.power_up()
    for _ in cuts(board, lambda: log_in(app)):
        assert contents(board.power_up()) == {}


def test_a_cut_during_init_token_leaves_everything_or_nothing(board):
    app = board.power_up()
    session = log_in(app)
    generate(app, session)
    old = contents_of(app, session)
    app.C_CloseSession(session)
    seen = set()
    initialize = app.C_InitToken
    for _ in cuts(board, lambda: initialize(1, b"12345678", b"new")):
        app = board.power_up()
        if app.C_GetTokenInfo(1).label == b"new":
            session = log_in(app, b"12345678", CKU_SO)
            assert find(app, session) == []
            app.C_InitPIN(session, b"4321")
            app.C_Logout(session)
            app.C_Login(session, CKU_USER, b"4321")
            assert find(app, session) == []
            seen.add("new")
        else:
            assert contents(app) == old
            seen.add("old")
    assert seen == {"old", "new"}


class PowerCut(BaseException):
    """The power went in the middle of a flash operation."""


class Dying:
    """A flash whose power goes at the n-th operation, which is torn; nothing works after it."""

    def __init__(self, flash, operations, rng):
        self.flash = flash
        self.caps = flash.caps
        self.read = flash.read
        self.raw_read = flash.raw_read
        self.left = operations
        self.rng = rng

    def _operate(self, operation, *args):
        if self.left == 0:
            self.flash.trace = []
            operation(*args)
            (entry,) = self.flash.trace
            variant = self.rng.choice((NOT_STARTED, PREFIX, HALF, COMPLETE, COMPLETE_WEAK))
            self.flash.tear(entry, variant, self.rng)
            self.flash.trace = None
        self.left -= 1
        if self.left < 0:
            raise PowerCut
        operation(*args)

    def program(self, offset, buf):
        self._operate(self.flash.program, offset, buf)

    def erase(self, sector):
        self._operate(self.flash.erase, sector)


def test_cuts_give_no_more_comparisons_than_the_limit(board, monkeypatch):
    """Whatever power cuts an attacker makes, and wherever: wrong PINs looked at are counted."""
    board.limits = (3, 3)
    app = board.power_up()
    log_in(app)
    app.C_Finalize()
    start = board.flash.snapshot()
    compared = []
    real = p11crypto.master_unwrap

    def unwrap(*args):
        compared.append(args)
        return real(*args)

    monkeypatch.setattr(p11crypto, "master_unwrap", unwrap)
    rng = random.Random(11)
    flash = board.flash
    locked = 0
    for _ in range(40):
        flash.restore(start)
        compared.clear()
        for _ in range(40):
            flash.boot(rng)
            board.flash = Dying(flash, rng.randrange(8), rng)
            try:
                app = board.power_up()
                session = app.C_OpenSession(1, RW)
                while True:
                    try:
                        app.C_Login(session, CKU_USER, b"9999")
                    except P11Error as error:
                        if error.ckr != CKR_PIN_INCORRECT:
                            assert error.ckr == CKR_PIN_LOCKED
                            locked += 1
                            break
            except PowerCut:
                pass
            assert len(compared) <= 3
    assert locked > 100


def test_a_right_pin_after_cuts_is_still_right(board):
    """Cuts in successful logins cost at most attempts that were not confirmed."""
    board.limits = (100, 15)
    app = board.power_up()
    log_in(app)
    rng = random.Random(5)
    flash = board.flash
    for _ in range(60):
        flash.boot(rng)
        board.flash = Dying(flash, rng.randrange(8), rng)
        try:
            log_in(board.power_up())
        except PowerCut:
            pass
    board.flash = flash
    app = board.power_up()
    log_in(app)
    assert app.token.keyring.tries_left(0) == app.token.keyring.limits[0]


def test_a_worn_out_token_says_write_protected_and_loses_nothing():
    board = Board(GEOMETRIES[0])
    app = board.power_up()
    session = log_in(app)
    app.C_CreateObject(session, guide_certificate(CERT))
    generate(app, session)
    before = contents_of(app, session)
    board.flash.worn_at = 12
    with raises(CKR_TOKEN_WRITE_PROTECTED):
        for _ in range(5000):
            app.C_Logout(session)
            app.C_Login(session, CKU_USER, b"0000")
    assert app.C_GetTokenInfo(1).flags & CKF_WRITE_PROTECTED
    app = board.power_up()
    assert app.C_GetTokenInfo(1).flags & CKF_WRITE_PROTECTED
    session = app.C_OpenSession(1, CKF_SERIAL_SESSION | CKF_RW_SESSION)
    public = {name: value for name, value in before.items() if name[0] != CKO_PRIVATE_KEY}
    assert contents_of(app, session) == public
    with raises(CKR_TOKEN_WRITE_PROTECTED):
        app.C_Login(session, CKU_USER, b"0000")
