# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405  (the constants of the standard, by their names)
"""pkcs11.tls between a token and a `tls` module that does no TLS: keys, errors, logins.

Real handshakes are in host_tests/board/test_tls.py.
"""

import base64
import datetime

import pytest
import tls as fake
from token_kit import *

from pkcs11 import tls, tls_errors
from pkcs11.application import Application
from pkcs11.tls_errors import TLSError, explain

KEY = "Device Priv TLS Key"
CERT = "Device Cert"
CA = "Root Certificate"


class Stream:
    """What a connection runs over. fails: the exception of its next use, or None."""

    def __init__(self, fails=None, reason=None):
        self.fails = fails
        self.reason = reason
        self.seconds = 0
        self.closed = False

    def settimeout(self, seconds):
        self.seconds = seconds

    def close(self):
        self.closed = True


@pytest.fixture
def identity(app, session):
    """An imported key, its certificate and a CA in the token; the key on the host's side."""
    key = ec_key()
    attributes = [(CKA_CLASS, CKO_PRIVATE_KEY), (CKA_KEY_TYPE, CKK_EC), (CKA_TOKEN, True)]
    attributes += [(CKA_EC_PARAMS, OID_P256), (CKA_LABEL, KEY.encode()), (CKA_SIGN, True)]
    app.C_CreateObject(session, [*attributes, (CKA_VALUE, bytearray(scalar(key)))])
    for label, data in ((CERT, certificate(key)), (CA, certificate(ec_key(), "ca"))):
        app.C_CreateObject(
            session,
            [
                (CKA_CLASS, CKO_CERTIFICATE),
                (CKA_CERTIFICATE_TYPE, CKC_X_509),
                (CKA_TOKEN, True),
                (CKA_LABEL, label.encode()),
                (CKA_SUBJECT, b"\x30\x00"),
                (CKA_VALUE, data),
            ],
        )
    return key


@pytest.fixture
def context(app, identity):
    return tls.context(CERT, KEY, CA, app=app)


def test_a_reference_key_holds_the_handle_and_the_public_point():
    for curve, size in ((1, 32), (2, 48)):
        key = tls.reference_key(curve, b"\x04" + bytes(2 * size), 0x123456789)
        found = fake._scalar(key)
        assert len(found) == size and tls.handle_of(found) == 0x123456789


@pytest.mark.parametrize("scalar", [b"", bytes(32), b"\x50PKCS11 key object\x00", b"\xff" * 48])
def test_any_other_scalar_is_no_reference(scalar):
    assert tls.handle_of(scalar) is None


def test_a_firmware_whose_tls_cannot_ask_the_token_says_so(app, identity, monkeypatch):
    """As on an ESP32, or a board built without the option."""

    class Unhooked(fake.SSLContext):
        def __setattr__(self, name, value):
            if name == "ecdsa_sign_callback" and hasattr(self, name):
                raise AttributeError(name)
            super().__setattr__(name, value)

    monkeypatch.setattr(fake, "SSLContext", Unhooked)
    with pytest.raises(TLSError, match="MICROPY_PY_SSL_ECDSA_SIGN_ALT"):
        tls.context(CERT, KEY, CA, app=app)


def test_the_token_signs_the_handshake(context, identity):
    stream = Stream()
    link = context.connect(stream, "broker.example")
    assert link.ssl.name == "broker.example"
    digest = utils.Prehashed(hashes.SHA256())
    identity.public_key().verify(link.ssl.signature, fake.DIGEST, ec.ECDSA(digest))
    assert link.read(3) == b"rrr" and link.readinto(bytearray(5)) == 5 and link.write(b"ab") == 2
    link.settimeout(7)
    assert stream.seconds == 7 and link.cipher()[1] == "TLSv1.2"
    link.close()
    assert link.ssl.closed and stream.closed


def test_the_certificates_reach_mbedtls_as_pem(context, app, session, identity):
    text = context.ssl.cadata.decode().splitlines()
    assert text[0] == "-----BEGIN CERTIFICATE-----" and text[-1] == "-----END CERTIFICATE-----"
    assert max(map(len, text)) == 64
    found = x509.load_pem_x509_certificate(context.ssl.cert)
    assert found.public_key() == identity.public_key()


def test_a_key_of_somebody_else_is_not_signed_with(context):
    assert context.sign(b"\x01" * 32, fake.DIGEST) is None


def test_certificates_may_be_given_as_der_and_as_a_chain(app, session, identity):
    chain = [certificate(identity), CA]
    context = tls.context(chain, KEY, certificate(ec_key()), app=app)
    assert len(x509.load_pem_x509_certificates(context.ssl.cert)) == 2


def test_a_signature_that_the_token_refuses_is_reported_as_its_code(context, app, session):
    app.C_Logout(session)
    with raises_one_of(CKR_KEY_HANDLE_INVALID, CKR_USER_NOT_LOGGED_IN, CKR_OBJECT_HANDLE_INVALID):
        context.connect(Stream(), "broker.example")


