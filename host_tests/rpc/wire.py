# SPDX-License-Identifier: MIT
"""A client of p11-kit's RPC protocol for tests: bodies, both mechanism encodings, all versions.

Written from docs/PROTOCOL.md, independently of the board's code. `Caller` sends bodies through
whatever `exchange(body) -> body` it is given: a server in this process, a daemon, a board.
"""

import struct

HANDSHAKE = b"PRIVATE-GNOME-KEYRING-PKCS11-PROTOCOL-V-1"

BYTE = (
    {0x1, 0x2, 0x86, 0x170, 0x171, 0x200, 0x202, 0x210, 0x301, 0x302, 0x405}
    | set(range(0x103, 0x10D))
    | set(range(0x162, 0x166))
)
ULONG = (
    {0x0, 0x80, 0x87, 0x88, 0x100, 0x121, 0x133, 0x134, 0x160, 0x161, 0x166, 0x201, 0x300}
    | set(range(0x400, 0x405))
    | {0x406, 0x500}
)
WITH_PARAMETER = {0x1050, 0x1082, 0x1085, 0x1087, 0xD, 0x9}


class Refused(Exception):
    """The board answered ERROR. Attribute: ckr."""

    def __init__(self, ckr):
        super().__init__(hex(ckr))
        self.ckr = ckr


def ckr_of(function, *args):
    """The code with which a call is refused; it has to be."""
    try:
        function(*args)
    except Refused as error:
        return error.ckr
    raise AssertionError("not refused")


def u(value):
    return struct.pack(">Q", value)


def n(value):
    return struct.pack(">I", value)


def ay(data):
    """A byte array; None is NULL, a number a length without data."""
    if data is None:
        return b"\0" + n(0)
    if isinstance(data, int):
        return b"\0" + n(data)
    return b"\1" + n(len(data)) + bytes(data)


def attribute(kind, value, width=8):
    head = n(kind)
    if value is None:
        return head + b"\0"
    if kind in BYTE:
        return head + b"\1" + n(1) + bytes([value])
    if kind in ULONG:
        return head + b"\1" + n(width) + u(value)
    if isinstance(value, bool):
        value = bytes([value])
    return head + b"\1" + n(len(value)) + n(len(value)) + bytes(value)


def template(pairs, width=8):
    return n(len(pairs)) + b"".join(attribute(k, v, width) for k, v in pairs)


def types(kinds, room):
    return n(len(kinds)) + b"".join(n(k) + n(room) for k in kinds)


def mechanism(kind, parameter=None, new=False):
    """parameter: None, bytes, or (kdf, shared, public)."""
    if parameter is None:
        if new:
            return n(kind) + (b"\0" if kind in WITH_PARAMETER else b"")
        return n(kind) + n(0xFFFFFFFF)
    if isinstance(parameter, tuple):
        kdf, shared, public = parameter
        coded = u(kdf) + (n(0xFFFFFFFF) if shared is None else n(len(shared)) + shared)
        coded += n(len(public)) + public
    else:
        coded = n(len(parameter)) + parameter
    return n(kind) + (b"\1" if new else b"") + coded


def body(call, signature, *parts):
    return n(call) + n(len(signature)) + signature.encode() + b"".join(parts)


class Results:
    """Reads an answer body."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, size):
        assert self.at + size <= len(self.data), "answer too short"
        part = self.data[self.at : self.at + size]
        self.at += size
        return part

    def n(self):
        return struct.unpack(">I", self.take(4))[0]

    def u(self):
        return struct.unpack(">Q", self.take(8))[0]

    def y(self):
        return self.take(1)[0]

    def v(self):
        return tuple(self.take(2))

    def octets(self):
        size = self.n()
        return None if size == 0xFFFFFFFF else self.take(size)

    s = octets

    def ay(self):
        """bytes, or a number when only the length is told."""
        return self.octets() if self.y() else self.n()

    def au(self):
        valid = self.y()
        count = self.n()
        return [self.u() for _ in range(count)] if valid else count

    def aA(self):
        found = []
        for _ in range(self.n()):
            kind = self.n()
            if not self.y():
                found.append((kind, None, None))
                continue
            size = self.n()
            if kind in BYTE:
                value = bool(self.y())
            elif kind in ULONG:
                value = self.u()
            else:
                value = self.octets()
            found.append((kind, size, value))
        return found

    def end(self):
        assert self.at == len(self.data), "bytes behind the answer"


def decode(answer, call, signature):
    """Check an answer's head; raise Refused for ERROR."""
    results = Results(answer)
    got = results.n()
    sign = results.take(results.n()).decode()
    if got == 0:
        assert sign == "u"
        ckr = results.u()
        results.end()
        assert ckr
        raise Refused(ckr)
    assert (got, sign) == (call, signature)
    return results


