# SPDX-License-Identifier: MIT
"""The PIN that a chip with a device secret makes itself."""

import p11crypto
import pytest

from pkcs11 import device_pin, keys
from pkcs11.application import Application
from pkcs11.errors import P11Error


@pytest.fixture
def secret():
    p11crypto.test_source(secret=bytes(range(32)))
    yield
    p11crypto.test_source(secret=b"")


def test_a_chip_without_a_device_secret_has_no_pin_of_its_own():
    with pytest.raises(P11Error, match="CKR_FUNCTION_NOT_SUPPORTED"):
        device_pin.get()


def test_the_chips_pin_opens_the_token_and_the_old_one_no_longer(secret, token):
    def make_app():
        return Application(token)

    old = bytearray(b"0000")
    device_pin.adopt(old, make_app())
    assert old == bytes(4)
    with keys.Token(make_app(), device_pin.get()):
        pass
    with pytest.raises(P11Error, match="CKR_PIN_INCORRECT"):
        keys.Token(make_app(), bytearray(b"0000"))
    p11crypto.test_source(secret=bytes(32))
    with pytest.raises(P11Error, match="CKR_PIN_INCORRECT|CKR_FUNCTION_FAILED"):
        keys.Token(make_app(), device_pin.get())


def test_a_core_without_the_function_has_no_pin_of_its_own(monkeypatch):
    monkeypatch.delattr(p11crypto, "device_pin")
    with pytest.raises(P11Error, match="CKR_FUNCTION_NOT_SUPPORTED"):
        device_pin.get()
