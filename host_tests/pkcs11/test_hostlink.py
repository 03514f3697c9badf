# SPDX-License-Identifier: MIT
"""JSON commands for the host: results, errors with hints, one line per request."""

import io
import json
import sys
import types

import pytest
import rsa_kit
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, utils
from token_kit import DIGEST, certificate, ec_key, point, scalar, sign, verifies

import pkcs11
from pkcs11 import hostlink, hostlink_info
from pkcs11.application import Application
from pkcs11.errors import P11Error
from pkcs11.settings import Settings
from pkcs11.token import Token

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


def test_info_of_a_blank_board_writes_nothing(store):
    answer = ask("info")
    assert answer["board"] == "TEST_BOARD" and answer["firmware"] == "1.2.3-test"
    assert answer["development"] is True and answer["device_secret"] is False
    assert [place["name"] for place in answer["flash"]["map"]] == ["app", "keys"]
    assert answer["flash"]["jedec"] == "ef4019"
    assert answer["entropy"]["source"] == "the host's"
    assert answer["token"]["default_mode"] is True and answer["objects"] == 0
    assert "USER_PIN_TO_BE_CHANGED" in answer["token"]["flags"]
    assert answer["token"]["pins"]["user"] == {
        "set": True,
        "tries_left": 10,
        "limit": 10,
        "wait_seconds": 0,
        "iterations": 0,
    }
    assert "repetition count (11)" in answer["entropy"]["proof"]
    assert answer["token"]["pins"]["so"]["set"] is False
    assert json.loads(json.dumps(answer)) == answer and not store.writes


def test_info_when_the_store_cannot_be_served(store):
    from pal.store import StoreError

    store.fail_mount = StoreError.NEWER
    answer = ask("info")
    assert answer["token"] is None and answer["store"]["error"] == "NEWER"
    assert answer["board"] == "TEST_BOARD"
    assert ask("objects")["error"] == "CKR_FUNCTION_FAILED"


def test_info_on_a_board_without_version_flash_chip_and_login_delay(monkeypatch, clock):
    monkeypatch.setitem(sys.modules, "buildinfo", None)
    monkeypatch.setitem(sys.modules, "rawflash", None)
    assert ask("sign", label="x", digest="00", pin="9999")["error"] == "CKR_PIN_INCORRECT"
    answer = ask("info")
    assert answer["firmware"] == "unknown" and "jedec" not in answer["flash"]
    assert answer["token"]["pins"]["user"]["wait_seconds"] == 1
    assert answer["token"]["pins"]["user"]["tries_left"] == 9


def test_keygen_sign_verify_read_destroy():
    made = ask_as_user("keygen", label="key", public_label="pub", id="0102", curve="P-256")
    assert made["id"] == "0102" and len(made["point"]) == 130
    signature = ask_as_user("sign", label="key", digest=DIGEST.hex())["signature"]
    assert verifies(bytes.fromhex(made["point"]), DIGEST, bytes.fromhex(signature))
    for value, valid in ((signature, True), ("00" * 64, False), (signature[:-2], False)):
        assert ask("verify", label="pub", digest=DIGEST.hex(), signature=value) == {"valid": valid}
    read = ask("read", label="pub")
    assert read == {"class": "public key", "label": "pub", "id": "0102", "value": made["point"]}
    assert ask_as_user("destroy", label="key", **{"class": "private key"}) == {"destroyed": 1}
    assert ask_as_user("destroy", label="key")["error"] == "CKR_OBJECT_HANDLE_INVALID"
    assert ask_as_user("destroy", label="pub") == {"destroyed": 1}


def test_objects():
    ask_as_user("keygen", label="key")
    ask_as_user("import", label="cert", value=CERT.hex(), **{"class": "certificate"})
    ask_as_user("import", label="note", value="00", **{"class": "data"})
    listed = ask_as_user("objects")["objects"]
    assert sorted(entry["class"] for entry in listed) == [
        "certificate",
        "data",
        "private key",
        "public key",
    ]
    key = [entry for entry in listed if entry["class"] == "private key"][0]
    assert key["label"] == "key" and key["key_type"] == "EC" and key["curve"] == "P-256"
    assert key["private"] and key["token"] and key["local"] and key["size"] > 100
    assert len(ask("objects")["objects"]) == 3


