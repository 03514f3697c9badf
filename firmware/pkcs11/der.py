# SPDX-License-Identifier: MIT
"""The little DER this token speaks, strictly: keys, points, signatures, object identifiers.

Promises: decoders accept exactly one encoding of a value (X.690 §10 and §11: definite minimal
lengths, minimal integers, nothing after the end) and raise ValueError("der") for all else.
Assumes nothing about its input. Points are 04 || X || Y (SEC 1 §2.3.3), signatures r || s.
"""

from micropython import const

SEQUENCE = const(0x30)
INTEGER = const(0x02)
BIT_STRING = const(0x03)
OCTET_STRING = const(0x04)
OID = const(0x06)

P256 = const(1)  # the curve numbers of p11crypto
P384 = const(2)

OID_P256 = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"  # 1.2.840.10045.3.1.7
OID_P384 = b"\x06\x05\x2b\x81\x04\x00\x22"  # 1.3.132.0.34
_OID_EC = b"\x06\x07\x2a\x86\x48\xce\x3d\x02\x01"  # id-ecPublicKey
_ALG_RSA = b"\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01\x05\x00"

_CURVE_OIDS = {P256: OID_P256, P384: OID_P384}
_CURVE_SIZES = {P256: 32, P384: 48}


def read(data, at, end, tag):
    """Return (start, stop) of the content of the element at `at`, which must have this tag."""
    if at + 2 > end or data[at] != tag:
        raise ValueError("der")
    length = data[at + 1]
    at += 2
    if length > 0x7F:
        count = length & 0x7F
        if not 1 <= count <= 3 or at + count > end or data[at] == 0:
            raise ValueError("der")
        length = 0
        for _ in range(count):
            length = length << 8 | data[at]
            at += 1
        if length < 0x80:
            raise ValueError("der")
    if at + length > end:
        raise ValueError("der")
    return at, at + length


def whole(data, tag):
    """Return (start, stop) of the content when data is exactly one element of this tag."""
    start, stop = read(data, 0, len(data), tag)
    if stop != len(data):
        raise ValueError("der")
    return start, stop


def wrap(tag, *parts):
    """Return one element: tag, length, the parts joined."""
    body = b"".join(parts)
    size = len(body)
    if size < 0x80:
        head = bytes((tag, size))
    elif size < 0x100:
        head = bytes((tag, 0x81, size))
    else:
        head = bytes((tag, 0x82, size >> 8, size & 0xFF))
    return head + body


# --- object identifiers ------------------------------------------------------------------------


def oid_encode(dotted):
    """Return the DER of a dotted identifier such as "1.2.840.10045.3.1.7"."""
    arcs = [int(arc) for arc in dotted.split(".")]
    if len(arcs) < 2 or arcs[0] > 2 or min(arcs) < 0 or (arcs[0] < 2 and arcs[1] > 39):
        raise ValueError("oid")
    out = bytearray()
    for arc in [arcs[0] * 40 + arcs[1]] + arcs[2:]:
        groups = [arc & 0x7F]
        while arc > 0x7F:
            arc >>= 7
            groups.append(0x80 | arc & 0x7F)
        out.extend(bytes(reversed(groups)))
    return wrap(OID, out)


