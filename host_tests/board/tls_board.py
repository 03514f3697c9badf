# SPDX-License-Identifier: MIT
"""A board with a device's identity, and the programs that a tunnel on its serial line runs.

CONNECT begins a program: attempt() makes one connection and prints how it went.
"""

import os
import subprocess
import sys
from pathlib import Path

from board import tls_kit
from cryptography.hazmat.primitives import serialization

from p11board import keys

ROOT = Path(__file__).resolve().parents[2]
KEY, CERT, CA = "Device Priv TLS Key", "Device Cert", "Root Certificate"
CONNECT = f"""
from pkcs11 import P11Error, tls, tunnel
from pkcs11.tls_errors import TLSError
def context(**more):
    given = dict(cert={CERT!r}, key={KEY!r}, ca={CA!r}, pin=bytearray(b"0000"))
    given.update(more)
    return tls.context(**given)
def attempt(clock=True, sni={tls_kit.SERVER!r}, **more):
    try:
        sock = tunnel.connect()
        if clock:
            tunnel.set_clock(sock.time)
        c = context(**more)
        try:
            link = c.connect(sock, sni)
            link.write(b"hello\\n")
            print("got", link.read(6), *link.cipher())
            link.close()
        finally:
            c.close()
            sock.close()
    except (TLSError, P11Error) as error:
        print("failed:", error)
"""
ATTEMPT = CONNECT + "attempt()\n"


class TlsBoard:
    """A board with a device's identity of one CA, and its tunnel."""

    def __init__(self, board, folder):
        self.board = board
        self.folder = folder
        self.process = None
        self.ca = tls_kit.Authority(folder / "ca")
        with board.connected() as token:
            point = bytes.fromhex(token.keygen(KEY)["point"])
        self.public_key = keys.public_key(point)
        self.certificate = self.ca.issue("board-1", self.public_key)
        self.store(CERT, self.certificate)
        self.store(CA, self.ca.certificate)

    def store(self, label, certificate):
        """Put a certificate on the token."""
        path = self.folder / "certificate.der"
        path.write_bytes(der(certificate))
        self.board.p11board("import", path, "--label", label)

    def command(self, port, program, *more):
        """The command line of a tunnel that runs a program."""
        words = [sys.executable, "-m", "p11board", *self.board.options(), "tunnel"]
        return [*words, f"127.0.0.1:{port}", "--run", str(program), *more]

    def start(self, port, source):
        """A tunnel with a program, as a process; the next one ends it."""
        self.end()
        program = self.folder / "program.py"
        program.write_text(source)
        self.process = subprocess.Popen(
            self.command(port, program),
            env={**os.environ, "PYTHONPATH": str(ROOT / "tools")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self.process

    def end(self):
        """No tunnel any more."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            print("killed:", self.process.communicate())

    def run(self, port, source=ATTEMPT, code=0):
        """What a program on the board prints, with a tunnel to a port."""
        process = self.start(port, source)
        output, errors = process.communicate(timeout=tls_kit.SECONDS)
        assert process.returncode == code, (output, errors)
        return output


def der(certificate):
    """DER of a certificate."""
    return certificate.public_bytes(serialization.Encoding.DER)
