# SPDX-License-Identifier: MIT
"""The demo's certificate authority and the files it keeps beside the emulated board.

For showing only: its keys lie unprotected in the state directory.  The files are made once and
kept, so that a second demo meets the same root, the same code-signing key and the same JITP
certificate as the first.
"""

import datetime

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CA_DAYS = 3650
DEVICE_DAYS = 365


def _name(common_name):
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "micropython-pkcs11 demo"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _key_file(path):
    """The P-256 key in a file, made when it is not there."""
    if path.exists():
        return serialization.load_pem_private_key(path.read_bytes(), None)
    key = ec.generate_private_key(ec.SECP256R1())
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return key


def _certificate(subject, public_key, issuer, issuer_key, days, is_ca, names=None):
    now = datetime.datetime.now(datetime.timezone.utc)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )
    if not is_ca:
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
        purposes = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = builder.add_extension(authority, critical=False)
        builder = builder.add_extension(purposes, critical=False)
        if names is not None:
            builder = builder.add_extension(names, critical=False)
    return builder.sign(issuer_key, hashes.SHA256())


class DemoCA:
    """A root CA, a JITP signer below it and a code-signing key, in `folder`."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.root_key = _key_file(folder / "root-ca.key")
        self.jitp_key = _key_file(folder / "jitp-ca.key")
        self.code_key = _key_file(folder / "code-signing.key")
        root = _name("demo root CA")
        self.root = self._kept("root-ca.pem", root, self.root_key, root)
        self.jitp = self._kept("jitp-ca.pem", _name("demo JITP CA"), self.jitp_key, root)

    def _kept(self, file, subject, key, issuer):
        path = self.folder / file
        if path.exists():
            return x509.load_pem_x509_certificate(path.read_bytes())
        made = _certificate(subject, key.public_key(), issuer, self.root_key, CA_DAYS, True)
        path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        return made

    def issue(self, request, days=DEVICE_DAYS, jitp=False):
        """A device certificate for a certificate request, also written to device.pem.

        Subject and SubjectAltName are the request's.  Signed by the root, or by the JITP CA.
        """
        try:
            names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        except x509.ExtensionNotFound:
            names = None
        issuer, key = (self.jitp, self.jitp_key) if jitp else (self.root, self.root_key)
        made = _certificate(
            request.subject, request.public_key(), issuer.subject, key, days, False, names
        )
        (self.folder / "device.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
        return made
