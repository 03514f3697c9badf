# SPDX-License-Identifier: MIT
"""Is this certificate good for this key, and does a path lead from it to a trusted one?

Explicit checks after RFC 5280 §6.1, each with its own message.  The verifiers of `cryptography`
demand what the CAs of devices often leave out (a SubjectAltName, key identifiers), so they are
not used.  Names, signatures, validity, CA flag, path length and key usage are checked; revocation
and name constraints are not: a critical extension that is not understood is refused.
"""

import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID

from p11board import keys
from p11board.errors import FileProblem

DEPTH_MAX = 8  # certificates of a path
UNDERSTOOD = {
    ExtensionOID.BASIC_CONSTRAINTS,
    ExtensionOID.KEY_USAGE,
    ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
}
FOR_TLS = {
    ExtendedKeyUsageOID.CLIENT_AUTH,
    ExtendedKeyUsageOID.SERVER_AUTH,
    ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE,
}


class BadCertificate(FileProblem):
    """A certificate that must not be used; the message says why."""


def now():
    """The time certificates are judged at."""
    return datetime.datetime.now(datetime.timezone.utc)


def name_of(certificate):
    """The subject for a message."""
    return certificate.subject.rfc4514_string() or "a certificate without a subject"


def path_to_trust(leaf, others, anchors, when=None):
    """The certificates from `leaf` to a trusted one, both included.

    others: certificates that may stand between; anchors: the trusted ones.  Raises BadCertificate.
    """
    when = when or now()
    check_leaf(leaf, when)
    path = [leaf]
    while len(path) < DEPTH_MAX:
        issuer = _issuer_among(path[-1], anchors)
        if issuer is not None:
            _check_issuer(issuer, len(path) - 1, when)
            return path + ([] if issuer == path[-1] else [issuer])
        issuer = _issuer_among(path[-1], [one for one in others if one not in path])
        if issuer is None:
            raise BadCertificate(
                f"no path leads from {name_of(leaf)} to a trusted certificate: the issuer of "
                f"{name_of(path[-1])} is not there ({path[-1].issuer.rfc4514_string()})",
                "name its certificate in certificate.chain or certificate.trust of the profile",
            )
        _check_issuer(issuer, len(path) - 1, when)
        path.append(issuer)
    raise BadCertificate(f"the path has more than {DEPTH_MAX} certificates")


def check_key(certificate, point):
    """Refuse a certificate that is not for the key with this public point."""
    if keys.certificate_point(certificate) != point:
        raise BadCertificate(
            f"{name_of(certificate)} is for another key",
            "it was made from another request; make a new one with --export-csr",
        )


def fingerprint(certificate):
    """SHA-256 of the DER form, as hex."""
    return certificate.fingerprint(hashes.SHA256()).hex()


def summary(certificate):
    """What a report says of a certificate."""
    return {
        "subject": certificate.subject.rfc4514_string(),
        "issuer": certificate.issuer.rfc4514_string(),
        "serial": f"{certificate.serial_number:X}",
        "not_after": certificate.not_valid_after_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "sha256": fingerprint(certificate),
    }


def _issuer_among(certificate, candidates):
    """The candidate that signed `certificate`; an anchor may be the certificate itself."""
    for candidate in candidates:
        if candidate == certificate:
            return candidate
        if candidate.subject != certificate.issuer:
            continue
        try:
            certificate.verify_directly_issued_by(candidate)
        except (ValueError, TypeError, InvalidSignature):
            continue
        return candidate
    return None


def _check_dates(certificate, when):
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    if when < begin:
        raise BadCertificate(
            f"{name_of(certificate)} is not valid before {begin:%Y-%m-%d %H:%M} UTC",
            "is the clock of this computer right?",
        )
    if when > end:
        raise BadCertificate(
            f"{name_of(certificate)} expired on {end:%Y-%m-%d %H:%M} UTC", "renew it"
        )


def check_leaf(certificate, when=None):
    """Refuse a device's certificate that is out of date, or not for this use."""
    _check_dates(certificate, when or now())
    extensions = _extensions(certificate)
    basic = extensions.get(ExtensionOID.BASIC_CONSTRAINTS)
    if basic is not None and basic.ca:
        raise BadCertificate(f"{name_of(certificate)} is a CA, not a device's certificate")
    usage = extensions.get(ExtensionOID.KEY_USAGE)
    if usage is not None and not usage.digital_signature:
        raise BadCertificate(f"{name_of(certificate)} does not allow digital signatures")
    purposes = extensions.get(ExtensionOID.EXTENDED_KEY_USAGE)
    if purposes is not None and not FOR_TLS & set(purposes):
        raise BadCertificate(f"{name_of(certificate)} is for other purposes than TLS")


def _check_issuer(certificate, below, when):
    """below: CA certificates between it and the leaf."""
    _check_dates(certificate, when)
    extensions = _extensions(certificate)
    basic = extensions.get(ExtensionOID.BASIC_CONSTRAINTS)
    if basic is None or not basic.ca:
        raise BadCertificate(f"{name_of(certificate)} signed a certificate but is no CA")
    if basic.path_length is not None and below > basic.path_length:
        raise BadCertificate(f"{name_of(certificate)} allows fewer CAs below it")
    usage = extensions.get(ExtensionOID.KEY_USAGE)
    if usage is not None and not usage.key_cert_sign:
        raise BadCertificate(f"{name_of(certificate)} must not sign certificates")


def _extensions(certificate):
    """{OID: value}; refuses what is broken, or critical and not understood."""
    try:
        found = certificate.extensions
    except (ValueError, x509.DuplicateExtension) as error:
        reason = str(error).split(". ")[0].splitlines()[0]
        raise BadCertificate(f"{name_of(certificate)} has a broken extension ({reason})") from None
    for extension in found:
        if extension.critical and extension.oid not in UNDERSTOOD:
            raise BadCertificate(
                f"{name_of(certificate)} has a critical extension that is not understood "
                f"({extension.oid.dotted_string})"
            )
    return {extension.oid: extension.value for extension in found}
