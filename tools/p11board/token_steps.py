# SPDX-License-Identifier: MIT
"""The steps that make a blank board a token with PINs."""

import secrets

from p11board.board import DEFAULT_PIN
from p11board.errors import Problem, UsageProblem
from p11board.plan import Step

SEED_BYTES = 64
LABEL_MAX = 32  # bytes


def steps(work):
    """Entropy seed where the board needs one, C_InitToken, user PIN."""
    made = [Step("seed", "seed of the random generator", work.seeded, work.give_seed)]
    if work.profile["token.initialise"]:
        made += [
            Step("token", "token initialised, PINs set", work.initialised, work.initialise),
            Step("user-pin", "user PIN set", work.user_pin_set, work.set_user_pin),
        ]
    return made


class TokenWork:
    """The part of a board's work that concerns token and PINs. Uses held, pins, profile."""

    def seeded(self):
        """True unless the board has no source of its own and no seed."""
        entropy = self.held.facts["entropy"]
        return "seed" not in entropy or bool((entropy["seed"] or {}).get("generation"))

    def give_seed(self):
        """64 bytes of this computer's generator."""
        generation = self.board.seed(secrets.token_bytes(SEED_BYTES))
        self.board.forget()
        self.held.changed()
        return f"seed stored, generation {generation}"

    def initialised(self):
        """True when C_InitToken was called, with the label of the profile."""
        token = self.held.token
        if token["default_mode"] or "SO_PIN_TO_BE_CHANGED" in token["flags"]:
            return False
        wanted = self.token_label()
        if token["label"] != wanted:
            raise Problem(
                f"the token is called {token['label']!r}, the profile says {wanted!r}",
                "is this the right board? A token keeps its label until it is initialised again",
            )
        return True

    def initialise(self):
        """C_InitToken and C_InitPIN, where nothing can be lost by it."""
        token = self.held.token
        if self.held.facts["objects"]:
            raise Problem(
                f"the token was never initialised and holds {self.held.facts['objects']} objects",
                "initialising would destroy them: `p11board factory-reset` if that is meant, or "
                "token.initialise = false in the profile",
            )
        so_pin, user_pin = self.pins.so(new=True), self.pins.user(new=True)
        label = self.token_label()
        old = DEFAULT_PIN if token["default_mode"] else None
        self.board.init_token(label, so_pin, user_pin, old)
        self.held.changed()
        return f"initialised as {label!r}"

    def token_label(self):
        """The label as the token keeps it: at most 32 bytes, no blanks at the end."""
        label = self.fields.text(self.profile["token.label"]).rstrip(" ")
        if len(label.encode()) > LABEL_MAX:
            raise UsageProblem(f"the token's label {label!r} has more than {LABEL_MAX} bytes")
        return label

    def user_pin_set(self):
        """True unless a power cut came between C_InitToken and C_InitPIN."""
        return self.held.token["pins"]["user"]["set"]

    def set_user_pin(self):
        """C_InitPIN by the security officer."""
        self.board.init_pin(self.pins.so(), self.pins.user(new=True))
        self.held.changed()
        return "the security officer set it"
