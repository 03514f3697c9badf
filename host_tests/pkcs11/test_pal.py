# SPDX-License-Identifier: MIT
"""The guide's PKCS11_PAL_ functions, by name, over the store on simulated flash (facts §2)."""

import os

import pytest
from flashsim import Flash, Geometry
from token_kit import ec_key, guide_private, log_in, scalar

from pal import pal
from pal.flash import ZERO_ANY
from pal.pal import Pal
from pal.store import Store
from pkcs11.application import Application
from pkcs11.token import Token

LABELS = (
    b"Device Priv TLS Key",
    b"Device Pub TLS Key",
    b"Device Cert",
    b"Code Verify Key",
    b"HMAC Key",
    b"CMAC Key",
    b"Claim Key",
    b"Claim Cert",
    b"JITP Cert",
    b"Root Cert",
)


@pytest.fixture
def flash():
    return Flash(Geometry(1, 4096, 4, ZERO_ANY, 256))


def fill(buffer):
    buffer[:] = os.urandom(len(buffer))


@pytest.fixture
def power_up(flash):
    """Make a Pal over the flash the one that the functions use."""

    def up():
        pal.use(Pal(Store(flash, fill)))
        assert pal.PKCS11_PAL_Initialize() == 0

    yield up
    pal.use(None)


def value_of(handle):
    rv, value, size, private = pal.PKCS11_PAL_GetObjectValue(handle)
    assert rv == 0 and size == len(value)
    return bytes(value), private


def test_the_guides_objects_survive_power_off(power_up):
    power_up()
    handles = {}
    for number, label in enumerate(LABELS):
        handles[label] = pal.PKCS11_PAL_SaveObject(label, bytes((number,)) * (100 + number))
        assert handles[label] > 0
    assert len(set(handles.values())) == len(LABELS)
    power_up()
    for number, label in enumerate(LABELS):
        assert pal.PKCS11_PAL_FindObject(label) == handles[label]
        value, private = value_of(handles[label])
        assert value == bytes((number,)) * (100 + number)
        assert private == (b"Priv" in label or label in (b"HMAC Key", b"CMAC Key", b"Claim Key"))


@pytest.mark.parametrize("size", [0, 1, 254, 255])
def test_any_label(power_up, size):
    power_up()
    label = bytes(range(256))[:size]
    handle = pal.PKCS11_PAL_SaveObject(label, b"value")
    assert handle and pal.PKCS11_PAL_FindObject(label) == handle
    assert value_of(handle) == (b"value", False)


@pytest.mark.parametrize("size", [256, 4096])
def test_labels_that_are_too_long(power_up, size):
    power_up()
    assert pal.PKCS11_PAL_SaveObject(bytes(size), b"value") == 0
    assert pal.PKCS11_PAL_FindObject(bytes(size)) == 0


def test_labels_are_compared_by_length_and_bytes(power_up):
    power_up()
    handle = pal.PKCS11_PAL_SaveObject(b"Device Cert and more", b"value", None)
    assert pal.PKCS11_PAL_FindObject(b"Device Cert") == 0
    assert pal.PKCS11_PAL_FindObject(b"Device Cert and more\0") == 0
    assert pal.PKCS11_PAL_FindObject(b"Device Cert and more, cut here", 20) == handle


def test_saving_again_replaces(power_up):
    power_up()
    first = pal.PKCS11_PAL_SaveObject(b"Device Cert", b"one")
    assert pal.PKCS11_PAL_SaveObject(b"Device Cert", b"two, longer", 3) == first
    assert value_of(first) == (b"two", False)


def test_after_destroy_nothing_is_found(power_up, flash):
    power_up()
    handle = pal.PKCS11_PAL_SaveObject(b"Device Priv TLS Key", b"the private bytes")
    assert b"the private bytes" in bytes(flash.data)
    assert pal.PKCS11_PAL_DestroyObject(handle) == 0
    assert pal.PKCS11_PAL_FindObject(b"Device Priv TLS Key") == 0
    assert pal.PKCS11_PAL_GetObjectValue(handle)[0] == 0x82
    assert pal.PKCS11_PAL_DestroyObject(handle) == 0x82
    assert b"the private bytes" not in bytes(flash.data)


@pytest.mark.parametrize("handle", [0, 1, 0x10, 0x100, 0xFFFF, -1, None, b"", "x"])
def test_handles_that_are_none(power_up, handle):
    power_up()
    pal.PKCS11_PAL_SaveObject(b"label", b"")
    pal.PKCS11_PAL_DestroyObject(pal.PKCS11_PAL_FindObject(b"label"))
    assert pal.PKCS11_PAL_GetObjectValue(handle) == (0x82, None, 0, True)
    assert pal.PKCS11_PAL_DestroyObject(handle) == 0x82


def test_cleanup_wipes(power_up):
    power_up()
    handle = pal.PKCS11_PAL_SaveObject(b"HMAC Key", b"secret")
    value = pal.PKCS11_PAL_GetObjectValue(handle)[1]
    pal.PKCS11_PAL_GetObjectValueCleanup(value, len(value))
    assert bytes(value) == bytes(6)
    pal.PKCS11_PAL_GetObjectValueCleanup(None)


def test_what_does_not_fit_is_refused_and_the_rest_stays(power_up):
    power_up()
    kept = pal.PKCS11_PAL_SaveObject(b"kept", b"value")
    assert pal.PKCS11_PAL_SaveObject(b"too big", bytes(20000)) == 0
    count = 0
    while pal.PKCS11_PAL_SaveObject(b"%d" % count, bytes(1000)):
        count += 1
    assert 3 < count < 16 and value_of(kept) == (b"value", False)


def test_a_region_that_is_not_ours_is_refused_and_left_alone(flash):
    flash.data[:4096] = os.urandom(4096)
    before = bytes(flash.data)
    pal.use(Pal(Store(flash, fill)))
    try:
        assert pal.PKCS11_PAL_Initialize() == 0x06
        assert str(pal.board().error)
        assert bytes(flash.data) == before
    finally:
        pal.use(None)


def test_cryptoki_objects_are_found_and_their_private_value_is_ciphertext(power_up):
    power_up()
    app = Application(Token(pal.board()))
    app.C_Initialize()
    session = log_in(app)
    key = ec_key()
    app.C_CreateObject(session, guide_private(key))
    handle = pal.PKCS11_PAL_FindObject(b"Device Priv TLS Key")
    value, private = value_of(handle)
    assert private and scalar(key) not in value


def test_objects_of_the_guides_pal_are_not_cryptoki_objects(power_up):
    power_up()
    pal.PKCS11_PAL_SaveObject(b"raw", b"bytes")
    app = Application(Token(pal.board()))
    app.C_Initialize()
    session = app.C_OpenSession(1, 6)
    app.C_FindObjectsInit(session, [])
    assert app.C_FindObjects(session, 9) == []
