# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""The layer over a p11crypto, a port or a Python that has less: it offers less and says so."""

import importlib.util
import sys
import types

import p11crypto
import pytest
from token_kit import *

from pkcs11 import api, mechanisms, rpc, rpc_dispatch


def copy_of(module):
    """Run a module's source once more, on the side, and return the copy."""
    spec = importlib.util.spec_from_file_location(module.__name__, module.__file__)
    copy = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(copy)
    return copy


def test_without_aes_the_calls_that_encrypt_are_not_offered(app, session, monkeypatch):
    monkeypatch.delattr(p11crypto, "Aes")
    try:
        api._attach()
        for name in ("C_EncryptInit", "C_Encrypt", "C_DecryptFinal"):
            with raises(CKR_FUNCTION_NOT_SUPPORTED):
                getattr(app, name)(session)
        assert CKM_AES_CBC_PAD not in copy_of(mechanisms).NUMBERS
    finally:
        monkeypatch.undo()
        api._attach()


def test_a_core_with_p256_only_says_so_in_its_mechanisms(monkeypatch):
    real = p11crypto.ec_check

    def ec_check(curve, point):
        if curve != p11crypto.P256:
            raise ValueError("curve")
        return real(curve, point)

    monkeypatch.setattr(p11crypto, "ec_check", ec_check)
    small = copy_of(mechanisms)
    assert small.CURVES == (1,)
    assert small.BY_TYPE[CKM_ECDSA][mechanisms.MAX] == 256
    assert mechanisms.BY_TYPE[CKM_ECDSA][mechanisms.MAX] == 384


def test_without_sealing_of_values_there_are_no_private_data_objects(app, session, monkeypatch):
    monkeypatch.delattr(p11crypto, "seal_bytes")
    for private, code in ((True, CKR_TEMPLATE_INCONSISTENT), (False, CKR_OK)):
        template = [(CKA_CLASS, CKO_DATA), (CKA_PRIVATE, private)]
        if code == CKR_OK:
            app.C_CreateObject(session, template)
        else:
            with raises(code):
                app.C_CreateObject(session, template)


def test_without_slots_for_secrets_there_are_no_secret_keys(app, session, monkeypatch):
    monkeypatch.delattr(p11crypto, "secret_import")
    template = [(CKA_CLASS, CKO_SECRET_KEY), (CKA_KEY_TYPE, CKK_AES), (CKA_VALUE, bytes(16))]
    with raises(CKR_ATTRIBUTE_VALUE_INVALID):
        app.C_CreateObject(session, template)


def test_struct_of_micropython_has_no_error_of_its_own(monkeypatch):
    import struct

    lean = types.ModuleType("struct")
    for name in ("pack", "pack_into", "unpack_from", "calcsize"):
        setattr(lean, name, getattr(struct, name))
    monkeypatch.setitem(sys.modules, "struct", lean)
    assert copy_of(rpc_dispatch).StructError is ValueError
    monkeypatch.undo()
    assert copy_of(rpc_dispatch).StructError is struct.error


@pytest.mark.parametrize("board", [None, "A_BOARD"])
def test_the_name_that_a_server_gives_itself(monkeypatch, board):
    known = board and types.SimpleNamespace(BOARD=board, VERSION="1.2.3")
    monkeypatch.setitem(sys.modules, "buildinfo", known)
    assert rpc.name() == (b"A_BOARD 1.2.3" if board else b"PKCS#11 token")
