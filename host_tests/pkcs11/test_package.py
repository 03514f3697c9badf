# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the kit, with its fixture)
"""The package pkcs11 itself: its short way to keys, its names."""

import pytest
from hostlink_kit import *
from token_kit import DIGEST, verifies

import pkcs11
from pkcs11 import hostlink, hostlink_info
from pkcs11.errors import P11Error
from pkcs11.settings import Settings


def test_the_short_way_generates_signs_verifies_and_finds():
    with pkcs11.open(pin="0000") as token:
        public, private = token.generate("key", "pub", b"\x01")
        signature = private.sign(DIGEST)
        assert public.verify(DIGEST, signature) and not public.verify(bytes(32), signature)
        assert not public.verify(DIGEST, b"short") and private.id == b"\x01"
        assert verifies(public.point, DIGEST, signature)
        assert token.public_key(b"pub").sign_der is not None
        assert private.sign_der(DIGEST)[0] == 0x30
        cert = token.add_certificate("cert", CERT)
        assert token.certificate("cert").value == CERT and cert.get(pkcs11.CKA_TOKEN)
        assert len(token.random(5)) == 5
        cert.destroy()
        with pytest.raises(P11Error):
            token.certificate("cert")
        with pytest.raises(P11Error):
            public.verify(b"", bytes(64))
    with pytest.raises(P11Error):
        pkcs11.open(pin="9999")
    with pkcs11.open() as token:
        assert len(token.find()) == 1


def test_the_package_has_the_names_of_the_standard_and_no_others():
    assert pkcs11.CKA_LABEL == 3 and pkcs11.hostlink is hostlink
    for name in ("nonsense", "_hidden", "CKA_NONSENSE"):
        with pytest.raises(AttributeError):
            getattr(pkcs11, name)
    assert Settings().iterations == 10000 and hostlink_info.FLAGS[0x400] == "TOKEN_INITIALIZED"
