# SPDX-License-Identifier: MIT
"""Profiles: the schema, everything that is refused with a sentence, and random files."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from p11board import profile
from p11board.errors import Problem, UsageProblem

ROOT = Path(__file__).resolve().parent.parent.parent
PLAIN = 'kind = "plain"\n[certificate]\ntrust = ["ca.pem"]\n'


def test_what_is_not_said_has_the_default():
    made = profile.parse(PLAIN, "p")
    assert made["certificate.subject"] == "CN={id}" and made["token.initialise"] is True
    assert set(made.values) == set(profile.KEYS)


@pytest.mark.parametrize("name", profile.built_in())
def test_the_profiles_that_come_along_are_good_and_say_what_they_are_for(name):
    made = profile.load(name)
    assert made.folder == Path()
    text, _ = profile.text_of(name)
    assert text.startswith("# ")


def test_every_kind_has_a_profile_that_comes_along():
    kinds = {profile.load(name)["kind"] for name in profile.built_in()}
    assert kinds == set(profile.KEYS["kind"][0])


BAD = {
    "no TOML": ("kind = plain", "is no TOML"),
    "no kind": ("[key]\n", "has no kind"),
    "unknown kind": ('kind = "plane"', "one of: plain, jitp"),
    "unknown key": (PLAIN + 'subjct = "CN=x"', "do you mean certificate.subject?"),
    "unknown table": (PLAIN + "[nothing]\nx = 1", "there is no key 'nothing.x'"),
    "text for a table": ('kind = "plain"\ncertificate = "x"', "there is no key 'certificate'"),
    "table for a text": (PLAIN + "[certificate.subject]\nx = 1", "a text of at most"),
    "number for a text": (PLAIN + "subject = 7", "certificate.subject is 7: it has to be a text"),
    "text for a list": (PLAIN + 'dns = "x"', "a list of at most 16 texts"),
    "numbers in a list": (PLAIN + "dns = [1]", "a list of at most 16 texts"),
    "long list": (PLAIN + "dns = [" + '"x",' * 17 + "]", "a list of at most 16 texts"),
    "long text": (PLAIN + f'subject = "{"x" * 1001}"', "at most 1000"),
    "control character": (PLAIN + 'subject = "a\\u0007b"', "printable"),
    "text for a number": (PLAIN + 'renew_days = "7"', "a whole number from 1 to 3650"),
    "yes for a number": (PLAIN + "renew_days = true", "a whole number"),
    "number out of bounds": (PLAIN + "renew_days = 0", "a whole number from 1 to 3650"),
    "text for yes or no": (PLAIN + '[token]\ninitialise = "no"', "true or false"),
    "long label": (PLAIN + f'[token]\nlabel = "{"ü" * 17}"', "more than 32 bytes"),
    "no trust": ('kind = "plain"', "certificate.trust is empty"),
    "no key file": (PLAIN + '[key]\nsource = "file"', "there is no key.file"),
    "key file unused": (PLAIN + '[key]\nfile = "k.pem"', 'say source = "file"'),
    "no command": (PLAIN + 'signer = "command"', "certificate.command belongs to"),
    "command unused": (PLAIN + 'command = ["x"]', "certificate.command belongs to"),
    "nobody signs": ('kind = "plain"\n[certificate]\nsigner = "none"', "only a claim profile"),
    "jitp without": (PLAIN.replace("plain", "jitp"), "a jitp profile needs objects.jitp"),
    "claim without": (PLAIN.replace("plain", "claim"), "needs claim.certificate"),
    "twice": (PLAIN + 'dns = ["a"]\ndns = ["b"]', "is no TOML"),
    "deep": ("a = " + "[" * 5000, "is no TOML"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_profile_that_is_wrong_is_refused_in_one_line(case):
    text, reason = BAD[case]
    with pytest.raises(Problem) as caught:
        profile.parse(text, "p.toml")
    assert reason in caught.value.line() and "p.toml" in caught.value.line()
    assert "\n" not in caught.value.line()


def test_options_change_a_profile_by_its_keys():
    changes = [
        ("certificate.subject", "CN=x"),
        ("certificate.renew_days", "7"),
        ("certificate.dns", '["a", "b"]'),
        ("certificate.chain", "one.pem"),
        ("token.initialise", "false"),
    ]
    made = profile.parse(PLAIN, "p", changes=changes)
    assert made["certificate.subject"] == "CN=x" and made["certificate.renew_days"] == 7
    assert made["certificate.dns"] == ("a", "b") and made["certificate.chain"] == ("one.pem",)
    assert made["token.initialise"] is False


@pytest.mark.parametrize(
    "key, value", [("nothing", "x"), ("certificate.renew_days", "soon"), ("kind", "x")]
)
def test_options_are_checked_like_the_file(key, value):
    with pytest.raises(Problem):
        profile.parse(PLAIN, "p", changes=[(key, value)])


def test_a_profile_is_a_file_or_a_name(tmp_path):
    file = tmp_path / "my.toml"
    file.write_text(PLAIN)
    assert profile.load(str(file)).folder == tmp_path
    for name, reason in (
        ("nothing", "aws-claim"),
        (str(tmp_path / "x.toml"), "cannot read"),
        (str(tmp_path), "no profile"),
    ):
        with pytest.raises(UsageProblem) as caught:
            profile.load(name)
        assert reason in caught.value.line()
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(Problem, match="UTF-8"):
        profile.load(str(file))


@given(st.text() | st.text(alphabet='kind="plain[].\n{}#'))
def test_any_text_is_a_profile_or_a_problem(text):
    try:
        profile.parse(text, "p")
    except Problem as problem:
        assert "\n" not in problem.line()


leaves = st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.lists(st.integers())


@given(st.sampled_from(sorted(profile.KEYS)), leaves)
def test_any_value_of_any_key_is_good_or_a_problem(key, value):
    try:
        profile._checked(key, value, "p")
    except Problem as problem:
        assert key in problem.line()


def test_the_page_documents_every_key_with_its_default():
    page = (ROOT / "docs" / "PROVISIONING.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z_.]+)` \| ([^|]*) \|", page, re.M))
    assert set(rows) == set(profile.KEYS)
    for key, (_, default, _) in profile.KEYS.items():
        shown = {True: "true", False: "false", None: "required", "": "", (): ""}.get(default)
        assert rows[key].strip().strip("`") == (str(default) if shown is None else shown), key
