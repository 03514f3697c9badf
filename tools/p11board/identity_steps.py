# SPDX-License-Identifier: MIT
"""The steps that give a board its identity: key, certificate, the switch to it, the last check.

A new identity is built beside the old one, under labels that end in " next": its key, then its
certificate once that was verified.  Then the key signs a challenge, and one transaction puts the
new identity in the place of the old.  Until then the old one is untouched and in use.
"""

import hashlib
import os

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from p11board import chain, csr, key_files, keys
from p11board.board import (
    CLAIM_CERTIFICATE,
    CLAIM_KEY,
    DEVICE_CERTIFICATE,
    DEVICE_PRIVATE,
    DEVICE_PUBLIC,
)
from p11board.errors import FileProblem, Problem
from p11board.inputs import issued_as_the_kind_wants
from p11board.plan import Step

CURRENT = (DEVICE_PRIVATE, DEVICE_PUBLIC)
NEXT = tuple(f"{label} next" for label in CURRENT)
NEXT_CERTIFICATE = f"{DEVICE_CERTIFICATE} next"
CHAIN = "Device Chain"  # with a number: what stands between the certificate and a trusted one


def steps(work):
    """From a key to a verified identity."""
    return [
        Step("key", "key pair", work.key_there, work.make_key),
        Step("certificate", "certificate", work.certificate_there, work.get_certificate),
        Step("switch", "new identity in use", work.switched, work.switch),
        Step("chain", "certificate chain", work.chain_tidy, work.tidy_chain),
    ]


def last_steps(work):
    """The check that is made in every run."""
    return [Step("verify", "verified on the board", lambda: False, work.verify, always=True)]