def oid_decode(data):
    """Return the dotted form of a DER object identifier."""
    at, end = whole(data, OID)
    if at == end or data[end - 1] & 0x80:
        raise ValueError("der")
    arcs = []
    value = 0
    fresh = True
    while at < end:
        if fresh and data[at] == 0x80:  # a leading zero group
            raise ValueError("der")
        value = value << 7 | data[at] & 0x7F
        fresh = not data[at] & 0x80
        at += 1
        if fresh:
            arcs.append(value)
            value = 0
    first = min(arcs[0] // 40, 2)
    return ".".join([str(arc) for arc in [first, arcs[0] - 40 * first] + arcs[1:]])


def curve_of(parameters):
    """Return the curve number of CKA_EC_PARAMS; 0 for a well-formed OID of an unknown curve.

    ValueError for anything but an OID: explicit and implicit parameters are not offered.
    """
    for curve, oid in _CURVE_OIDS.items():
        if parameters == oid:
            return curve
    oid_decode(parameters)
    return 0


# --- points and keys ---------------------------------------------------------------------------


def point_encode(point):
    """Return CKA_EC_POINT: the point in an OCTET STRING."""
    return wrap(OCTET_STRING, point)


def point_decode(value, curve):
    """Return 04 || X || Y out of CKA_EC_POINT; form and length are checked, not the equation."""
    start, stop = whole(value, OCTET_STRING)
    if stop - start != 1 + 2 * _CURVE_SIZES[curve] or value[start] != 4:
        raise ValueError("der")
    return bytes(value[start:stop])


def spki_encode(curve, point):
    """Return the SubjectPublicKeyInfo of an EC key (RFC 5480)."""
    algorithm = wrap(SEQUENCE, _OID_EC, _CURVE_OIDS[curve])
    return wrap(SEQUENCE, algorithm, wrap(BIT_STRING, b"\0", point))


def spki_decode(data):
    """Return (curve, point) of an EC SubjectPublicKeyInfo of a curve known here."""
    at, end = whole(data, SEQUENCE)
    for curve, oid in _CURVE_OIDS.items():
        algorithm = wrap(SEQUENCE, _OID_EC, oid)
        if data[at : at + len(algorithm)] == algorithm:
            start, stop = read(data, at + len(algorithm), end, BIT_STRING)
            size = 2 + 2 * _CURVE_SIZES[curve]
            if stop != end or stop - start != size or data[start] or data[start + 1] != 4:
                raise ValueError("der")
            return curve, bytes(data[start + 1 : stop])
    raise ValueError("der")


def spki_rsa(modulus, exponent):
    """Return the SubjectPublicKeyInfo of an RSA key from two big-endian unsigned numbers."""
    key = rsa_encode(modulus, exponent)
    return wrap(SEQUENCE, _ALG_RSA, wrap(BIT_STRING, b"\0", key))


def rsa_encode(modulus, exponent):
    """Return the RSAPublicKey (RFC 8017 §A.1.1) of two big-endian unsigned numbers."""
    return wrap(SEQUENCE, integer(modulus), integer(exponent))


def spki_bits(data):
    """Return the content of subjectPublicKey without its unused-bits byte, for any algorithm."""
    at, end = whole(data, SEQUENCE)
    _, at = read(data, at, end, SEQUENCE)
    start, stop = read(data, at, end, BIT_STRING)
    if stop != end or start == stop or data[start]:
        raise ValueError("der")
    return bytes(data[start + 1 : stop])


def sec1_encode(curve, scalar, point):
    """Return an ECPrivateKey (RFC 5915) as a bytearray, which the caller wipes.

    point None leaves the public key out.
    """
    size = len(_CURVE_OIDS[curve])
    tail = bytes((0xA0, size)) + _CURVE_OIDS[curve]
    if point is not None:
        tail += wrap(0xA1, wrap(BIT_STRING, b"\0", point))
    length = 3 + 2 + len(scalar) + len(tail)
    out = bytearray((SEQUENCE, length) if length < 0x80 else (SEQUENCE, 0x81, length))
    out.extend(bytes((INTEGER, 1, 1, OCTET_STRING, len(scalar))))
    out.extend(scalar)  # copied from buffer to buffer: no immutable copy of the secret is made
    out.extend(tail)
    return out


def sec1_decode(data):
    """Return (curve, scalar, point or None) of an ECPrivateKey with named-curve parameters.

    data is a bytearray or memoryview of one; scalar is a new bytearray, which the caller wipes.
    """
    at, end = whole(data, SEQUENCE)
    if bytes(data[at : at + 3]) != b"\x02\x01\x01":
        raise ValueError("der")
    start, stop = read(data, at + 3, end, OCTET_STRING)
    at, after = read(data, stop, end, 0xA0)
    curve = curve_of(bytes(data[at:after]))
    if not curve or stop - start != _CURVE_SIZES[curve]:
        raise ValueError("der")
    point = None
    if after < end:
        at, last = read(data, after, end, 0xA1)
        first, after = read(data, at, last, BIT_STRING)
        if last != end or after != last or after - first != 2 + 2 * _CURVE_SIZES[curve]:
            raise ValueError("der")
        if data[first] or data[first + 1] != 4:
            raise ValueError("der")
        point = bytes(data[first + 1 : after])
    scalar = bytearray(stop - start)
    for at in range(stop - start):
        scalar[at] = data[start + at]
    return curve, scalar, point


# --- signatures --------------------------------------------------------------------------------


def unsigned(value):
    """Return a big-endian number without its leading zeros; b"" for none."""
    at = 0
    while at < len(value) and not value[at]:
        at += 1
    return bytes(value[at:])


def integer(value):
    """Return the INTEGER of a big-endian unsigned number of any width."""
    value = unsigned(value) or b"\0"
    return wrap(INTEGER, b"\0" if value[0] & 0x80 else b"", value)


def _unsigned(data, at, end, size):
    """Return (number as size bytes, where it ends) of a non-negative minimal INTEGER."""
    start, stop = read(data, at, end, INTEGER)
    if start == stop or data[start] & 0x80:
        raise ValueError("der")
    if data[start] == 0 and stop - start > 1:
        start += 1
        if not data[start] & 0x80:
            raise ValueError("der")
    if stop - start > size:
        raise ValueError("der")
    return bytes(size - (stop - start)) + bytes(data[start:stop]), stop


def signature_encode(raw):
    """Return ECDSA-Sig-Value (RFC 3279) of r || s, two halves of equal length."""
    half = len(raw) // 2
    if not half or len(raw) & 1:
        raise ValueError("signature")
    return wrap(SEQUENCE, integer(raw[:half]), integer(raw[half:]))


def signature_decode(data, size=32):
    """Return r || s, each of size bytes, of an ECDSA-Sig-Value."""
    at, end = whole(data, SEQUENCE)
    r, at = _unsigned(data, at, end, size)
    s, at = _unsigned(data, at, end, size)
    if at != end:
        raise ValueError("der")
    return r + s


# --- certificates ------------------------------------------------------------------------------

SERIAL = const(0)
ISSUER = const(1)
SUBJECT = const(2)
SPKI = const(3)


def certificate(data):
    """Return four (from, to) ranges of an X.509 certificate: serial, issuer, subject, SPKI.

    Each range is a whole element. Checked: the three outer elements fill data exactly and
    tbsCertificate has its fields in order (RFC 5280 §4.1); not their contents, not the signature.
    """
    at, end = whole(data, SEQUENCE)
    tbs, after = read(data, at, end, SEQUENCE)
    _, algorithm = read(data, after, end, SEQUENCE)
    _, stop = read(data, algorithm, end, BIT_STRING)
    if stop != end:
        raise ValueError("der")
    at = tbs
    if at < after and data[at] == 0xA0:
        _, at = read(data, at, after, 0xA0)
    _, serial = read(data, at, after, INTEGER)
    _, issuer = read(data, serial, after, SEQUENCE)  # signature algorithm
    _, issuer_end = read(data, issuer, after, SEQUENCE)
    _, subject = read(data, issuer_end, after, SEQUENCE)  # validity
    _, subject_end = read(data, subject, after, SEQUENCE)
    _, spki_end = read(data, subject_end, after, SEQUENCE)
    return (at, serial), (issuer, issuer_end), (subject, subject_end), (subject_end, spki_end)
