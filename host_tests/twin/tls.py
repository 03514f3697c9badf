# SPDX-License-Identifier: MIT
"""CPython stand-in for MicroPython's `tls` module, as far as pkcs11.tls uses it.

No TLS: a handshake asks ecdsa_sign_callback for one signature over DIGEST, as mbedTLS does for a
CertificateVerify, and raises OSError when what comes back is no signature. What the real module does
is tested on the emulated board (host_tests/board/test_tls.py).
"""

PROTOCOL_TLS_CLIENT = 0
DIGEST = bytes(range(32))
SIGNATURE_MAX = 139  # bytes of a DER signature of the longest curve, P-521


def _scalar(key):
    """The scalar in a SEC 1 key (RFC 5915), a DER SEQUENCE of version 1 and an OCTET STRING."""
    at = 2 if key[1] < 0x80 else 2 + (key[1] & 0x7F)
    assert key[at : at + 4] == b"\x02\x01\x01\x04"
    return key[at + 5 : at + 5 + key[at + 4]]


class SSLContext:
    """Keeps what it is given. A stream's `fails` is what the next call of its link raises."""

    def __init__(self, protocol):
        assert protocol == PROTOCOL_TLS_CLIENT
        self.ecdsa_sign_callback = None

    def load_cert_chain(self, cert, key):
        if b"broken" in cert:
            raise ValueError("invalid cert")
        self.cert = cert
        self.key = key

    def load_verify_locations(self, cadata):
        if not cadata.startswith(b"-----BEGIN CERTIFICATE-----\nMII"):
            raise ValueError("invalid cert")
        self.cadata = cadata

    def wrap_socket(self, stream, server_hostname=None):
        if stream.fails:
            raise stream.fails
        signature = self.ecdsa_sign_callback(_scalar(self.key), DIGEST)
        if signature is None or len(signature) > SIGNATURE_MAX:
            raise OSError(-0x4E80, "MBEDTLS_ERR_ECP_BAD_INPUT_DATA")
        return Link(stream, server_hostname, signature)


class Link:
    """A connection whose bytes go to the stream as they are."""

    def __init__(self, stream, name, signature):
        self.stream = stream
        self.name = name
        self.signature = signature
        self.closed = False

    def _use(self):
        if self.stream.fails:
            raise self.stream.fails

    def read(self, size):
        self._use()
        return b"r" * size

    def readinto(self, buf):
        self._use()
        return len(buf)

    def write(self, data):
        self._use()
        return len(data)

    def cipher(self):
        return ("TLS-ECDHE-ECDSA-WITH-AES-128-GCM-SHA256", "TLSv1.2")

    def close(self):
        self.closed = True
