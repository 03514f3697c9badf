# SPDX-License-Identifier: MIT
"""What a host asks for happens as a whole or not at all: one transaction for each request.

Every flash operation of `replace` and of the destruction of a pair is cut; at the next start there
is the state before the request or the state after it, never both objects and never half a pair.
"""

import os
import random

import p11crypto
import pytest
from flashsim import Flash, Geometry
from flashtear import COMPLETE, COMPLETE_WEAK, HALF, NOT_STARTED, PREFIX
from token_kit import certificate, ec_key, scalar

import pkcs11
from pal.flash import ZERO_ANY, ZERO_NONE
from pal.pal import Pal
from pal.store import Store
from pkcs11 import hostlink
from pkcs11.hostlink_objects import GROUP
from pkcs11.settings import Settings
from pkcs11.token import Token

GEOMETRIES = (Geometry(1, 4096, 4, ZERO_ANY, 256), Geometry(32, 8192, 3, ZERO_NONE, 32))
VARIANTS = (NOT_STARTED, PREFIX, HALF, COMPLETE, COMPLETE_WEAK)
KEYS = [ec_key(), ec_key()]


def fill(buffer):
    buffer[:] = os.urandom(len(buffer))


@pytest.fixture(params=GEOMETRIES, ids=repr)
def flash(request):
    return Flash(request.param)


@pytest.fixture(autouse=True)
def this_board(monkeypatch, flash):
    """The board of hostlink has its store on `flash`."""
    monkeypatch.setattr(pkcs11, "_token", None)
    power_up(flash)


def power_up(flash):
    """A board that knows nothing but what is in the flash, and does not wait after a wrong PIN."""
    p11crypto.test_reset()
    pkcs11._token = Token(Pal(Store(flash, fill)), Settings(iterations=3))
    pkcs11._token.keyring._delay = lambda role: 0


def ask(command, **fields):
    answer = hostlink.answer(dict(fields, cmd=command, pin="0000"))
    assert "error" not in answer, answer
    return answer


def seen():
    """Every object with what tells it from another of its label."""
    found = []
    for each in ask("objects")["objects"]:
        assert each["class"] != "damaged"
        name = each["class"], each["label"]
        if each["class"] == "private key":
            found.append((*name, each["id"]))
        else:
            found.append((*name, ask("read", **{"class": name[0], "label": name[1]})["value"]))
    return sorted(found)


def writes_whole_or_nothing(flash, command, **fields):
    """Cut in every flash operation of a request."""
    rng = random.Random(5)
    old = seen()
    flash.trace = []
    ask(command, **fields)
    trace, flash.trace = flash.trace, None
    new = seen()
    assert len(trace) > 4 and old != new
    outcomes = set()
    for entry in trace:
        for variant in VARIANTS:
            flash.tear(entry, variant, rng)
            flash.boot(rng)
            power_up(flash)
            state = seen()
            assert state in (old, new), (command, variant, state)
            outcomes.add(state == new)
    assert outcomes == {False, True}


def test_a_key_that_replaces_one_comes_when_that_one_goes(flash):
    fields = {"label": "key", "class": "private key"}
    ask("import", value=scalar(KEYS[0]).hex(), id="01", **fields)
    writes_whole_or_nothing(
        flash, "import", value=scalar(KEYS[1]).hex(), id="02", replace=True, **fields
    )


def test_a_certificate_that_replaces_one_comes_when_that_one_goes(flash):
    fields = {"label": "cert", "class": "certificate"}
    ask("import", value=certificate(KEYS[0]).hex(), **fields)
    writes_whole_or_nothing(
        flash, "import", value=certificate(KEYS[1]).hex(), replace=True, **fields
    )


def test_a_pair_that_replaces_one_comes_when_that_one_goes(flash):
    ask("keygen", label="pair", id="01")
    writes_whole_or_nothing(flash, "keygen", label="pair", id="02", replace=True)


def test_a_pair_is_destroyed_as_a_whole(flash):
    ask("keygen", label="other")
    ask("keygen", label="pair")
    writes_whole_or_nothing(flash, "destroy", label="pair")


def test_a_request_is_one_transaction(flash, monkeypatch):
    commits = []
    original = Store.commit

    def counting(self, puts, deletes=()):
        commits.append((len(puts), len(deletes)))
        original(self, puts, deletes)

    ask("keygen", label="pair")
    store = pkcs11._token.pal
    monkeypatch.setattr(store, "commit", lambda *a: counting(store.store, *a))
    ask("keygen", label="pair", replace=True)
    ask("destroy", label="pair")
    assert commits == [(2, 2), (0, 2)]


def test_more_objects_than_a_transaction_holds(flash):
    value = {"class": "data", "value": "00", "label": "many"}
    ask("import", **value)
    app = pkcs11.application()
    app.C_Initialize()
    from token_kit import find, log_in

    session = log_in(app)
    (handle,) = find(app, session)
    for _ in range(GROUP):
        app.C_CopyObject(session, handle, [])
    app.C_Finalize()
    answer = hostlink.answer({"cmd": "import", "pin": "0000", "replace": True, **value})
    assert answer["error"] == "29 objects to replace" and answer["hint"]
    assert len(ask("objects")["objects"]) == GROUP + 1
    assert ask("destroy", label="many") == {"destroyed": GROUP + 1}
    assert ask("objects")["objects"] == []
