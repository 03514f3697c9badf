# SPDX-License-Identifier: MIT
"""Fixtures of the tests that need no board."""

import datetime
import json
import sys
import types
from pathlib import Path

import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from host.fake_board import FakeBoard
from host.provision_kit import Authority, Device, pem, write

from p11board.cli import cli

sys.path.append(str(Path(__file__).resolve().parent.parent / "pkcs11"))


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
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "logs"))
    state = tmp_path / "state"

    def invoke(*arguments, **options):
        return CliRunner().invoke(cli, ["--state", str(state), *map(str, arguments)], **options)

    invoke.state = state
    return invoke


@pytest.fixture
def token(monkeypatch):
    """The board's token, blank, over a store in memory."""
    import p11crypto
    from memory_store import MemoryStore

    import pkcs11
    from pal.pal import Pal
    from pkcs11.settings import Settings
    from pkcs11.token import Token

    geometry = types.ModuleType("geometry")
    geometry.BOARD, geometry.ENTROPY, geometry.DEVICE_SECRET = "FAKE", "none", None
    geometry.FLASH_MAP = {"keys": (0x400000, 0x10000)}
    monkeypatch.setitem(sys.modules, "geometry", geometry)
    p11crypto.test_reset()
    made = Token(Pal(MemoryStore()), Settings(iterations=50, clock=lambda: made.now))
    made.now = 0  # ms
    monkeypatch.setattr(pkcs11, "_token", made)
    return made


@pytest.fixture
def device(token):
    """A board with that token, for provisioning."""
    return Device(token)


@pytest.fixture
def ca(tmp_path):
    """A CA, its certificate in ca.pem of the test's folder."""
    made = Authority("test CA")
    write(tmp_path / "ca.pem", pem(made.certificate))
    return made


@pytest.fixture
def board(token, run):
    """p11board(…) against a fake board with that token."""
    with FakeBoard() as fake:

        def p11board(*arguments, code=0, **options):
            result = run("--board", fake.port, *arguments, **options)
            if result.exception and not isinstance(result.exception, SystemExit):
                raise result.exception
            assert result.exit_code == code, result.output
            return result

        p11board.fake = fake
        p11board.json = lambda *a: json.loads(p11board(*a, "--json").stdout)
        yield p11board