class IdentityWork:
    """The part of a board's work that concerns its identity.

    Uses board, held, inputs, profile, fields, signer, renewal, serial numbers of nothing else.
    """

    # -- what is there ---------------------------------------------------------------------

    def path(self, certificate, point):
        """The verified path of a certificate for this key. Raises BadCertificate."""
        chain.check_key(certificate, point)
        stored = [self.held.certificate(label) for label in self.chain_labels()]
        others = self.extra + self.inputs.between + [one for one in stored if one is not None]
        if not self.inputs.anchors and self.profile.claims:
            chain.check_leaf(certificate)
            return [certificate]
        return chain.path_to_trust(certificate, others, self.inputs.anchors)

    def good(self, certificate, point):
        """True if the certificate is for that key and verifies."""
        if certificate is None or point is None:
            return False
        try:
            self.path(certificate, point)
        except chain.BadCertificate:
            return False
        return True

    def current_good(self):
        """The certificate in use, if it verifies, else None."""
        certificate = self.held.certificate(DEVICE_CERTIFICATE)
        return certificate if self.good(certificate, self.held.pair(*CURRENT)) else None

    def identified(self):
        """True if the board has an identity of its own that verifies."""
        return self.current_good() is not None

    def due(self):
        """True if this run is to renew the identity in use."""
        certificate = self.held.certificate(DEVICE_CERTIFICATE)
        if self.renewal is None or certificate is None or self.renewed:
            return False
        if self.imported is not None and self.imported[0] == certificate:
            return False
        left = (certificate.not_valid_after_utc - chain.now()).days
        return self.renewal.force or left < self.profile["certificate.renew_days"]

    def wanted(self):
        """True if the board needs another certificate than the one in use."""
        certificate = self.current_good()
        if certificate is None or self.due():
            return True
        if self.inputs.key is not None and self.held.pair(*CURRENT) != self.inputs.key.point:
            return True
        return self.imported is not None and self.imported[0] != certificate

    def target(self):
        """(labels, point) of the key that the wanted certificate is for."""
        current, pending = self.held.pair(*CURRENT), self.held.pair(*NEXT)
        if self.imported is not None:
            point = keys.certificate_point(self.imported[0])
            for labels, held in ((NEXT, pending), (CURRENT, current)):
                if held is not None and held == point:
                    return labels, held
            raise FileProblem(
                f"{chain.name_of(self.imported[0])} is for none of the board's keys",
                "was the request another board's, or an older one?",
            )
        return (NEXT, pending) if pending is not None else (CURRENT, current)

    # -- key -------------------------------------------------------------------------------

    def key_there(self):
        """True if the key that a certificate is wanted for is there."""
        if self.imported is not None:  # it is for a key that is there, or for none
            return True
        current, pending = self.held.pair(*CURRENT), self.held.pair(*NEXT)
        if self.inputs.key is not None:
            return self.inputs.key.point in (current, pending)
        if current is None:
            return False
        return not (self.due() and self.renewal.new_key) or pending is not None

    def make_key(self):
        """Make or import the pair: under the final labels only where no private key is."""
        first = not self.held.has(DEVICE_PRIVATE, keys.PRIVATE_KEY)
        private, public = CURRENT if first else NEXT
        item = self.inputs.key
        if item is None:
            self.board.keygen(private, public, replace=True)
            text = "made on the board; the private key never leaves it"
        else:
            identifier = keys.key_identifier(item.point)
            self.board.import_item(keys.public_half(item), public, identifier, True)
            self.board.import_item(item, private, identifier, True)
            text = f"imported {item.description}"
        self.held.changed()
        return text if first else f"{text}; the old one stays until the new one is verified"

    # -- certificate -----------------------------------------------------------------------

    def certificate_there(self):
        """True if the certificate in use will do, or a verified one waits to be switched to."""
        if not self.certifies or not self.wanted():
            return True
        _, point = self.target()
        waiting = self.held.certificate(NEXT_CERTIFICATE)
        if self.imported is not None and waiting != self.imported[0]:
            return False
        return self.good(waiting, point)

    def get_certificate(self):
        """Have the request signed, verify the answer, store it beside the one in use."""
        labels, point = self.target()
        if self.imported is not None:
            leaf, self.extra = self.imported
        else:
            request = csr.of_board(self.board, *labels, self.subject(), self.names())
            leaf, self.extra = self.signer.sign(request)
        path = self.path(leaf, point)
        issued_as_the_kind_wants(self.profile, self.inputs, leaf)
        for certificate in path[1:-1]:
            self._add_to_chain(certificate)
        identifier = self.held.identifier(labels[0], keys.PRIVATE_KEY)
        item = keys.certificate_item(leaf)
        self.board.import_item(item, NEXT_CERTIFICATE, identifier, True)
        self.held.changed()
        return f"verified and stored: {chain.name_of(leaf)}"

    def subject(self):
        """The subject of the request."""
        return csr.parse_subject(self.fields.subject(self.profile["certificate.subject"]))

    def names(self):
        """The names of its SubjectAltName."""
        return [
            csr.general_name(kind, self.fields.text(text))
            for kind in csr.NAME_KINDS
            for text in self.profile[f"certificate.{kind}"]
        ]

    # -- switch ----------------------------------------------------------------------------

    def switched(self):
        """True unless a verified certificate waits to be switched to."""
        return self._owner_of_waiting() is None

    def _owner_of_waiting(self):
        waiting = self.held.certificate(NEXT_CERTIFICATE)
        for labels in (NEXT, CURRENT):
            if self.good(waiting, self.held.pair(*labels)):
                return labels
        return None

    def switch(self):
        """The new key proves itself, then takes over, certificate and all, at once."""
        labels = self._owner_of_waiting()
        waiting = self.held.certificate(NEXT_CERTIFICATE)
        self.challenge(labels[0], waiting.public_key())
        moves = [(keys.CERTIFICATE, NEXT_CERTIFICATE, DEVICE_CERTIFICATE)]
        if labels == NEXT:
            moves.append((keys.PRIVATE_KEY, NEXT[0], CURRENT[0]))
            moves.append((keys.PUBLIC_KEY, NEXT[1], CURRENT[1]))
        self.board.switch(moves)
        self.held.changed()
        self.renewed = True
        return "the key signed a challenge and is in use, with its certificate"

    def challenge(self, label, public):
        """Have fresh random bytes signed on the board and verify the signature here."""
        message = os.urandom(32)
        signature = self.board.sign(hashlib.sha256(message).digest(), label)
        try:
            public.verify(csr.der_signature(signature), message, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise Problem(
                f"{label!r} signed a challenge wrongly", "its certificate is for another key"
            ) from None

    # -- chain -----------------------------------------------------------------------------

    def chain_labels(self):
        """Labels of the stored chain certificates."""
        return sorted(one for one in self.held.labels(keys.CERTIFICATE) if one.startswith(CHAIN))

    def _needed_chain(self):
        """DER of the certificates between the one in use and a trusted one; None: not known."""
        certificate = self.current_good()
        if certificate is None:
            return None
        path = self.path(certificate, self.held.pair(*CURRENT))
        return {keys.certificate_item(one).value for one in path[1:-1]}

    def chain_tidy(self):
        """True if exactly the needed certificates are stored."""
        needed = self._needed_chain()
        if needed is None:
            return True
        stored = [self.held.value(label, keys.CERTIFICATE) for label in self.chain_labels()]
        return set(stored) == needed and len(stored) == len(needed)

    def tidy_chain(self):
        """Add what is missing, then destroy what is of an earlier identity."""
        needed = self._needed_chain()
        for der in sorted(needed):
            for certificate in key_files.certificates(der, CHAIN):
                self._add_to_chain(certificate)
        kept = set()
        for label in self.chain_labels():
            der = self.held.value(label, keys.CERTIFICATE)
            if der in needed and der not in kept:
                kept.add(der)
            else:
                self.board.destroy(label, keys.CERTIFICATE)
        self.held.changed()
        return f"{len(needed)} certificates between the board's and a trusted one"

    def _add_to_chain(self, certificate):
        item = keys.certificate_item(certificate)
        labels = self.chain_labels()
        if item.value in [self.held.value(label, keys.CERTIFICATE) for label in labels]:
            return
        number = 1
        while f"{CHAIN} {number}" in labels:
            number += 1
        self.board.import_item(item, f"{CHAIN} {number}")
        self.held.changed()

    # -- the last check --------------------------------------------------------------------

    def verify(self):
        """Everything once more, from the board: path, key, a challenge. Returns a sentence."""
        certificate = self.held.certificate(DEVICE_CERTIFICATE)
        point = self.held.pair(*CURRENT)
        if certificate is None and not self.certifies:
            return self._verify_claim(point)
        if certificate is None or point is None:
            raise Problem("the board has no identity", "run `p11board provision` to the end")
        path = self.path(certificate, point)
        self.challenge(DEVICE_PRIVATE, certificate.public_key())
        self.certificate = certificate
        if len(path) == 1 and not self.inputs.anchors:
            trust = "its path was not checked, the profile trusts nobody"
        else:
            trust = f"a path of {len(path)} leads to {chain.name_of(path[-1])}"
        return f"{chain.name_of(certificate)}: {trust}; the key signed a challenge"

    def _verify_claim(self, point):
        """A board that will get its certificate in the field."""
        claim = self.held.certificate(CLAIM_CERTIFICATE)
        if claim is None or point is None:
            raise Problem("the claim or the device key is missing", "run `p11board provision`")
        chain.check_leaf(claim)
        self.challenge(CLAIM_KEY, claim.public_key())
        self.challenge(DEVICE_PRIVATE, keys.public_key(point))
        self.certificate = claim
        return f"claim {chain.name_of(claim)} and the device key each signed a challenge"
