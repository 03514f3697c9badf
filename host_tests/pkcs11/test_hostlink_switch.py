# SPDX-License-Identifier: MIT
"""The switch from an old identity to a new one: all of it, or nothing, and never by guess."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from token_kit import DIGEST, certificate, ec_key, verifies

import pkcs11
from pkcs11 import hostlink

CLASSES = ("private key", "public key", "certificate")
MOVES = [[name, "next", "key"] for name in CLASSES]


@pytest.fixture(autouse=True)
def board(monkeypatch, token):
    monkeypatch.setattr(pkcs11, "_token", token)


def ask(cmd, pin="0000", **fields):
    request = dict(fields, cmd=cmd)
    if pin:
        request["pin"] = pin
    return hostlink.answer(request)


def identity(label):
    """Make a pair and a certificate under one label. Return (point, DER)."""
    made = ask("keygen", label=label)
    der = certificate(ec_key())
    fields = {"class": "certificate", "label": label, "value": der.hex(), "id": made["id"]}
    assert "handle" in ask("import", **fields)
    return bytes.fromhex(made["point"]), der


def labels():
    return sorted((o["label"], o["class"]) for o in ask("objects")["objects"])


def test_a_new_identity_takes_the_place_of_the_old_one_in_one_transaction(store):
    identity("key")
    point, der = identity("next")
    writes = store.events.count("commit")
    assert ask("switch", moves=MOVES) == {"moved": 3, "gone": 3}
    assert store.events.count("commit") == writes + 1
    assert labels() == sorted(("key", name) for name in CLASSES)
    signature = bytes.fromhex(ask("sign", label="key", digest=DIGEST.hex())["signature"])
    assert verifies(point, DIGEST, signature)
    assert ask("read", label="key", **{"class": "certificate"})["value"] == der.hex()
    assert len({o["id"] for o in ask("objects")["objects"]}) == 1


def test_what_is_not_named_stays(store):
    identity("other")
    identity("next")
    assert ask("switch", moves=MOVES) == {"moved": 3, "gone": 0}
    assert ("other", "certificate") in labels() and ("key", "private key") in labels()


def test_a_switch_that_cannot_be_written_changes_nothing(store):
    identity("key")
    identity("next")
    before = labels(), ask("read", label="key")["value"]
    store.fail_at = store.writes + 3  # attempt and success of the login come first
    assert ask("switch", moves=MOVES)["error"].startswith("CKR_")
    store.fail_at = None
    assert (labels(), ask("read", label="key")["value"]) == before


@pytest.mark.parametrize(
    "moves, error",
    [
        ([["certificate", "nothing", "key"]], "0 objects to move"),
        ([["nonsense", "next", "key"]], "unknown class"),
        ([["certificate", "next", "next"]], "CKR_ARGUMENTS_BAD"),
        ([["certificate", "next", ""]], "CKR_ARGUMENTS_BAD"),
        ([["certificate", "next", "x" * 256]], "CKR_ARGUMENTS_BAD"),
        ([["certificate", "next", "key"]] * 2, "CKR_ARGUMENTS_BAD"),
        ([["certificate", "next", "a"], ["certificate", "key", "next"]], "CKR_ARGUMENTS_BAD"),
        ([["certificate", "next"]], "CKR_ARGUMENTS_BAD"),
        ([], "CKR_ARGUMENTS_BAD"),
        (None, "CKR_ARGUMENTS_BAD"),
        ([[1, 2, 3]], "CKR_ARGUMENTS_BAD"),
    ],
    ids=range(11),
)
def test_a_switch_that_makes_no_sense_is_refused_and_changes_nothing(moves, error):
    identity("key")
    identity("next")
    before = labels()
    assert ask("switch", moves=moves)["error"] == error
    assert labels() == before


def test_two_objects_of_one_label_are_refused(app, session):
    for _ in range(2):
        app.C_CreateObject(
            session,
            [
                (pkcs11.CKA_CLASS, pkcs11.CKO_DATA),
                (pkcs11.CKA_TOKEN, True),
                (pkcs11.CKA_LABEL, b"twin"),
                (pkcs11.CKA_VALUE, b"x"),
            ],
        )
    assert ask("switch", moves=[["data", "twin", "one"]])["error"] == "2 objects to move"


def test_an_object_that_must_not_change_is_not_moved(app, session):
    app.C_CreateObject(
        session,
        [
            (pkcs11.CKA_CLASS, pkcs11.CKO_DATA),
            (pkcs11.CKA_TOKEN, True),
            (pkcs11.CKA_LABEL, b"fixed"),
            (pkcs11.CKA_MODIFIABLE, False),
            (pkcs11.CKA_VALUE, b"x"),
        ],
    )
    answer = ask("switch", moves=[["data", "fixed", "one"]])
    assert answer["error"] == "CKR_ACTION_PROHIBITED"


def test_without_the_pin_nothing_moves():
    identity("next")
    before = labels()
    assert ask("switch", pin=None, moves=MOVES)["error"] == "CKR_USER_NOT_LOGGED_IN"
    assert labels() == before


words = st.text(max_size=3) | st.integers() | st.none() | st.sampled_from(("certificate", "next"))


@given(moves=st.lists(st.lists(words, max_size=4), max_size=3) | words)
def test_no_request_whatever_gets_more_than_an_answer(moves):
    answer = ask("switch", moves=moves)
    assert "error" in answer and "code" in answer