def test_damaged_objects_are_listed_and_can_be_destroyed_by_class(store):
    ask_as_user("import", label="cert", value=CERT.hex(), **{"class": "certificate"})
    store.damaged.update(store.find(b"cert"))
    pkcs11._token._cache.clear()
    (entry,) = ask_as_user("objects")["objects"]
    assert entry["class"] == "damaged" and entry["error"] == "CKR_DEVICE_ERROR"


def test_imports():
    for kind, value in (
        ("certificate", CERT),
        ("public key", point(KEY)),
        ("private key", scalar(KEY)),
        ("data", b"any bytes"),
    ):
        answer = ask_as_user("import", label="L", value=value.hex(), **{"class": kind})
        assert answer["handle"] > 0
    assert ask("read", label="L", **{"class": "certificate"})["value"] == CERT.hex()
    assert ask("read", label="L", **{"class": "data"}) == {
        "class": "data",
        "label": "L",
        "value": b"any bytes".hex(),
    }
    private = ask_as_user("read", label="L", **{"class": "private key"})
    assert private["error"] == "CKR_ATTRIBUTE_SENSITIVE" and "value" not in private
    signature = sign(KEY, DIGEST).hex()
    assert ask("verify", label="L", digest=DIGEST.hex(), signature=signature)["valid"]


def test_imports_of_rsa():
    own = rsa_kit.KEY.private_numbers()
    halves = (own.p, own.q, own.dmp1, own.dmq1, own.iqmp)
    value = own.d.to_bytes(256, "big") + b"".join(one.to_bytes(128, "big") for one in halves)
    modulus, fields = rsa_kit.modulus(rsa_kit.KEY).hex(), {"label": "R", "exponent": "010001"}
    public, private = {"class": "public key"}, {"class": "private key"}
    for wrong in (value[:-1], value + b"\0", value[1:] + b"\0", b"", value[:300]):
        answer = ask_as_user("import", value=wrong.hex(), modulus=modulus, **fields, **private)
        assert answer["error"] == "CKR_TEMPLATE_INCONSISTENT" and answer["hint"]
    answer = ask_as_user("import", value=modulus[:-2], **fields, **public)
    assert answer["error"] == "CKR_ATTRIBUTE_VALUE_INVALID"
    assert ask_as_user("objects") == {"objects": []}
    assert ask_as_user("import", value=modulus, **fields, **public)["handle"]
    assert ask_as_user("import", value=value.hex(), modulus=modulus, **fields, **private)["handle"]
    spki = bytes.fromhex(ask("read", label="R", **public)["value"])
    assert serialization.load_der_public_key(spki) == rsa_kit.KEY.public_key()
    assert ask_as_user("read", label="R", **private)["error"].startswith("CKR_ATTRIBUTE")
    signature = ask_as_user("sign", label="R", digest=DIGEST.hex())["signature"]
    algorithm = utils.Prehashed(hashes.SHA256())
    assert signature == rsa_kit.KEY.sign(DIGEST, padding.PKCS1v15(), algorithm).hex()
    assert ask("verify", label="R", digest=DIGEST.hex(), signature=signature)["valid"]
    assert not ask("verify", label="R", digest="00" * 32, signature=signature)["valid"]


def test_import_with_names(token):
    answer = ask_as_user(
        "import",
        label="cert",
        value=CERT.hex(),
        id="07",
        subject="3000",
        issuer="3001",
        serial="020105",
        **{"class": "certificate"},
    )
    assert answer["handle"] and ask("read", label="cert")["id"] == "07"


@pytest.mark.parametrize(
    "kind, value, error",
    [
        ("certificate", CERT[:-1], "CKR_ATTRIBUTE_VALUE_INVALID"),
        ("public key", point(KEY)[:-1], "CKR_ATTRIBUTE_VALUE_INVALID"),
        ("private key", scalar(KEY)[:31], "CKR_ATTRIBUTE_VALUE_INVALID"),
        ("private key", scalar(KEY) + b"\0", "CKR_ATTRIBUTE_VALUE_INVALID"),
    ],
)
def test_imports_that_are_malformed(kind, value, error):
    answer = ask_as_user("import", label="L", value=value.hex(), **{"class": kind})
    assert answer["error"] == error and answer["hint"]
    assert ask_as_user("objects") == {"objects": []}


