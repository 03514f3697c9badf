# SPDX-License-Identifier: MIT
"""What the TLS tests need on the host: a CA with its certificates, a broker, an OpenSSL server."""

import contextlib
import datetime
import ipaddress
import os
import socket
import subprocess
import time

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

DAY = datetime.timedelta(days=1)
SERVER = "broker.test"
SECONDS = 30


def name(text):
    """A distinguished name."""
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


class Authority:
    """A CA in a folder: ca.pem, and what it issued."""

    def __init__(self, folder, text="test CA"):
        folder.mkdir(exist_ok=True)
        self.folder = folder
        self.name = name(text)
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = self.issue(text, self.key.public_key(), authority=True)
        self.file = self.write("ca.pem", self.certificate)

    def issue(self, text, public_key, days=(-1, 30), authority=False):
        """A certificate; days: from and to, relative to now."""
        now = datetime.datetime.now(datetime.timezone.utc)
        names = [x509.DNSName(text), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(text))
            .issuer_name(self.name)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + days[0] * DAY)
            .not_valid_after(now + days[1] * DAY)
            .add_extension(x509.BasicConstraints(authority, None), True)
        )
        if not authority:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
        return builder.sign(self.key, hashes.SHA256())

    def write(self, file, thing):
        """Write a certificate, list or key as PEM; returns the path."""
        path = self.folder / file
        encoding = serialization.Encoding.PEM
        if hasattr(thing, "private_bytes"):
            form = serialization.PrivateFormat.PKCS8
            data = thing.private_bytes(encoding, form, serialization.NoEncryption())
        else:
            data = thing.public_bytes(encoding)
        path.write_bytes(data)
        return path

    def revoke(self, *certificates):
        """A revocation list in a file."""
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.name)
        builder = builder.last_update(now - DAY).next_update(now + DAY)
        for certificate in certificates:
            entry = x509.RevokedCertificateBuilder().serial_number(certificate.serial_number)
            builder = builder.add_revoked_certificate(entry.revocation_date(now - DAY).build())
        return self.write("crl.pem", builder.sign(self.key, hashes.SHA256()))

    def server(self, days=(-1, 30), text=SERVER):
        """(certificate file, key file) of a server."""
        key = ec.generate_private_key(ec.SECP256R1())
        stem = f"server{days[1]}{text}"
        certificate = self.write(stem + ".pem", self.issue(text, key.public_key(), days))
        return certificate, self.write(stem + ".key", key)


def free_port():
    """A TCP port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextlib.contextmanager
def running(command, port, log, **more):
    """A server, as soon as it listens; ended afterwards."""
    with open(log, "ab") as file:
        process = subprocess.Popen(
            [str(word) for word in command],
            **{"stdin": subprocess.PIPE, "stdout": file, "stderr": file, **more},
        )
    try:
        deadline = time.monotonic() + SECONDS
        while True:
            assert process.poll() is None, log.read_text()
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                break
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.02)
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdin.close()


@contextlib.contextmanager
def broker(authority, folder, version=None, revoked=None, server=None, port=None):
    """mosquitto that wants client certificates of the authority; gives its port."""
    port = port or free_port()
    certificate, key = server or authority.server()
    lines = [
        f"listener {port} 127.0.0.1",
        f"cafile {authority.file}",
        f"certfile {certificate}",
        f"keyfile {key}",
        "require_certificate true",
        "use_identity_as_username true",
        "log_dest stderr",
        "log_type all",
        "persistence false",
        "user root",  # when run by root: do not become another user
    ]
    if revoked:
        lines.append(f"crlfile {revoked}")
    file = folder / "mosquitto.conf"
    file.write_text("\n".join(lines) + "\n")
    # mosquitto's own tls_version is a least one; OpenSSL knows the highest.
    system = folder / "openssl.cnf"
    highest = f"MaxProtocol = {version}\n" if version else ""
    system.write_text(
        f"openssl_conf = a\n[a]\nssl_conf = b\n[b]\nsystem_default = c\n[c]\n{highest}"
    )
    environment = {**os.environ, "OPENSSL_CONF": str(system)}
    command = ["/usr/sbin/mosquitto", "-c", file]
    with running(command, port, folder / "mosquitto.log", env=environment):
        yield port


@contextlib.contextmanager
def openssl_server(authority, folder, *options, server=None):
    """`openssl s_server` that wants a client certificate and sends back every line reversed."""
    port = free_port()
    certificate, key = server or authority.server()
    command = ["openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-cert", certificate]
    command += ["-key", key, "-CAfile", authority.file, "-Verify", "2", "-verify_return_error"]
    with running([*command, "-rev", *options], port, folder / "s_server.log"):
        yield port
