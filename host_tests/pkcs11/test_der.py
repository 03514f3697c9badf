# SPDX-License-Identifier: MIT
"""Strict DER: what is encoded comes back, what is not DER does not, random bytes break nothing."""

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa, utils
from hypothesis import example, given, settings
from hypothesis import strategies as st
from token_kit import certificate, ec_key, point, scalar

from pkcs11 import der

CURVES = ((der.P256, ec.SECP256R1(), 32), (der.P384, ec.SECP384R1(), 48))


def spki(key):
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def sec1(key):
    return key.private_bytes(
        serialization.Encoding.DER,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )


# --- against cryptography ----------------------------------------------------------------------


@pytest.mark.parametrize("number, curve, size", CURVES)
def test_spki_as_cryptography_writes_it(number, curve, size):
    key = ec_key(curve)
    assert der.spki_encode(number, point(key)) == spki(key)
    assert der.spki_decode(spki(key)) == (number, point(key))
    assert der.spki_bits(spki(key)) == point(key)


def test_spki_of_rsa():
    key = rsa.generate_private_key(65537, 2048)
    numbers = key.public_key().public_numbers()
    modulus = numbers.n.to_bytes(256, "big")
    assert der.spki_rsa(modulus, b"\x01\x00\x01") == spki(key)
    assert der.spki_rsa(b"\0" + modulus, b"\0\x01\x00\x01") == spki(key)
    with pytest.raises(ValueError):
        der.spki_decode(spki(key))


@pytest.mark.parametrize("number, curve, size", CURVES)
def test_sec1_as_cryptography_writes_it(number, curve, size):
    key = ec_key(curve)
    written = der.sec1_encode(number, bytearray(scalar(key, size)), point(key))
    assert bytes(written) == sec1(key) and type(written) is bytearray
    assert der.sec1_decode(written) == (number, bytearray(scalar(key, size)), point(key))
    short = der.sec1_encode(number, bytearray(scalar(key, size)), None)
    assert der.sec1_decode(memoryview(short)) == (number, bytearray(scalar(key, size)), None)
    loaded = serialization.load_der_private_key(bytes(short), None)
    assert scalar(loaded, size) == scalar(key, size)


def test_signatures_as_cryptography_writes_them():
    for r, s in ((1, 1), (127, 128), (255, 256), (1 << 255, (1 << 256) - 1), (1 << 247, 5)):
        raw = r.to_bytes(32, "big") + s.to_bytes(32, "big")
        assert der.signature_encode(raw) == utils.encode_dss_signature(r, s)
        assert der.signature_decode(utils.encode_dss_signature(r, s)) == raw


def test_the_parts_of_a_certificate():
    key = ec_key()
    value = certificate(key)
    parts = [value[start:stop] for start, stop in der.certificate(value)]
    assert parts[der.SERIAL] == b"\x02\x04\x01\x23\x45\x67"
    assert parts[der.ISSUER] == parts[der.SUBJECT] and b"device" in parts[der.SUBJECT]
    assert parts[der.SPKI] == spki(key)
    big = certificate(key, size=40000)
    assert big[der.certificate(big)[der.SPKI][0] :].startswith(spki(key))


@pytest.mark.parametrize(
    "dotted", ["1.2.840.10045.3.1.7", "1.3.132.0.34", "2.999.3", "0.0", "1.39", "2.40.127.128"]
)
def test_object_identifiers(dotted):
    assert der.oid_decode(der.oid_encode(dotted)) == dotted


def test_known_object_identifiers():
    assert der.oid_encode("1.2.840.10045.3.1.7") == der.OID_P256
    assert der.oid_encode("1.3.132.0.34") == der.OID_P384
    assert der.curve_of(der.OID_P256) == der.P256 and der.curve_of(der.OID_P384) == der.P384
    assert der.curve_of(der.oid_encode("1.3.132.0.35")) == 0


# --- what is not DER ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        "",
        "06",
        "0600",
        "0601",
        "060180",
        "06028001",  # a leading zero group
        "06022a80",  # unfinished
        "0681012a",  # length not minimal
        "06012a00",  # something behind it
        "0501",
        "06802a0000",  # indefinite
    ],
)
def test_identifiers_that_are_none(data):
    with pytest.raises(ValueError):
        der.oid_decode(bytes.fromhex(data))


@pytest.mark.parametrize("dotted", ["1", "3.1", "1.40", "-1.2", "x", "", "1..2"])
def test_dotted_identifiers_that_are_none(dotted):
    with pytest.raises(ValueError):
        der.oid_encode(dotted)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "3000",
        "3003020101",
        "3006020101020100ff",
        "300602010102010100",
        "30070201010202ff01",  # negative
        "3007020101020200ff01",
        "300702010102020001",  # not minimal
        "3005020102010100",
        "3006020100020200",
        "30810602010102010 1".replace(" ", ""),  # long form for a short length
        "3106020101020101",
        "3006030101020101",
        "30800201010201010000",
        "30050201010200",
    ],
)
def test_signatures_that_are_none(data):
    with pytest.raises(ValueError):
        der.signature_decode(bytes.fromhex(data))


def test_signatures_of_the_wrong_size():
    with pytest.raises(ValueError):
        der.signature_decode(utils.encode_dss_signature(1 << 256, 1))
    assert len(der.signature_decode(utils.encode_dss_signature(1 << 256, 1), 48)) == 96
    for raw in (b"", b"x", bytes(63)):
        with pytest.raises(ValueError):
            der.signature_encode(raw)


