# SPDX-License-Identifier: MIT
"""JSON commands about the board itself: stored seed, factory reset, odd requests and objects."""

import io
import json
import sys
import types

import p11crypto
import pytest
from flashsim import Flash, Geometry
from token_kit import certificate, ec_key, point, wrapped

import pkcs11
from pal import nv_seed
from pal.flash import ZERO_ANY
from pal.pal import Pal
from pal.store import Store, StoreError
from pkcs11 import hostlink, hostlink_objects, keys
from pkcs11.application import Application
from pkcs11.const import *  # noqa: F403
from pkcs11.der import OID_P384
from pkcs11.errors import P11Error
from pkcs11.settings import Settings
from pkcs11.token import Token

KEY = ec_key()
SEED = bytes(range(64))


@pytest.fixture
def flash():
    return Flash(Geometry(1, 4096, 16, ZERO_ANY, 256))


@pytest.fixture
def power_up(monkeypatch, flash):
    """Make this board's token as after power-on; returns it."""
    geometry = types.SimpleNamespace(
        BOARD="TEST_BOARD", ENTROPY="the host's", FLASH_MAP={"keys": (0, 0x10000)}
    )
    monkeypatch.setitem(sys.modules, "geometry", geometry)

    def again():
        p11crypto.test_reset()
        pal = (
            nv_seed.seeded_pal(flash) if nv_seed.needed() else Pal(Store(flash, p11crypto.random))
        )
        token = Token(pal, Settings(iterations=3, clock=lambda: 1000))
        monkeypatch.setattr(pkcs11, "_token", token)
        return token

    again()
    return again


@pytest.fixture(autouse=True)
def powered(power_up):
    return power_up


def ask(cmd, **fields):
    return hostlink.answer(dict(fields, cmd=cmd))


def ask_as_user(cmd, **fields):
    return ask(cmd, pin="0000", **fields)


def import_it(name, label, value):
    answer = ask_as_user("import", **{"class": name, "label": label, "value": value.hex()})
    assert "handle" in answer, answer


# --- stored seed --------------------------------------------------------------------------------


@pytest.fixture
def no_source(power_up):
    """The board again, without a source of its own."""
    p11crypto.test_no_source()
    yield power_up()
    p11crypto.test_no_source(False)


def test_a_board_with_a_source_takes_no_seed():
    answer = ask("seed", value=SEED.hex())
    assert answer["error"] == "not needed"


def test_a_board_without_a_source_says_so_and_takes_a_seed(no_source):
    entropy = ask("info")["entropy"]
    assert entropy["source"].startswith("none") and entropy["seed"]["generation"] == 0
    assert ask("random", length=4)["error"] == "CKR_DEVICE_ERROR"
    assert ask("seed", value=SEED.hex())["generation"] == 1
    assert len(ask("random", length=4)["value"]) == 8
    assert ask("info")["entropy"]["seed"]["generation"] == 1
    assert ask("seed", value=SEED.hex())["generation"] == 2


def test_a_seed_that_cannot_be_stored(no_source, monkeypatch):
    def full(*args):
        raise StoreError(StoreError.FULL)

    monkeypatch.setattr("pal.nv_seed.nv_seed_write", full)
    assert ask("seed", value=SEED.hex())["error"] == "CKR_DEVICE_ERROR"


@pytest.mark.parametrize("value", ["", "00", "zz" * 64, SEED[:63].hex(), 5, None])
def test_seeds_that_are_none(no_source, value):
    answer = ask("seed", value=value)
    assert (
        answer["error"] in ("CKR_ARGUMENTS_BAD", "CKR_DEVICE_ERROR") and "generation" not in answer
    )


# --- factory reset ------------------------------------------------------------------------------


def test_a_reset_says_first_what_it_would_destroy(power_up, flash):
    ask_as_user("keygen", label="key")
    import_it("certificate", "c", certificate(KEY))
    assert ask("factory_reset") == {"done": False, "recognised": True, "objects": 3}
    assert ask("factory_reset", yes="yes")["done"] is False
    assert len(ask_as_user("objects")["objects"]) == 3
    assert ask("factory_reset", yes=True) == {"done": True, "recognised": True, "objects": 3}
    assert ask("objects", pin="0000") == {"objects": []}
    power_up()
    assert ask("objects", pin="0000") == {"objects": []}
    assert certificate(KEY) not in flash.data


def test_a_reset_is_refused_while_the_boards_program_has_a_session(powered):
    app = Application(pkcs11.board_token)
    app.C_Initialize()
    app.C_OpenSession(1, CKF_SERIAL_SESSION)  # noqa: F405
    assert ask("factory_reset", yes=True)["error"] == "CKR_SESSION_EXISTS"
    app.C_Finalize()
    assert ask("factory_reset", yes=True)["done"] is True


def test_a_region_that_is_not_ours_is_formatted_by_a_reset_only(power_up, flash):
    flash.data[:2800] = b"something else, not a store " * 100
    power_up()
    assert ask("info")["store"]["error"]
    answer = ask("factory_reset")
    assert answer["recognised"] is False and answer["objects"] is None and not answer["done"]
    assert ask("factory_reset", yes=True)["done"] is True
    assert ask_as_user("keygen", label="key")["id"]


