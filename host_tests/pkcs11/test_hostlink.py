# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the kit, with its fixture)
"""JSON commands for the host about objects, keys and PINs: results, and errors with hints."""

import pytest
import rsa_kit
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, utils
from hostlink_kit import *
from token_kit import DIGEST, guide_certificate, log_in, point, scalar, sign, verifies

import pkcs11
from pkcs11.application import Application


def test_a_generated_pair_signs_verifies_is_read_and_destroyed():
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


def test_objects_are_listed_with_what_they_are():
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


def test_each_class_is_imported_and_private_values_do_not_come_back():
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


def test_rsa_keys_are_imported_whole_or_not_at_all():
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


def test_a_certificate_is_imported_with_its_names():
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


def test_random_bytes_and_digests_are_given():
    assert len(ask("random", length=20)["value"]) == 40
    assert ask("digest", value="616263")["value"].startswith("ba7816bf")
    assert ask("random", length=0)["error"] == "CKR_ARGUMENTS_BAD"


def test_pins_are_changed_and_the_token_is_initialised():
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
