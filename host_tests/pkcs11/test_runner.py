# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""The qualification run on CPython: its text, its switches, its care for the token."""

import io
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import p11crypto
import pytest
from rsa_kit import OTHER, guide_rsa_private, guide_rsa_public
from runner_kit import *
from token_kit import *

from pkcs11 import runner
from pkcs11 import token as tokens
from pkcs11.application import Application
from pkcs11.runner import ec, model, switches
from pkcs11.runner.report import Failure, Report


@pytest.fixture
def fresh(token):
    """An Application nobody has initialised."""
    return Application(token)


# --- the text ------------------------------------------------------------------------------------


def test_a_good_token_passes_every_test_in_the_format_of_the_guide(fresh):
    ran = Ran(fresh)
    assert ran.counts == (32, 0, 0) and not ran.failed
    lines = ran.text.splitlines()
    assert lines[1] == "---------STARTING TESTS---------"
    assert "TEST(Full_PKCS11_EC, AFQP_Sign) PASS" in lines
    assert "TEST(Full_PKCS11_RSA, AFQP_Sign) PASS" in lines
    assert lines[-5:] == [
        "",
        "-----------------------",
        "32 Tests 0 Failures 0 Ignored ",
        "OK",
        "-------ALL TESTS FINISHED-------",
    ]
    assert f"model: {ENOUGH} different paths" in lines


def test_the_names_are_the_guides(fresh):
    names = {}
    for group, name in re.findall(r"^TEST\((\S+), (\S+)\)", Ran(fresh).text, re.MULTILINE):
        names.setdefault(group, []).append(name.replace("AFQP_", ""))
    assert names["Full_PKCS11_StartFinish"] == [
        "StartFinish_FirstTest",
        "GetFunctionList",
        "InitializeFinalize",
        "GetSlotList",
        "OpenSessionCloseSession",
    ]
    assert names["Full_PKCS11_Capabilities"] == ["Capabilities"]
    assert names["Full_PKCS11_NoObject"] == [
        "Digest",
        "Digest_ErrorConditions",
        "GenerateRandom",
        "GenerateRandomMultiThread",
    ]
    assert set(names["Full_PKCS11_RSA"]) == {
        "CreateObjectFindObject",
        "FindObjectMultiThread",
        "CreateObjectGetAttributeValue",
        "Sign",
        "CreateObject",
        "FindObject",
        "GetAttributeValue",
        "DestroyObject",
    }
    assert set(names["Full_PKCS11_EC"]) == {
        "CreateObjectDestroyObjectKeys",
        "FindObject",
        "GetAttributeValue",
        "Sign",
        "Verify",
        "CreateObjectDestroyObjectCertificates",
        "GenerateKeyPair",
        "GetAttributeValueMultiThread",
        "FindObjectMultiThread",
        "SignVerifyMultiThread",
        "CreateObject",
        "DestroyObject",
    }


def test_a_failure_names_file_and_line_of_the_test_and_both_codes(fresh, monkeypatch):
    module = sys.modules["pkcs11.application"]  # the package has a function of that name
    monkeypatch.setattr(module, "CKR_SESSION_HANDLE_INVALID", CKR_GENERAL_ERROR)
    ran = Ran(fresh)
    one = ran.lines["AFQP_Digest_ErrorConditions"]
    source = open(runner.__file__.replace("__init__", "no_object")).read().splitlines()
    assert one[4] == "pkcs11/runner/no_object.py"
    assert "CKR_SESSION_HANDLE_INVALID, app.C_DigestInit" in source[int(one[5]) - 1]
    assert one[6] == "Expected 179 Was 5. CKR_GENERAL_ERROR"
    assert "\nFAIL\n-------ALL TESTS FINISHED-------\n" in ran.text


def test_random_blocks_may_be_alike_by_chance(fresh, monkeypatch):
    """One draw in 750 is, of a sound generator; a generator that repeats itself is a seeded bug."""
    original = Application.C_GenerateRandom
    draws = [b"0123456789", b"0123456789", b"0a2b4c6d8e"]

    def chance(app, session, length):
        return (
            bytearray(draws.pop(0)) if length == 10 and draws else original(app, session, length)
        )

    monkeypatch.setattr(Application, "C_GenerateRandom", chance)
    assert not Ran(fresh, rsa=False, paths=5).failed and not draws


