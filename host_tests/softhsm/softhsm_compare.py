# SPDX-License-Identifier: MIT
"""Runs scripts and random walks on both tokens, call by call, and keeps what each answered."""

import random
from collections import namedtuple

from softhsm_templates import OBJECTS
from softhsm_values import meaning
from softhsm_walk import WORDS_OF, calls

from pkcs11.const import CKR_BUFFER_TOO_SMALL, CKR_OK, name_of

# state: of the script, "+search" where the session of the call has a search running, "+parts" where an
# Update call succeeded, "+failed" where a call of an operation failed since its Init, "+out" after a
# logout; line: the call as text; ours, theirs: (code, result)
Outcome = namedtuple("Outcome", "where state line ours theirs")
NO_HANDLE = 0xFFFFFFF0  # of a name that a script never got
_OPERATIONS = ("C_Digest", "C_Sign", "C_Verify", "C_Encrypt", "C_Decrypt")
WALKS = 220
STEPS = 14


def differ(outcome):
    """Return whether the tokens answered differently."""
    return outcome.ours != outcome.theirs


def show(outcome):
    """Return an outcome as a line to read."""
    answers = []
    for who, (code, result) in (("ours", outcome.ours), ("SoftHSM2", outcome.theirs)):
        shown = "" if result is None else " %r" % (result,)
        answers.append("%s %s%s" % (who, name_of("CKR_", code), shown[:80]))
    return "%s (%s) %s: %s" % (outcome.where, outcome.state, outcome.line, ", ".join(answers))


def run(sides, text):
    """Return the Outcomes of all scripts in a text."""
    outcomes = []
    for number, paragraph in enumerate(text.strip().split("\n\n")):
        state, lines = paragraph.split(": ", 1)
        lines = [line.strip() for line in lines.splitlines()]
        words = {word for line in lines for word in line.split()}
        for side in sides:
            side.prepare(state, [name for name in OBJECTS if name in words])
        outcomes.extend(steps(sides, "script %d" % number, state, lines))
    return outcomes


def walk(sides, seed):
    """Return the Outcomes of random walks; a walk ends at its first difference."""
    choose = random.Random(seed)
    outcomes = []
    for number in range(WALKS):
        state = choose.choice(("user", "user", "user", "public", "so"))
        names = choose.sample(sorted(WORDS_OF["object"]), 6)
        for side in sides:
            side.prepare(state, names)
        for outcome in steps(sides, "walk %d" % number, state, calls(choose, state, names, STEPS)):
            outcomes.append(outcome)
            if differ(outcome):
                break
    return outcomes


def steps(sides, where, state, lines):
    """Do one call after the other on both sides; iterate over the Outcomes."""
    searching, parts, failed = set(), set(), set()  # sessions
    for line in lines:
        call, _, kept = line.partition(" -> ")
        name, *words = call.split()
        session = words[0] if words else None
        tags = "".join(
            tag
            for tag, sessions in (("+search", searching), ("+parts", parts), ("+failed", failed))
            if session in sessions
        )
        answers = []
        for side in sides:
            answers.append(side.call(name, *[_argument(side, word) for word in words]))
            if kept:
                side.keep(kept.split())
        yield Outcome(where, state + tags, line, *answers)
        code = answers[1][0]
        if name == "C_FindObjectsInit" and code == CKR_OK:
            searching.add(session)
        elif name == "C_FindObjectsFinal" and code == CKR_OK:
            searching.discard(session)
        elif name == "C_Logout" and code == CKR_OK:
            state += "+out"
        elif name.endswith("Init"):
            if code == CKR_OK:
                failed.discard(session)
                parts.discard(session)
        elif name.endswith("Update") and code == CKR_OK:
            parts.add(session)
        elif name.startswith(_OPERATIONS) and code not in (CKR_OK, CKR_BUFFER_TOO_SMALL):
            failed.add(session)


def _argument(side, word):
    if word in side.names:
        return side.names[word]
    if word in OBJECTS or word in ("rw", "rw2", "ro", "closed"):
        return NO_HANDLE
    if word[0] == "$":
        return meaning("zeros-32")
    try:
        return meaning(word)
    except ValueError:
        return NO_HANDLE