def test_every_truncation_and_every_addition_is_refused():
    key = ec_key()
    cases = (
        (spki(key), der.spki_decode),
        (bytearray(sec1(key)), der.sec1_decode),
        (utils.encode_dss_signature(1 << 255, 7), der.signature_decode),
        (certificate(key), der.certificate),
        (der.OID_P256, der.oid_decode),
        (der.point_encode(point(key)), lambda value: der.point_decode(value, der.P256)),
    )
    for value, decode in cases:
        decode(value)
        for cut in range(len(value)):
            with pytest.raises(ValueError):
                decode(value[:cut])
        for more in (b"\0", b"\x05\0", value):
            with pytest.raises(ValueError):
                decode(value + more)


def test_what_stands_behind_the_last_element_of_an_inner_one_is_refused():
    """Lengths of the outer elements are right, so only the inner check can notice."""
    key = ec_key()
    public = b"\0" + point(key)
    scalar_part = bytes((2, 1, 1, 4, 32)) + bytes(31) + b"\x01"
    named = der.wrap(0xA0, der.OID_P256)
    bits = der.wrap(der.BIT_STRING, public)
    algorithm = der.wrap(der.SEQUENCE, der.OID_P256)
    null = b"\x05\0"
    for decode, data in (
        (der.spki_bits, der.wrap(der.SEQUENCE, algorithm, bits, null)),
        (der.spki_bits, der.wrap(der.SEQUENCE, algorithm, der.wrap(der.BIT_STRING))),
        (der.spki_bits, der.wrap(der.SEQUENCE, algorithm, der.wrap(der.BIT_STRING, b"\x01x"))),
        (der.sec1_decode, der.wrap(der.SEQUENCE, scalar_part, named, der.wrap(0xA1, bits), null)),
        (der.sec1_decode, der.wrap(der.SEQUENCE, scalar_part, named, der.wrap(0xA1, bits, null))),
        (
            der.sec1_decode,
            der.wrap(
                der.SEQUENCE,
                scalar_part,
                named,
                der.wrap(0xA1, der.wrap(der.BIT_STRING, b"\0\x02" + public[2:])),
            ),
        ),
        (der.sec1_decode, der.wrap(der.SEQUENCE, scalar_part, der.wrap(0xA0, der.OID_P384))),
        (der.sec1_decode, der.wrap(der.SEQUENCE, scalar_part, der.wrap(0xA0, b"\x06\x01\x2a"))),
        (der.signature_decode, der.wrap(der.SEQUENCE, b"\x02\x01\x01" * 3)),
        (
            der.certificate,
            der.wrap(
                der.SEQUENCE,
                der.wrap(der.SEQUENCE, null),
                algorithm,
                der.wrap(der.BIT_STRING, b"\0"),
                null,
            ),
        ),
    ):
        with pytest.raises(ValueError):
            decode(bytearray(data))


@pytest.mark.parametrize(
    "size, head", [(0, 2), (127, 2), (128, 3), (255, 3), (256, 4), (65535, 4)]
)
def test_lengths_are_as_short_as_they_can_be(size, head):
    data = der.wrap(der.OCTET_STRING, bytes(size))
    assert len(data) == head + size
    assert der.whole(data, der.OCTET_STRING) == (head, head + size)


def test_headers_of_a_key_cannot_be_changed():
    key = ec_key()
    value = spki(key)
    for at in range(27):
        changed = bytearray(value)
        changed[at] ^= 1
        with pytest.raises(ValueError):
            der.spki_decode(bytes(changed))


# --- random bytes ------------------------------------------------------------------------------

DECODERS = (
    der.oid_decode,
    der.spki_decode,
    der.spki_bits,
    der.signature_decode,
    der.certificate,
    der.curve_of,
    lambda data: der.point_decode(data, der.P256),
    lambda data: der.sec1_decode(bytearray(data)),
)
KEY = ec_key()
VALUES = (spki(KEY), sec1(KEY), certificate(KEY), der.OID_P256, der.point_encode(point(KEY)))


@given(st.binary(max_size=80))
@example(b"\x30\x84\xff\xff\xff\xff")
@example(b"\x06\x83\x00\x00\x01\x2a")
@settings(max_examples=300, deadline=None)
def test_random_bytes_raise_value_error_or_nothing(data):
    for decode in DECODERS:
        try:
            decode(data)
        except ValueError:
            pass


@given(st.sampled_from(VALUES), st.integers(0, 1 << 16), st.integers(1, 255), st.integers(0, 9))
@settings(max_examples=400, deadline=None)
def test_changed_values_raise_value_error_or_nothing(value, at, change, cut):
    data = bytearray(value[: len(value) - cut])
    data[at % len(data)] ^= change
    for decode in DECODERS:
        try:
            decode(bytes(data))
        except ValueError:
            pass


@given(st.lists(st.integers(0, 1 << 40), max_size=12), st.integers(0, 2), st.integers(0, 39))
@settings(max_examples=100, deadline=None)
def test_identifiers_come_back(arcs, first, second):
    dotted = ".".join(str(arc) for arc in [first, second] + arcs)
    assert der.oid_decode(der.oid_encode(dotted)) == dotted


@given(st.binary(min_size=64, max_size=64))
@settings(max_examples=200, deadline=None)
def test_signatures_come_back(raw):
    assert der.signature_decode(der.signature_encode(raw)) == raw
