# SPDX-License-Identifier: MIT
"""docs/CRYPTOKI.md is what the tables of the firmware say."""

import cryptoki_page

from pkcs11.api import FUNCTIONS
from pkcs11.attributes import NAME, TABLE
from pkcs11.mechanisms import TABLE as MECHANISMS


def test_the_page_is_up_to_date():
    assert cryptoki_page.PAGE.read_text() == cryptoki_page.page(), "run make docs"


def test_the_page_names_everything_once():
    page = cryptoki_page.page()
    for name in FUNCTIONS:
        assert page.count("| `%s` |" % name) == 1, name
    for row in [*MECHANISMS, *TABLE]:
        assert page.count("| `%s` |" % row[NAME]) == 1, row


def test_the_sections_are_in_the_order_of_the_standard():
    titles = [line for line in cryptoki_page.page().splitlines() if line.startswith("### ")]
    numbers = [int(title.split()[1].split(".")[1]) for title in titles]
    assert numbers == list(range(4, 17))