def test_an_exception_of_any_type_is_a_failure_of_its_test_alone():
    text = io.StringIO()
    report = Report(text.write)
    bench = SimpleNamespace(set_up=lambda: None, tear_down=lambda: None)

    def broken(bench):
        raise KeyError("x")

    def refused(bench):
        raise P11Error(CKR_DEVICE_ERROR)

    def unequal(bench):
        raise Failure(None, None, "why")

    for test in (broken, refused, unequal):
        report.test(bench, "G", "n", test)
    lines = text.getvalue().splitlines()
    assert lines[0].endswith("::FAIL: KeyError 'x'")
    assert lines[1].endswith("::FAIL: Expected 0 Was 48. CKR_DEVICE_ERROR")
    assert lines[2].endswith("::FAIL: why")
    assert report.finish() == (3, 3, 0)


def test_the_page_lists_the_tests_that_run(fresh):
    page = (Path(__file__).parent.parent.parent / "docs" / "QUALIFY.md").read_text("utf-8")
    listed = re.findall(r"^- \*\*(\w+)\*\*: (.*(?:\n  .*)*)", page, re.MULTILINE)
    documented = [(group, name) for group, names in listed for name in re.findall(r"\w+", names)]
    ran = re.findall(r"^TEST\((\S+), (?:AFQP_)?(\S+)\)", Ran(fresh, paths=0).text, re.MULTILINE)
    assert documented == ran


# --- switches ------------------------------------------------------------------------------------


def test_what_is_switched_off_is_ignored(fresh):
    ran = Ran(fresh, import_keys=False, paths=0)
    assert ran.counts == (32, 0, 11) and "TEST(Full_PKCS11_RSA, AFQP_Sign)\n" in ran.text
    assert "AFQP_CreateObject" not in ran.passed and "AFQP_GenerateKeyPair" in ran.passed
    ran = Ran(fresh, generate=False, tasks=4, loops=2)
    assert ran.counts == (32, 0, 2)
    assert "AFQP_CreateObject" in ran.passed and "AFQP_GenerateKeyPair" not in ran.passed
    ran = Ran(fresh, rsa=False)
    assert ran.counts == (32, 0, 8) and "\nTEST(Full_PKCS11_EC, AFQP_Sign) PASS\n" in ran.text
    ran = Ran(fresh, ec=False)
    assert ran.counts == (32, 0, 13) and "\nTEST(Full_PKCS11_RSA, AFQP_Sign) PASS\n" in ran.text


def test_a_firmware_without_rsa_says_so_by_ignoring_its_group(fresh, monkeypatch):
    monkeypatch.delattr(p11crypto, "rsa_import")
    with pytest.raises(ValueError, match="no RSA"):
        Ran(fresh, rsa=True)
    assert switches.Switches().rsa is False


@pytest.mark.parametrize(
    "choices",
    [
        {"rsa": False, "ec": False},
        {"rsa": True, "preprovisioned": True},
        {"import_keys": False, "generate": False},
        {"import_keys": False, "ec": False},
        {"tasks": 15},
        {"loops": 0},
        {"labels": {"nobody": "x"}},
    ],
    ids=str,
)
def test_switches_that_exclude_each_other_are_refused(fresh, choices):
    with pytest.raises(ValueError):
        Ran(fresh, **choices)
    assert fresh.token is None


def contents(store):
    """Every record above the token's own, as bytes, whatever its id."""
    return sorted(tuple(map(bytes, r[2:4])) for n, r in store.records.items() if n >= 0x100)


def test_pre_provisioned_keys_are_used_and_nothing_is_written(token, store, fresh):
    provisioned(token)
    labels = {"private": "Mine", "public": "My public", "certificate": b"My cert"}
    before = contents(store)
    ran = Ran(fresh, preprovisioned=True, labels=labels, paths=0)
    assert ran.counts == (32, 0, 14) and "AFQP_SignVerifyMultiThread" in ran.passed
    assert contents(store) == before


def test_pre_provisioned_rsa_keys_are_used_and_nothing_is_written(token, store, fresh):
    app, session = provisioned(token)
    app.C_CreateObject(session, guide_rsa_private(OTHER, b"R"))
    app.C_CreateObject(session, guide_rsa_public(OTHER, b"R"))
    labels = {"private": "R", "public": "R", "certificate": "My cert"}
    before = contents(store)
    ran = Ran(fresh, preprovisioned=True, ec=False, labels=labels)
    assert ran.counts == (32, 0, 17) and "AFQP_Sign" in ran.passed
    assert contents(store) == before


def test_pre_provisioned_keys_that_are_missing_are_failures(fresh):
    ran = Ran(fresh, preprovisioned=True, paths=0)
    assert "AFQP_FindObject" in ran.failed and "AFQP_Sign" in ran.failed


