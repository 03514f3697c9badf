# SPDX-License-Identifier: MIT
"""Fixtures of the tests that need no board."""

import datetime

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from p11board.cli import cli


@pytest.fixture(scope="session")
def ec_key():
    """A P-256 private key."""
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture(scope="session")
def certificate(ec_key):
    """A self-signed certificate for `ec_key`."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "unit test")])
    start = datetime.datetime(2024, 1, 1, tzinfo=datetime.timezone.utc)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(ec_key.public_key())
        .serial_number(0x8000)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=3650))
        .sign(ec_key, hashes.SHA256())
    )


@pytest.fixture(scope="session")
def certificate_der(certificate):
    """Its DER form."""
    return certificate.public_bytes(serialization.Encoding.DER)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run `p11board` in this process: run("info", …) -> click's Result."""
    for name in ("P11BOARD", "P11BOARD_STATE", "P11BOARD_PIN_FILE"):
        monkeypatch.delenv(name, raising=False)
    state = tmp_path / "state"

    def invoke(*arguments, **options):
        return CliRunner().invoke(cli, ["--state", str(state), *map(str, arguments)], **options)

    invoke.state = state
    return invoke