def test_what_breaks_a_handshake_is_named(context):
    with pytest.raises(TLSError, match="the other side hung up"):
        context.connect(Stream(OSError(-0x7280, "MBEDTLS_ERR_SSL_CONN_EOF")), "broker.example")


@pytest.mark.parametrize(
    "use", [lambda c: c.read(1), lambda c: c.readinto(bytearray(1)), lambda c: c.write(b"a")]
)
def test_a_broken_connection_is_closed_and_says_why(context, use):
    stream = Stream()
    link = context.connect(stream, "broker.example")
    stream.fails = OSError(104)
    stream.reason = "the line lost bytes"
    with pytest.raises(TLSError, match="the connection was broken: the line lost bytes"):
        use(link)
    assert link.ssl.closed


@pytest.mark.parametrize(
    ("cert", "key", "ca", "text"),
    [
        ("no such label", KEY, CA, "cert=: the token has no certificate 'no such label'"),
        (CERT, "no such label", CA, "key=: the token has no private key 'no such label'"),
        (CERT, KEY, "no such label", "ca=: the token has no certificate 'no such label'"),
        (b"\x30\x03abc", KEY, CA, "cert=: no X.509 certificate with a P-256 or P-384 key"),
        (CERT, KEY, b"no certificate", "ca=: invalid cert"),
    ],
)
def test_what_is_missing_or_damaged_is_named(app, identity, cert, key, ca, text):
    with pytest.raises(TLSError, match=text):
        tls.context(cert, key, ca, app=app)


def test_no_certificate_at_all_is_a_bad_argument(app, identity):
    with raises(CKR_ARGUMENTS_BAD):
        tls.context([], KEY, CA, app=app)


def test_a_certificate_for_another_key_is_refused(app, identity):
    with pytest.raises(TLSError, match="the certificate is not for this key"):
        tls.context(certificate(ec_key()), KEY, CA, app=app)


def test_a_certificate_that_mbedtls_refuses_is_named(app, identity, monkeypatch):
    def refuse(self, cert, key):
        raise ValueError("invalid cert")

    monkeypatch.setattr(fake.SSLContext, "load_cert_chain", refuse)
    with pytest.raises(TLSError, match="cert=: invalid cert"):
        tls.context(CERT, KEY, CA, app=app)


def test_the_pin_is_wiped_and_its_login_ends_with_the_context(token, identity, app, monkeypatch):
    monkeypatch.setattr("pkcs11.application", lambda: Application(token))
    pins = [bytearray(b"0000"), bytearray(b"0000")]
    app.C_Finalize()
    for pin in (pins[0], lambda: pins[1]):
        context = tls.context(CERT, KEY, CA, pin)
        context.connect(Stream(), "broker.example").close()
        context.close()
        with raises(CKR_CRYPTOKI_NOT_INITIALIZED):
            context.connect(Stream(), "broker.example")
    assert pins == [bytearray(4), bytearray(4)]


def test_a_context_of_an_application_in_use_leaves_its_login_and_other_sessions(
    app, session, context
):
    def sessions():
        return app.C_GetTokenInfo(1).ulSessionCount

    before = sessions()
    context.close()
    assert sessions() == before - 1
    assert app.C_GetSessionInfo(session).state == CKS_RW_USER_FUNCTIONS


# --- texts -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "alert", "text"),
    [
        (OSError(-0x7780, "x"), 45, "refused: our certificate has expired"),
        (OSError(-0x7780, "x"), 200, "refused: alert 200"),
        (OSError(-0x1234, "SOMETHING"), -1, r"TLS failed \(SOMETHING\)"),
        (OSError(-110), -1, r"the other side is silent \(0x6e\)"),
        (OSError(), -1, "TLS failed"),
        (ValueError("The certificate Common Name (CN) does not match"), -1, "another name"),
        (ValueError("The certificate is not correctly signed by the trusted CA\n"), -1, "as ca="),
        (ValueError("something else "), -1, "something else"),
    ],
)
def test_every_error_becomes_one_sentence(error, alert, text):
    found = explain(error, alert)
    assert isinstance(found, OSError)
    assert "\n" not in str(found)
    with pytest.raises(TLSError, match=text):
        raise found


def test_an_expired_certificate_names_the_clock(monkeypatch):
    expired = ValueError("The certificate validity has expired")
    now = datetime.datetime.now(datetime.timezone.utc)
    assert "%d-" % now.year in str(explain(expired))
    assert "never set" not in str(explain(expired))
    monkeypatch.setattr(tls_errors, "gmtime", lambda: (2000, 1, 1, 0, 0, 0, 0, 1))
    assert "the clock was never set" in str(explain(expired))


def test_the_alert_of_the_other_side_is_kept():
    assert explain(OSError(-0x7780, "x"), 44).alert == 44
    assert explain(OSError(-0x7280, "x")).alert is None


@pytest.mark.parametrize("size", [1, 47, 48, 49, 96, 100])
def test_pem_has_no_empty_line(size):
    data = bytes(range(size))
    body = tls._pem(data).decode().splitlines()[1:-1]
    assert base64.b64decode("".join(body)) == data and all(body)