class Caller:
    """C_ functions over exchange(body) -> body. version: what was offered."""

    def __init__(self, exchange, version=0):
        self.exchange = exchange
        self.new = version >= 2
        self.version = version

    def call(self, number, request, reply, *parts):
        return decode(self.exchange(body(number, request, *parts)), number, reply)

    def nothing(self, number, request, *parts):
        self.call(number, request, "", *parts).end()

    def one(self, number, request, *parts):
        results = self.call(number, request, "u", *parts)
        value = results.u()
        results.end()
        return value

    def data(self, number, request, *parts):
        results = self.call(number, request, "ay", *parts)
        value = results.ay()
        results.end()
        return value

    def mech(self, kind, parameter=None):
        return mechanism(kind, parameter, self.new)

    def initialize(self):
        self.nothing(1, "ayyay", ay(HANDSHAKE), b"\0", ay(b"\0"))

    def finalize(self):
        self.nothing(2, "")

    def slots(self, room=16, present=True):
        results = self.call(4, "yfu", "au", bytes([present]), n(room))
        return results.au()

    def token_info(self):
        results = self.call(6, "u", "ssssuuuuuuuuuuuvvs", u(1))
        texts = [results.s() for _ in range(4)]
        numbers = [results.u() for _ in range(11)]
        versions = [results.v(), results.v()]
        texts.append(results.s())
        results.end()
        return texts, numbers, versions

    def mechanisms(self, room=100):
        return self.call(7, "ufu", "au", u(1), n(room)).au()

    def open(self, flags=6):
        return self.one(10, "uu", u(1), u(flags))

    def close(self, session):
        self.nothing(11, "u", u(session))

    def session_info(self, session):
        results = self.call(13, "u", "uuuu", u(session))
        value = tuple(results.u() for _ in range(4))
        results.end()
        return value

    def login(self, session, pin=b"0000", user=1):
        self.nothing(18, "uuay", u(session), u(user), ay(pin))

    def logout(self, session):
        self.nothing(19, "u", u(session))

    def create(self, session, pairs):
        return self.one(20, "uaA", u(session), template(pairs))

    def destroy(self, session, handle):
        self.nothing(22, "uu", u(session), u(handle))

    def attributes(self, session, handle, kinds, room=4096):
        results = self.call(24, "uufA", "aAu", u(session), u(handle), types(kinds, room))
        found = results.aA()
        ckr = results.u()
        results.end()
        assert [kind for kind, _, _ in found] == list(kinds)
        return found, ckr

    def find(self, session, pairs=(), at_once=10):
        self.nothing(26, "uaA", u(session), template(pairs))
        handles = []
        while True:
            more = self.call(27, "ufu", "au", u(session), n(at_once)).au()
            if not more:
                break
            handles += more
        self.nothing(28, "u", u(session))
        return handles

    def keypair(self, session, label=b"key", token=True, key_id=b"\1"):
        public = [(0x3, label), (0x102, key_id), (0x180, bytes.fromhex("06082a8648ce3d030107"))]
        public += [(0x10A, True), (0x1, token)]
        private = [(0x3, label), (0x102, key_id), (0x108, True), (0x1, token)]
        results = self.call(
            59, "uMaAaA", "uu", u(session), self.mech(0x1040), template(public), template(private)
        )
        handles = results.u(), results.u()
        results.end()
        return handles

    def sign_init(self, session, key, kind=0x1041):
        self.nothing(42, "uMu", u(session), self.mech(kind), u(key))

    def sign(self, session, data, room=4096):
        return self.data(43, "uayfy", u(session), ay(data), n(room))

    def verify_init(self, session, key, kind=0x1041):
        self.nothing(48, "uMu", u(session), self.mech(kind), u(key))

    def verify(self, session, data, signature):
        self.nothing(49, "uayay", u(session), ay(data), ay(signature))

    def digest_init(self, session, kind=0x250):
        self.nothing(37, "uM", u(session), self.mech(kind))

    def digest(self, session, data, room=64):
        return self.data(38, "uayfy", u(session), ay(data), n(room))

    def random(self, session, size):
        return self.data(64, "ufy", u(session), n(size))
