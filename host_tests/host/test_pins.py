# SPDX-License-Identifier: MIT
"""PINs from files and from the terminal, and the fields in file names and subjects."""

import io

import pytest
from cryptography import x509
from hypothesis import assume, given
from hypothesis import strategies as st

from p11board import pins as module
from p11board.csr import parse_subject
from p11board.errors import Problem, UsageProblem
from p11board.fields import Fields
from p11board.pins import Pins


def test_a_pin_is_the_first_line_of_a_file(tmp_path):
    (tmp_path / "7.pin").write_text("geheim ü \r\nanother line\n")
    pins = Pins({"user": str(tmp_path / "{serial}.pin")}, fields=Fields({"serial": 7}))
    assert pins.user() == "geheim ü ".encode()


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"", "is empty"),
        (b"\n123456\n", "is empty"),
        (b"123\n", "has 3 bytes, a PIN has 4 to 64"),
        (b"x" * 65, "has 65 bytes"),
        (b"\xff\xfe\xfd\xfc", "is not text"),
    ],
    ids=["empty", "empty line", "short", "long", "binary"],
)
def test_a_pin_file_that_holds_none_is_refused(tmp_path, content, reason):
    (tmp_path / "pin").write_bytes(content)
    with pytest.raises(Problem, match=reason):
        Pins({"so": str(tmp_path / "pin")}).so(new=True)


def test_a_pin_that_exists_may_be_short(tmp_path):
    (tmp_path / "pin").write_text("123")
    assert Pins({"user": str(tmp_path / "pin")}).user() == b"123"


def test_standard_input_is_read_once(monkeypatch):
    monkeypatch.setattr(module.sys, "stdin", io.StringIO("1234\n5678\n"))
    asked = {}
    for _ in range(2):
        assert Pins({"user": "-"}, asked=asked).user() == b"1234"


def test_without_a_terminal_nobody_is_asked(monkeypatch):
    monkeypatch.setattr(module.sys, "stdin", io.StringIO())
    with pytest.raises(UsageProblem) as caught:
        Pins().so()
    assert "--so-pin-file" in caught.value.line()


def test_a_new_pin_is_typed_twice_and_must_be_the_same(monkeypatch):
    typed = iter(["1234", "1235", "1234", "1234", "abcd"])
    prompts = []
    monkeypatch.setattr(module.sys.stdin, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(
        module.getpass, "getpass", lambda prompt: prompts.append(prompt) or next(typed)
    )
    with pytest.raises(UsageProblem, match="differ"):
        Pins().user(new=True)
    assert Pins().user(new=True) == b"1234"
    assert Pins().user() == b"abcd"
    assert prompts[0] == "User PIN: " and prompts[1] == "User PIN, again: "


@pytest.mark.parametrize(
    "template, reason",
    [
        ("{nothing}", "known: {id}, {serial}"),
        ("{", "stands for nothing"),
        ("}", "stands for nothing"),
        ("{}", "stands for nothing"),
        ("{id.__class__}", "stands for nothing"),
        ("{id!r}", "stands for nothing"),
        ("{{id}}", "stands for nothing"),
        ("{serial}", "has no value here"),
    ],
)
def test_only_known_fields_stand_in_braces(template, reason):
    with pytest.raises(UsageProblem) as caught:
        Fields({"id": "x", "serial": ""}).text(template)
    assert reason in caught.value.line()


@pytest.mark.parametrize("value", ["../x", "/etc/passwd", ".hidden", "a/b", "a\0b", ".."])
def test_a_value_leads_no_file_name_astray(value):
    with pytest.raises(UsageProblem, match="part of a file name"):
        Fields({"id": value}).path("pins/{id}.pin")


@given(st.text(min_size=1, max_size=60))
def test_any_printable_value_is_one_attribute_of_a_subject(value):
    assume(value.isprintable() and len(value.encode()) <= 64)  # ub-common-name, RFC 5280
    name = parse_subject(Fields({"id": value}).subject("CN={id},O=Example"))
    found = {attribute.oid: attribute.value for attribute in name}
    assert found == {
        x509.NameOID.COMMON_NAME: value,
        x509.NameOID.ORGANIZATION_NAME: "Example",
    }


@given(st.text(max_size=40))
def test_any_template_is_filled_or_refused(template):
    try:
        Fields({"id": "x"}).text(template)
    except UsageProblem as problem:
        assert "\n" not in problem.line()
