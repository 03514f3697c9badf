# SPDX-License-Identifier: MIT
"""The files a profile names, read and checked before the board is touched."""

import datetime
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidSignature

from p11board import chain, key_files, keys
from p11board.demo_ca import DemoCA
from p11board.errors import FileProblem
from p11board.files import read_file
from p11board.profile import DEMO, JITP, JITR

SECONDS_PER_HOUR = 3600


@dataclass
class Inputs:
    """Decoded files: keys.Item objects (None: the profile has none) and certificates."""

    root: keys.Item = None
    code_verify: keys.Item = None
    jitp: keys.Item = None
    claim_certificate: keys.Item = None
    claim_key: keys.Item = None
    key: keys.Item = None
    anchors: list = field(default_factory=list)
    between: list = field(default_factory=list)
    ca: DemoCA = None


def read(profile, fields, pins, ca_folder):
    """The Inputs of a profile for one board. Raises FileProblem or UsageProblem."""
    found = Inputs()
    if DEMO in (profile["certificate.signer"], *(profile[key] for key in DEMO_FILES)):
        found.ca = DemoCA(ca_folder)

    def item(key, wanted=None, password=None):
        name = profile[key]
        if not name:
            return None
        if name == DEMO and key in DEMO_FILES:
            return DEMO_FILES[key](found.ca)
        path = fields.path(name)
        data = read_file(path, f"{path} ({key})")
        return key_files.decode(data, str(path), wanted, password)

    found.root = item("objects.root", keys.CERTIFICATE)
    found.jitp = item("objects.jitp", keys.CERTIFICATE)
    found.code_verify = item("objects.code_verify")
    if found.code_verify and found.code_verify.kind == keys.PRIVATE_KEY:
        raise FileProblem(
            f"{profile['objects.code_verify']} is a private key",
            "the board gets the public half: `openssl pkey -pubout`",
        )
    if profile.claims:
        _read_claim(found, profile, fields, item, pins)
    if profile["key.source"] == "file":
        secret = _password(profile, fields, "key", pins)
        found.key = item("key.file", keys.PRIVATE_KEY, secret)
    found.anchors = _certificates(profile, fields, "certificate.trust")
    found.between = _certificates(profile, fields, "certificate.chain")
    if profile["certificate.signer"] == DEMO:
        found.anchors.append(found.ca.root)
        found.between.append(found.ca.jitp)
    return found


DEMO_FILES = {
    "objects.root": lambda ca: keys.certificate_item(ca.root),
    "objects.jitp": lambda ca: keys.certificate_item(ca.jitp),
    "objects.code_verify": lambda ca: keys.public_item(ca.code_key.public_key()),
}


def _read_claim(found, profile, fields, item, pins):
    """Claim certificate and key belong together, and live no longer than allowed."""
    found.claim_certificate = item("claim.certificate", keys.CERTIFICATE)
    secret = _password(profile, fields, "claim", pins)
    found.claim_key = item("claim.key", keys.PRIVATE_KEY, secret)
    name = profile["claim.certificate"]
    if found.claim_certificate.point != found.claim_key.point:
        raise FileProblem(f"{name} is for another key than {profile['claim.key']}")
    (certificate,) = key_files.certificates(found.claim_certificate.value, name)
    hours = profile["claim.max_hours"]
    life = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    if hours and life > datetime.timedelta(hours=hours):
        raise chain.BadCertificate(
            f"the claim {name} lives {life.total_seconds() / SECONDS_PER_HOUR:.0f} hours",
            f"the profile allows {hours}: get a short-lived one",
        )


def _password(profile, fields, table, pins):
    """Callable for the password of the encrypted key in a table of the profile."""
    file = profile[f"{table}.password_file"]
    path = fields.path(file) if file else None
    name = profile["claim.key" if table == "claim" else "key.file"]
    return lambda: pins.password(name, path)


def _certificates(profile, fields, key):
    found = []
    for name in profile[key]:
        path = fields.path(name)
        found += key_files.certificates(read_file(path, f"{path} ({key})"), str(path))
    return found


def issued_as_the_kind_wants(profile, inputs, leaf):
    """Refuse a certificate that AWS would not let in: its issuer is not the registered CA."""
    if profile["kind"] not in (JITP, JITR):
        return
    (signer,) = key_files.certificates(inputs.jitp.value, profile["objects.jitp"])
    try:
        leaf.verify_directly_issued_by(signer)
    except (ValueError, TypeError, InvalidSignature):
        raise chain.BadCertificate(
            f"{chain.name_of(leaf)} was not issued by {chain.name_of(signer)}",
            "a jitp or jitr board presents the certificate of the CA that signed its own",
        ) from None
