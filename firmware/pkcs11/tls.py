# SPDX-License-Identifier: MIT
"""TLS with a client key that Python never sees (docs/TLS.md).

    from pkcs11 import tls, tunnel
    context = tls.context(cert="Device Cert", key="Device Priv TLS Key", ca="Root Certificate", pin=pin)
    link = context.connect(tunnel.connect("broker:8883"), "broker.example")

How: MicroPython's module tls (1.25 and later, built with MICROPY_PY_SSL_ECDSA_SIGN_ALT) wants a private
key with the certificate. It gets one that is none: a reference, whose "scalar" is a mark and the
object's handle. When mbedTLS wants a signature it calls `sign`, which finds the mark and has the token
sign. Promises: the token's login lasts as long as the Context; every failure is a TLSError or P11Error
with one sentence. Assumes ECDSA keys on P-256 or P-384.
"""

import gc
from binascii import b2a_base64
from struct import pack, unpack_from

import tls as _ssl
from micropython import const
from p11crypto import ecdsa_verify

from . import der, keys
from .attributes import is_buffer
from .const import CKR_ARGUMENTS_BAD
from .errors import P11Error
from .tls_errors import TLSError, explain

try:
    from _tls import alert as _alert
except ImportError:  # a port of MicroPython's own

    def _alert():
        """Return that no alert is known."""
        return -1


_MARK = b"\x50PKCS11 key object\x00"  # the scalar is below the order of either curve
_SIZES = (0, 32, 48)  # bytes of a scalar, by curve
_TOO_LONG = const(8192)  # bytes; no signature fits: mbedTLS gives up without printing a traceback


def reference_key(curve, point, handle):
    """Return the DER of a private key that stands for an object: SEC 1, its scalar the handle.

    point: its public point (so that nobody computes one from the "scalar").
    """
    scalar = _MARK + pack(">Q", handle)
    return bytes(der.sec1_encode(curve, scalar + bytes(_SIZES[curve] - len(scalar)), point))


def handle_of(scalar):
    """Return the handle in the scalar of a reference key, or None if it is not one."""
    scalar = bytes(scalar)
    size = len(_MARK)
    if scalar[:size] != _MARK or len(scalar) < size + 8:
        return None
    return unpack_from(">Q", scalar, size)[0]


def _pem(*certificates):
    """Return certificates (DER) as one PEM text, bytes."""
    parts = []
    for data in certificates:
        text = b2a_base64(data)[:-1]
        parts.append(b"-----BEGIN CERTIFICATE-----\n")
        parts.extend([text[at : at + 64] + b"\n" for at in range(0, len(text), 64)])
        parts.append(b"-----END CERTIFICATE-----\n")
    return b"".join(parts)