def test_a_reset_that_the_flash_refuses(monkeypatch):
    def broken(self):
        raise StoreError(StoreError.IO)

    monkeypatch.setattr(Store, "factory_reset", broken)
    assert ask("factory_reset", yes=True)["error"] == "CKR_DEVICE_ERROR"
    monkeypatch.undo()


# --- odd requests and objects -------------------------------------------------------------------


def test_a_label_can_be_chosen_without_a_user_pin():
    assert ask("init", so_pin="12345678", label="mine") == {"label": "mine"}
    assert ask("info")["token"]["label"] == "mine"
    assert ask("init", so_pin="12345678")["label"] == ""


@pytest.mark.parametrize("value", ["0", "abc", "zz", "é1"])
def test_values_that_are_no_bytes(value):
    assert ask("digest", value=value)["error"] == "CKR_ARGUMENTS_BAD"


def test_a_line_that_is_too_long_is_thrown_away_whole(monkeypatch, capsys):
    line = b'{"cmd": "random", "length": 2' + b" " * hostlink.line_room() + b"}\nnext"
    stream = io.BytesIO(line)
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=stream))
    hostlink.serve_line()
    assert json.loads(capsys.readouterr().out)["error"] == "CKR_ARGUMENTS_BAD"
    assert stream.read() == b"next"


def test_reading_without_a_class_takes_the_first_of_that_label():
    der = certificate(KEY)
    import_it("certificate", "both", der)
    import_it("public key", "both", point(KEY))
    answer = ask("read", label="both")
    assert answer["class"] == "certificate" and answer["value"] == der.hex()
    assert ask("read", label="both", **{"class": "public key"})["value"] == point(KEY).hex()
    assert ask("read", label="nobody")["error"] == "CKR_OBJECT_HANDLE_INVALID"
    assert (
        ask("read", label="both", **{"class": "secret key"})["error"]
        == "CKR_OBJECT_HANDLE_INVALID"
    )


def test_more_objects_of_a_label_than_one_transaction_can_replace(powered):
    app = Application(pkcs11.board_token)
    app.C_Initialize()
    session = app.C_OpenSession(1, CKF_SERIAL_SESSION | CKF_RW_SESSION)  # noqa: F405
    app.C_Login(session, CKU_USER, b"0000")  # noqa: F405
    template = [(CKA_CLASS, CKO_DATA), (CKA_TOKEN, True), (CKA_LABEL, b"many")]  # noqa: F405
    for _ in range(hostlink_objects.GROUP + 1):
        app.C_CreateObject(session, template)
    app.C_Finalize()
    request = {"class": "data", "label": "many", "value": "00", "replace": True}
    answer = ask_as_user("import", **request)
    assert answer["error"].endswith("objects to replace") and answer["hint"]
    assert ask_as_user("destroy", label="many", **{"class": "data"}).get("error") is None
    assert "handle" in ask_as_user("import", **request)


def test_a_failure_while_looking_is_told_and_not_taken_for_nothing_found(monkeypatch):
    import_it("certificate", "c", certificate(KEY))

    def broken(*args):
        raise StoreError(StoreError.IO)

    with monkeypatch.context() as patch:
        patch.setattr(Token, "find", broken)
        assert ask("read", label="c")["error"] == "CKR_DEVICE_ERROR"
        assert ask("read", label="c", **{"class": "data"})["error"] == "CKR_DEVICE_ERROR"

    def unreadable(self, *types):
        if types == (CKA_ID,):  # noqa: F405
            raise P11Error(CKR_DEVICE_ERROR)  # noqa: F405
        return real(self, *types)

    real = keys.Object.get
    monkeypatch.setattr(keys.Object, "get", unreadable)
    assert ask("read", label="c")["error"] == "CKR_DEVICE_ERROR"


def test_objects_of_every_kind_are_described(powered):
    token = pkcs11.board_token()
    app = Application(token)
    app.C_Initialize()
    session = app.C_OpenSession(1, CKF_SERIAL_SESSION | CKF_RW_SESSION)  # noqa: F405
    app.C_Login(session, CKU_USER, b"0000")  # noqa: F405
    secret = [
        (CKA_CLASS, CKO_SECRET_KEY),  # noqa: F405
        (CKA_KEY_TYPE, CKK_AES),  # noqa: F405
        (CKA_TOKEN, True),  # noqa: F405
        (CKA_LABEL, b"aes"),  # noqa: F405
        (CKA_VALUE, bytes(16)),  # noqa: F405
    ]
    data = [(CKA_CLASS, CKO_DATA), (CKA_TOKEN, True), (CKA_LABEL, b"note")]  # noqa: F405
    app.C_CreateObject(session, secret)
    app.C_CreateObject(session, [*data, (CKA_VALUE, b"some text")])  # noqa: F405
    found = {each["label"]: each for each in ask_as_user("objects")["objects"]}
    assert found["aes"]["key_type"] == "AES" and "curve" not in found["aes"]
    assert found["note"]["class"] == "data" and "id" not in found["note"]
    assert ask("read", label="note")["value"] == b"some text".hex()
    app.C_Finalize()


def test_names_of_what_this_version_does_not_know():
    assert hostlink_objects._class_name(77) == "0x4d"
    assert hostlink_objects._curve_name(b"junk") == "unknown"
    assert hostlink_objects._curve_name(OID_P384) == "P-384"
    assert wrapped(KEY)[2:] == point(KEY)
