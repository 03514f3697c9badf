# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""What the tests of the qualification run share: a run taken apart, a user's token."""

import re

from token_kit import *

from pkcs11 import runner
from pkcs11.application import Application

LINE = re.compile(r"TEST\((\S+), (\S+)\)( PASS$|(.*):(\d+)::FAIL: (.*)$)")
ENOUGH = 150  # paths of the model in these tests


class Ran:
    """A run: counts, text, and the names of the tests that failed."""

    def __init__(self, app, **choices):
        self.text = ""
        choices.setdefault("paths", ENOUGH)
        self.counts = runner.run(choices.pop("pin", b"0000"), app, self.write, **choices)
        found = list(filter(None, map(LINE.match, self.text.splitlines())))
        self.lines = {one[2]: one for one in found}
        self.failed = [one[2] for one in found if one[4] is not None]
        self.failed_in_groups = [f"{one[1]} {one[2]}" for one in found if one[4] is not None]
        self.passed = [one[2] for one in found if one[4] is None]

    def write(self, text):
        self.text += text


def provisioned(token, private="Mine", public="My public"):
    """A token with a user's pair and certificate; returns the Application."""
    app = Application(token)
    app.C_Initialize()
    session = log_in(app)
    generate(app, session, *guide_pair(public.encode(), private.encode()))
    app.C_CreateObject(session, guide_certificate(certificate(ec_key()), b"My cert"))
    return app, session
