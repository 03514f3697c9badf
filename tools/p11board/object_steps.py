# SPDX-License-Identifier: MIT
"""The steps that store what everybody's board gets: root, code-verify key, JITP certificate, claim.

A step is done when the board holds exactly the bytes of the file; another object under the label
is replaced, in one transaction.
"""

from p11board import keys
from p11board.board import (
    CLAIM_CERTIFICATE,
    CLAIM_KEY,
    CODE_VERIFY,
    JITP_CERTIFICATE,
    ROOT_CERTIFICATE,
    public_label,
)
from p11board.plan import Step

# step: (field of Inputs, label, title)
OBJECTS = {
    "root": ("root", ROOT_CERTIFICATE, "root CA certificate"),
    "code-verify": ("code_verify", CODE_VERIFY, "code-verify key"),
    "jitp": ("jitp", JITP_CERTIFICATE, "JITP certificate"),
}


def steps(work):
    """A step for each object the profile names; those of a claim are in claim_steps."""
    made = []
    for name, (source, label, title) in OBJECTS.items():
        item = getattr(work.inputs, source)
        if item is not None:
            made.append(
                Step(
                    name,
                    title,
                    lambda item=item, label=label: work.holds(item, label),
                    lambda item=item, label=label: work.keep(item, label),
                )
            )
    return made


def claim_steps(work):
    """Storing the claim, first of all, and destroying it, last of all."""
    if not work.profile.claims:
        return [], []
    return (
        [
            Step("claim-key", "claim key", work.claim_key_settled, work.keep_claim_key),
            Step("claim", "claim certificate", work.claim_settled, work.keep_claim),
        ],
        [Step("claim-gone", "claim destroyed", work.claim_gone, work.destroy_claim)]
        if work.profile["claim.discard"]
        else [],
    )


class ObjectWork:
    """The part of a board's work that concerns these objects. Uses held, inputs, profile."""

    def holds(self, item, label):
        """True if the board holds exactly this; of a private key, this pair."""
        if item.kind == keys.PRIVATE_KEY:
            return self.held.pair(label, public_label(label)) == item.point
        return self.held.value(label, item.kind) == item.value

    def keep(self, item, label):
        """Store it; what had its label and class is replaced."""
        identifier = keys.key_identifier(item.point) if item.point else None
        if item.kind == keys.PRIVATE_KEY:
            half = keys.public_half(item)
            self.board.import_item(half, public_label(label), identifier, True)
        self.board.import_item(item, label, identifier, True)
        self.held.changed()
        return f"stored {item.description} as {label!r}"

    # -- the claim: wanted until the board has an identity of its own -----------------------

    def claim_is_over(self):
        """True if the claim must not be on the board (any more)."""
        return self.profile["claim.discard"] and self.identified()

    def claim_key_settled(self):
        """True if the claim key is there, or not needed any more."""
        return self.claim_is_over() or self.holds(self.inputs.claim_key, CLAIM_KEY)

    def keep_claim_key(self):
        """Store the claim's key."""
        return self.keep(self.inputs.claim_key, CLAIM_KEY)

    def claim_settled(self):
        """True if the claim certificate is there, or not needed any more."""
        return self.claim_is_over() or self.holds(self.inputs.claim_certificate, CLAIM_CERTIFICATE)

    def keep_claim(self):
        """Store the claim's certificate."""
        return self.keep(self.inputs.claim_certificate, CLAIM_CERTIFICATE)

    def claim_gone(self):
        """True unless the claim is over and something of it is left."""
        return not self.claim_is_over() or not self._claim_objects()

    def destroy_claim(self):
        """Destroy what is left of the claim, the key first."""
        for label, kind in self._claim_objects():
            self.board.destroy(label, kind)
        self.held.changed()
        return "the board has an identity of its own; the claim is gone"

    def _claim_objects(self):
        wanted = (
            (CLAIM_KEY, keys.PRIVATE_KEY),
            (CLAIM_KEY, keys.PUBLIC_KEY),
            (CLAIM_CERTIFICATE, keys.CERTIFICATE),
        )
        return [pair for pair in wanted if self.held.has(*pair)]