def test_writing_needs_the_pin():
    answer = ask("import", label="L", value=CERT.hex(), **{"class": "certificate"})
    assert answer == {"error": "CKR_USER_NOT_LOGGED_IN", "code": 257, "hint": answer["hint"]}
    assert ask("keygen", label="key")["error"] == "CKR_USER_NOT_LOGGED_IN"


def test_nothing_is_replaced_by_accident():
    first = ask_as_user("keygen", label="key")
    assert refused(ask_as_user("keygen", label="key"), "an object of that class and label exists")
    second = ask_as_user("keygen", label="key", replace=True)
    assert first["point"] != second["point"]
    assert len(ask_as_user("objects")["objects"]) == 2
    fields = {"label": "cert", "value": CERT.hex(), "class": "certificate"}
    ask_as_user("import", **fields)
    assert "hint" in ask_as_user("import", **fields)
    assert ask_as_user("import", replace=True, **fields)["handle"]
    assert len(ask_as_user("objects")["objects"]) == 3


def test_a_replacement_that_fails_keeps_the_old_object():
    ask_as_user("import", label="c", value=CERT.hex(), **{"class": "certificate"})
    bad = ask_as_user("import", label="c", value="3000", replace=True, **{"class": "certificate"})
    assert bad["error"] == "CKR_ATTRIBUTE_VALUE_INVALID"
    assert ask("read", label="c")["value"] == CERT.hex()


def test_random_and_digest():
    assert len(ask("random", length=20)["value"]) == 40
    assert ask("digest", value="616263")["value"].startswith("ba7816bf")
    assert ask("random", length=0)["error"] == "CKR_ARGUMENTS_BAD"


def test_pins():
    ask_as_user("keygen", label="key")
    assert ask("set_pin", pin="0000", new_pin="654321") == {}
    assert ask("objects", pin="654321")["objects"]
    assert ask("init", so_pin="12345678", label="x")["error"] == "CKR_PIN_INCORRECT"
    made = ask("init", so_pin="12345678", label="x", pin="654321", new_pin="4321")
    assert made == {"label": "x"}
    assert ask("objects", pin="4321") == {"objects": []}
    assert ask("init_pin", so_pin="12345678", new_pin="5678") == {}
    assert ask("objects", pin="5678") == {"objects": []}
    assert ask("set_pin", pin="5678", new_pin="1")["error"] == "CKR_PIN_LEN_RANGE"


def test_labels_that_are_no_text_are_shown(token):
    app = Application(token)
    app.C_Initialize()
    from token_kit import guide_certificate, log_in

    app.C_CreateObject(log_in(app), guide_certificate(CERT, b"\xff\x01ok"))
    (entry,) = ask("objects")["objects"]
    assert entry["label"] == "\\xff\\x01ok"


def test_the_application_on_the_board_is_not_disturbed(token):
    app = Application(token)
    app.C_Initialize()
    session = app.C_OpenSession(1, 4)
    ask_as_user("keygen", label="key")
    assert app.C_GetSessionInfo(session).state == pkcs11.CKS_RO_PUBLIC_SESSION
    assert token.sessions == 1 and token.keyring.master == 0


@pytest.mark.parametrize(
    "request_",
    [
        None,
        5,
        [],
        "text",
        {},
        {"cmd": None},
        {"cmd": []},
        {"cmd": "sign"},
        {"cmd": "sign", "label": 5, "digest": "00"},
        {"cmd": "sign", "label": "x", "digest": "0"},
        {"cmd": "digest", "value": "zz"},
        {"cmd": "digest", "value": 5},
        {"cmd": "random", "length": "x"},
        {"cmd": "objects", "pin": 1234},
        {"cmd": "import", "class": "certificate", "label": "x"},
        {"cmd": "init"},
        {"cmd": "set_pin", "pin": "0000"},
    ],
)
def test_requests_that_make_no_sense(request_, power_on):
    answer = hostlink.answer(request_)
    assert answer["error"] and answer["code"] and "hint" in answer
    power_on.clear()


