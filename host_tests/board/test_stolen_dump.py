# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405
"""A stolen copy of the flash chip: what it contains, and what a thief opens with it (THREATS, A4)."""

import os

import p11crypto
import pytest
from dump_attack import attack, carve, forms
from flashsim import Flash, Geometry

from p11board import flashmap
from pal.flash import ZERO_ANY
from pal.pal import Pal
from pal.store import Store
from pkcs11.application import Application
from pkcs11.const import *
from pkcs11.settings import Settings
from pkcs11.token import Token

PIN = b"pepper-4711"
# What everybody tries first, and the default PIN: none of them is the PIN.
COMMON = [
    b"0000",
    b"1234",
    b"123456",
    b"12345678",
    b"password",
    b"pepper",
    b"4711",
    b"pepper-4712",
]


@pytest.fixture
def chip(emulated, tmp_path):
    """dump(): the bytes of the chip after the board was switched off; then it is on again."""

    def dump():
        emulated.emulator.stop()
        data = emulated.emulator.flash.read_bytes()
        emulated.start()
        return data

    return emulated, dump


def region_of(dump):
    return dump[flashmap.KEYS.offset : flashmap.KEYS.end]


def test_a_dump_holds_nothing_that_opens_without_the_pin(chip):
    board, dump = chip
    scalar = os.urandom(31).rjust(32, b"\1")
    run = {"class": "private key", "value": scalar.hex(), "label": "stolen", "pin": "0000"}
    with board.connected() as link:
        link.request("import", **run)
    open_dump = dump()
    opened = attack(region_of(open_dump), [b"0000"])
    assert opened and opened.keys == [scalar]  # default mode protects nothing, as THREATS says

    with board.connected() as link:
        link.request("set_pin", pin="0000", new_pin=PIN.decode())
    closed = dump()
    assert attack(region_of(closed), COMMON) is None
    opened = attack(region_of(closed), [*COMMON, PIN])
    assert opened and opened.keys == [scalar] and opened.pin == PIN  # the tool does work
    wraps, _ = carve(region_of(closed))
    assert {wrap.iterations for wrap in wraps} == {10000}  # no old, weaker wrap is left
    for secret in (scalar, PIN, opened.master):
        for form in forms(secret):
            assert form not in closed, form


class Held:
    """A token over simulated flash, of a chip with a device secret."""

    def __init__(self, secret):
        p11crypto.test_reset()
        p11crypto.test_source(secret=secret)
        self.flash = Flash(Geometry(1, 4096, 16, ZERO_ANY, 256))
        store = Store(self.flash, p11crypto.random)
        self.app = Application(Token(Pal(store), Settings(iterations=50)))
        self.app.C_Initialize()

    def fill(self, value):
        """A key of this value under PIN."""
        self.app.C_InitToken(1, bytearray(b"12345678"), b"held")
        session = self.app.C_OpenSession(1, 6)
        self.app.C_Login(session, CKU_SO, bytearray(b"12345678"))
        self.app.C_InitPIN(session, bytearray(PIN))
        self.app.C_Logout(session)
        self.app.C_Login(session, CKU_USER, bytearray(PIN))
        template = [(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_KEY_TYPE, CKK_EC), (CKA_TOKEN, True)]
        template += [(CKA_EC_PARAMS, bytes.fromhex("06082a8648ce3d030107")), (CKA_VALUE, value)]
        self.app.C_CreateObject(session, template)
        return bytes(self.flash.data)


def test_with_a_device_secret_the_pin_alone_opens_nothing():
    device, scalar = os.urandom(32), os.urandom(31).rjust(32, b"\1")
    dump = Held(device).fill(scalar)
    p11crypto.test_source()
    p11crypto.test_reset()
    assert attack(dump, [PIN, b"12345678"]) is None
    assert attack(dump, [PIN], os.urandom(32)) is None
    assert attack(dump, [PIN], device).keys == [scalar]