class Context:
    """A client's identity and whom it trusts. Made by `context`."""

    def __init__(self, token, key, certificates, authorities):
        self._token = token
        self._key = key
        self._failure = None  # P11Error of a signature that failed inside mbedTLS
        curve, point = self._public(certificates[0])
        self._check(curve, point)
        self.ssl = _ssl.SSLContext(_ssl.PROTOCOL_TLS_CLIENT)
        try:
            self.ssl.ecdsa_sign_callback = self.sign
        except AttributeError:
            raise TLSError(
                0, "module tls cannot ask the token: built without MICROPY_PY_SSL_ECDSA_SIGN_ALT"
            )
        try:
            self.ssl.load_cert_chain(_pem(*certificates), reference_key(curve, point, key.handle))
        except ValueError as error:
            raise TLSError(0, "cert=: %s" % error)
        try:
            self.ssl.load_verify_locations(_pem(*authorities))
        except ValueError as error:
            raise TLSError(0, "ca=: %s" % error)

    @staticmethod
    def _public(certificate):
        """Return (curve, point) of a certificate."""
        try:
            start, stop = der.certificate(certificate)[der.SPKI]
            return der.spki_decode(bytes(certificate[start:stop]))
        except ValueError:
            raise TLSError(0, "cert=: no X.509 certificate with a P-256 or P-384 key")

    def _check(self, curve, point):
        """Make sure that the key is the certificate's: by a signature."""
        challenge = self._token.random(_SIZES[curve])
        if not ecdsa_verify(curve, point, challenge, self._key.sign(challenge)):
            raise TLSError(0, "the certificate is not for this key")

    def sign(self, scalar, digest):
        """Callback of module tls: the signature (DER) of a digest, None for a key of its own."""
        handle = handle_of(scalar)
        if handle is None:
            return None
        try:
            return keys.Object(self._token, handle).sign_der(bytes(digest))
        except P11Error as error:
            self._failure = error
            return bytes(_TOO_LONG)

    def connect(self, stream, server_hostname):
        """Return a Connection over a stream to a server of this name. TLSError, P11Error."""
        self._failure = None
        _alert()
        gc.collect()  # mbedTLS wants 17 KB in one piece
        try:
            link = self.ssl.wrap_socket(stream, server_hostname=server_hostname)
        except (OSError, ValueError) as error:
            if self._failure:
                raise self._failure
            raise explain(error, _alert(), stream)
        return Connection(link, stream)

    def close(self):
        """Log out. Open connections go on, new ones fail."""
        self._token.close()


class Connection:
    """An encrypted stream. Its errors are TLSErrors. ssl: the object of module tls, for select."""

    def __init__(self, link, stream):
        self.ssl = link
        self._stream = stream

    def _call(self, method, argument):
        try:
            return method(argument)
        except (OSError, ValueError) as error:
            self.ssl.close()
            raise explain(error, _alert(), self._stream)

    def read(self, size):
        """Return up to size bytes; b"" at the end, None when nothing came (not waiting)."""
        return self._call(self.ssl.read, size)

    def readinto(self, buf):
        """Fill a buffer; return the number of bytes as `read` does."""
        return self._call(self.ssl.readinto, buf)

    def write(self, data):
        """Send bytes; return how many."""
        return self._call(self.ssl.write, data)

    def settimeout(self, seconds):
        """Wait for data so long (None: for ever, 0: not at all)."""
        self._stream.settimeout(seconds)

    def cipher(self):
        """Return (cipher suite, TLS version) as text."""
        return self.ssl.cipher()

    def close(self):
        """End the connection and the stream under it."""
        self.ssl.close()
        self._stream.close()


def _certificates(token, given, name):
    """Return the DER certificates that a label, DER or a list of them means."""
    if not isinstance(given, (list, tuple)):
        given = (given,)
    found = []
    for one in given:
        if is_buffer(one):
            found.append(bytes(one))
        else:
            try:
                found.append(bytes(token.certificate(one).value))
            except P11Error:
                raise TLSError(0, "%s=: the token has no certificate %r" % (name, one))
    if not found:
        raise P11Error(CKR_ARGUMENTS_BAD)
    return found


def context(cert, key, ca, pin=None, app=None):
    """Return a Context.

    cert: label (str) of the certificate object, or DER, or a list of these, own certificate first. key: label
    (str) of the private key. ca: as cert, whom to trust. pin: bytearray with the user PIN, wiped here; or a
    function that returns one; None when `app`, an Application, is logged in. P11Error, TLSError.
    """
    gc.collect()  # what is made now stays: keep it together
    if callable(pin):
        pin = pin()
    token = keys.Guest(app) if app else _open(pin)
    try:
        return Context(
            token,
            _private(token, key),
            _certificates(token, cert, "cert"),
            _certificates(token, ca, "ca"),
        )
    except BaseException:
        token.close()
        raise


def _open(pin):
    from . import application

    return keys.Token(application(), pin)


def _private(token, label):
    try:
        return token.key(label)
    except P11Error:
        raise TLSError(0, "key=: the token has no private key %r, or nobody is logged in" % label)