def test_unknown_names_are_answered_with_the_known_ones():
    assert "keygen" in ask("nonsense")["hint"]
    assert "certificate" in ask_as_user("import", label="x", **{"class": "cat"})["hint"]
    assert ask_as_user("keygen", label="x", curve="P-1")["error"] == "CKR_CURVE_NOT_SUPPORTED"
    answer = ask_as_user("import", label="x", value="00", **{"class": "secret key"})
    assert answer["error"] == "this class cannot be imported"


@pytest.mark.parametrize("text", [b'{"cmd": "random", "length": 2}', '{"cmd": "info"}', b"{", b""])
def test_run_prints_one_line_of_json(capsys, text):
    hostlink.run(text)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 1 and type(json.loads(lines[0])) is dict


@pytest.mark.parametrize("ending", [b"\n", b""])
def test_serve_line_reads_one_line_and_leaves_the_rest(monkeypatch, capsys, ending):
    stream = io.BytesIO(b'{"cmd": "random", "length": 2}' + ending + b"next")
    if not ending:
        stream = io.BytesIO(b'{"cmd": "random", "length": 2}')
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=stream))
    hostlink.serve_line()
    assert len(json.loads(capsys.readouterr().out)["value"]) == 4
    assert stream.read() == (b"next" if ending else b"")


def test_serve_line_wipes_the_line(monkeypatch, capsys):
    import p11crypto

    wiped = []
    monkeypatch.setattr(p11crypto, "wipe", lambda buffer: wiped.append(len(buffer)))
    for blanks, sizes in ((0, [1024]), (5000, [1024, 2048, 4096, 8192])):
        line = b'{"cmd": "objects", "pin": "0000"%s}\n' % (b" " * blanks)
        monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=io.BytesIO(line)))
        del wiped[:]
        hostlink.serve_line()
        assert [size for size in wiped if size >= 1024] == sizes
        assert json.loads(capsys.readouterr().out) == {"objects": []}


def test_settings_of_a_board(monkeypatch, board):
    from pkcs11 import settings

    monkeypatch.setitem(
        sys.modules, "machine", types.SimpleNamespace(unique_id=lambda: b"\x01\xab")
    )
    chosen = settings.of_board()
    assert chosen.serial == b"01AB" and chosen.version == (1, 2)
    assert chosen.iterations is None and chosen.default_mode  # measured when a PIN is set
    board.LOCKED = True
    board.PIN_ITERATIONS = 5
    monkeypatch.setitem(sys.modules, "machine", None)
    monkeypatch.setitem(sys.modules, "buildinfo", types.SimpleNamespace(VERSION="dev"))
    chosen = settings.of_board()
    assert chosen.iterations == 10000 and not chosen.default_mode and chosen.version == (0, 0)
    assert tuple(chosen.limits) == (10, 15)
    board.PIN_ITERATIONS, board.PIN_LIMITS = 30000, (5, 100)
    chosen = settings.of_board()
    assert chosen.iterations == 30000 and tuple(chosen.limits) == (5, 15)
    board.PIN_LIMITS = (0, -1)
    assert tuple(settings.of_board().limits) == (3, 3)


def test_the_token_of_a_board(monkeypatch, board, store):
    from pal import pal

    monkeypatch.setitem(sys.modules, "machine", None)
    monkeypatch.setattr(pkcs11, "_token", None)
    pal.use(pal.Pal(store))
    try:
        assert type(pkcs11.board_token()) is Token and pkcs11.board_token() is pkcs11.board_token()
        with pkcs11.open(pin="0000") as token:
            token.generate("key")
            assert token.key("key").label == b"key"
    finally:
        pal.use(None)


def test_the_short_way():
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


def test_names_of_the_package():
    assert pkcs11.CKA_LABEL == 3 and pkcs11.hostlink is hostlink
    for name in ("nonsense", "_hidden", "CKA_NONSENSE"):
        with pytest.raises(AttributeError):
            getattr(pkcs11, name)
    assert Settings().iterations == 10000 and hostlink_info.FLAGS[0x400] == "TOKEN_INITIALIZED"