# --- care for the token --------------------------------------------------------------------------


def test_the_token_is_afterwards_as_before_and_the_guides_labels_may_be_taken(token, store, fresh):
    app, session = provisioned(token, PRIVATE_LABEL.decode(), PUBLIC_LABEL.decode())
    other = certificate(ec_key())
    app.C_CreateObject(session, guide_certificate(other, b"qualification 1 Root Cert"))
    before = contents(store)
    ran = Ran(fresh)
    assert ran.counts == (32, 0, 0)
    assert contents(store) == before
    assert token.sessions == 1 and app.C_GetSessionInfo(session).state == CKS_RW_USER_FUNCTIONS
    assert p11crypto.slots_used() == 1  # the master key of the user's login


def test_a_broken_search_does_not_destroy_a_users_key(token, store, fresh, monkeypatch):
    provisioned(token, PRIVATE_LABEL.decode(), PUBLIC_LABEL.decode())
    before = contents(store)
    monkeypatch.setattr(tokens.Token, "find", lambda self, query, app: list(self.ids()))
    ran = Ran(fresh)
    assert ran.failed
    assert [one for one in before if one not in contents(store)] == []


def test_an_interrupt_leaves_the_token_as_before(token, store, fresh, monkeypatch):
    provisioned(token)
    before = contents(store)

    def interrupted(bench, kind):
        bench.provision(bench.start(), switches.GENERATE, kind)
        raise KeyboardInterrupt

    monkeypatch.setattr(ec, "sign", interrupted)
    with pytest.raises(KeyboardInterrupt):
        Ran(fresh)
    assert contents(store) == before and fresh.token is None


def test_a_wrong_pin_is_tried_once(token, store, fresh):
    app = Application(token)
    app.C_Initialize()
    session = log_in(app)
    app.C_SetPIN(session, b"0000", b"secret pin")
    app.C_Finalize()
    with raises(CKR_PIN_INCORRECT):
        Ran(fresh, pin=b"9999")
    assert store.fails() == 1 and fresh.token is None
    token.settings.clock.now += 100_000
    assert Ran(fresh, pin=b"secret pin", paths=0).counts == (32, 0, 1)


@pytest.mark.parametrize(
    "request_line,said",
    [
        ({"rsa": False, "ec": False}, "switches: neither RSA nor EC is on"),
        ({"colour": 1}, "switches: "),
        ({"pin": "9999"}, "CKR_PIN_INCORRECT"),
    ],
    ids=str,
)
def test_the_line_for_the_host_says_what_prevents_a_run(
    fresh, capsys, monkeypatch, request_line, said
):
    monkeypatch.setattr(runner, "application", lambda: fresh)
    source = io.BytesIO(json.dumps(request_line).encode() + b"\n")
    if "pin" in request_line:
        fresh.C_Initialize()
        fresh.C_SetPIN(log_in(fresh), b"0000", b"1234")
        fresh.C_Finalize()
    runner.serve_line(source)
    assert said in json.loads(capsys.readouterr().out)["error"]


def test_the_line_for_the_host_runs(fresh, capsys, monkeypatch):
    monkeypatch.setattr(runner, "application", lambda: fresh)
    runner.serve_line(io.BytesIO(b'{"pin": "0000", "paths": 3}\n'))
    out = capsys.readouterr().out
    assert out.endswith("-------ALL TESTS FINISHED-------\n") and "paths" in out


def test_the_walks_are_different_and_long_enough(fresh, monkeypatch):
    walks = []
    finish = model.Walk.finish
    monkeypatch.setattr(model.Walk, "finish", lambda walk: walks.append(walk.path) or finish(walk))
    ran = Ran(fresh, paths=2100, rsa=False)
    paths = int(re.search(r"model: (\d+) different paths", ran.text)[1])
    assert not ran.failed
    assert 2000 <= paths <= len({tuple(path) for path in walks})  # hashes may fall together
    assert min(map(len, walks)) >= 6
    calls = {step[0] for path in walks for step in path}
    assert calls == {
        "C_CloseSession",
        "C_CreateObject",
        "C_DestroyObject",
        "C_Digest",
        "C_DigestFinal",
        "C_DigestInit",
        "C_DigestUpdate",
        "C_FindObjects",
        "C_FindObjectsFinal",
        "C_FindObjectsInit",
        "C_GetAttributeValue",
        "C_Sign",
        "C_SignInit",
        "C_Verify",
        "C_VerifyInit",
    }
