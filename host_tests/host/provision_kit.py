# SPDX-License-Identifier: MIT
"""Provisioning without a serial line: a token in memory behind the firmware's own hostlink.

`Device` is a board with a plug: `cut_at` ends the n-th request before or after it was carried
out, as a power cut or a pulled cable would.  `Authority` makes certificates for tests, `DEMO` and
`FILES` are the profiles that most tests provision with.
"""

import datetime
import io
import json
from contextlib import redirect_stdout
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from p11board import identity_steps, keys, plan, profile, work
from p11board.board import Board
from p11board.errors import TransportProblem

PEM = serialization.Encoding.PEM
DAY = datetime.timedelta(days=1)
WRITES = {"init", "init_pin", "set_pin", "seed", "keygen", "import", "destroy", "switch"}
USER, SO = b"123456", b"87654321"

DEMO = """
kind = "plain"
[certificate]
signer = "demo"
subject = "CN={id},O=Test"
[objects]
root = "demo"
jitp = "demo"
code_verify = "demo"
"""
FILES = """
kind = "plain"
[certificate]
trust = ["ca.pem"]
"""
GUIDE = {
    ("Device Cert", "certificate"),
    ("Device Priv TLS Key", "private key"),
    ("Device Pub TLS Key", "public key"),
    ("Root Cert", "certificate"),
    ("JITP Cert", "certificate"),
    ("Code Verify Key", "public key"),
}


class Device:
    """A token's host side. select(token): called before each request, for several tokens."""

    def __init__(self, token, select=lambda token: None, serial=b"00C0FFEE"):
        self.token = token
        token.settings.serial = serial
        self.select = select
        self.requests = []  # names, since the last connection
        self.cut_at = None  # (number of the request, carried out)

    def connect(self):
        """A new connection, with the power on."""
        self.requests = []
        self.cut_at = None
        return Board(self)

    def ask(self, line):
        """What Link.ask does, within this process."""
        from pkcs11 import hostlink

        self.select(self.token)
        number = len(self.requests) + 1
        self.requests.append(json.loads(line)["cmd"])
        if self.cut_at == (number, False):
            raise TransportProblem("cut")
        with redirect_stdout(io.StringIO()) as out:
            hostlink.run(line)
        if self.cut_at == (number, True):
            raise TransportProblem("cut")
        return out.getvalue()

    @property
    def writes(self):
        """The requests since the last connection that change something."""
        return [name for name in self.requests if name in WRITES]


def job(folder, text, **more):
    """A Job for a profile text, with PIN files in `folder`."""
    for name, pin in (("user.pin", USER), ("so.pin", SO)):
        (folder / name).write_bytes(pin + b"\n")
    files = {"user": str(folder / "user.pin"), "so": str(folder / "so.pin")}
    settings = {"changes": more.pop("changes", ())}
    made = profile.parse(text, "test.toml", folder, **settings)
    return work.Job(made, files, {}, folder / "demo-ca", **more)


def carry_out(device, todo, **values):
    """Provision a device. Returns (Work, outcomes)."""
    done = work.Work(device.connect(), todo, values)
    return done, plan.run(done.steps())


def states(outcomes):
    """{name of the step: state}."""
    return {outcome.name: outcome.state for outcome in outcomes}


def handed_over(device, tmp_path, ca, **how):
    """Export a request, have it signed, import. Returns the outcomes of the import."""
    request, answer = tmp_path / "x.csr", tmp_path / "x.pem"
    _, outcomes = carry_out(
        device, job(tmp_path, FILES, export_csr=str(tmp_path / "{id}.csr")), id="x"
    )
    assert outcomes[-1].name == "certificate" and outcomes[-1].state == plan.WAITING
    certificate = ca.sign(request.read_bytes(), **how)
    write(answer, pem(certificate))
    _, outcomes = carry_out(
        device, job(tmp_path, FILES, import_cert=str(tmp_path / "{id}.pem")), id="x"
    )
    return outcomes, certificate


def contents(device):
    """{(label, class): value or id} of the token, as the user sees it."""
    board = device.connect()
    board.ask_pin_with(lambda: USER)
    found = {}
    for one in board.objects():
        value = one["id"]
        if one["class"] != "private key":
            value = board.read(one["label"], one["class"])["value"]
        assert (one["label"], one["class"]) not in found
        found[one["label"], one["class"]] = value
    return found


def identity(device):
    """(point, certificate) in use; they belong together and the key signs."""
    held = work.Holdings(device.connect())
    held.board.ask_pin_with(lambda: USER)
    point = held.pair(*identity_steps.CURRENT)
    certificate = held.certificate("Device Cert")
    if certificate is not None:
        assert keys.certificate_point(certificate) == point
        signature = held.board.sign(bytes(32))
        assert held.board.verify(bytes(32), signature)
    return point, certificate


class Authority:
    """A CA; `issue` makes certificates, `below` another CA."""

    def __init__(self, name, issuer=None, **how):
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        signer = issuer or self
        how.setdefault("extensions", [(x509.BasicConstraints(True, None), True)])
        self.certificate = signer.issue(self.key.public_key(), self.name, **how)

    def issue(self, public, subject, begin=-1, end=365, extensions=(), hash_=None):
        """A certificate; begin and end in days from now, extensions as (value, critical)."""
        now = datetime.datetime.now(datetime.timezone.utc)
        if isinstance(subject, str):
            subject = x509.Name.from_rfc4514_string(subject)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self.name)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begin * DAY)
            .not_valid_after(now + end * DAY)
        )
        for value, critical in extensions:
            builder = builder.add_extension(value, critical)
        return builder.sign(self.key, hash_ or hashes.SHA256())

    def sign(self, request, **how):
        """A certificate for a request (PEM bytes)."""
        loaded = x509.load_pem_x509_csr(request)
        assert loaded.is_signature_valid
        return self.issue(loaded.public_key(), loaded.subject, **how)


def pem(*certificates):
    """Certificates as one PEM file."""
    return b"".join(certificate.public_bytes(PEM) for certificate in certificates)


def key_pem(key, password=None, form=serialization.PrivateFormat.PKCS8):
    """A private key as PEM."""
    encryption = serialization.NoEncryption()
    if password:
        encryption = serialization.BestAvailableEncryption(password)
    return key.private_bytes(PEM, form, encryption)


def write(path, data):
    """Write a file; returns its path."""
    Path(path).write_bytes(data)
    return path
