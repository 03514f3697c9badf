# SPDX-License-Identifier: MIT
"""The few PKCS#11 calls the host tools make themselves, as bodies of p11-kit's RPC protocol.

Used by the daemon (whose token is this?), `p11board doctor` and `p11board uri`. Everything is
read-only but the login. `Module` speaks through any `exchange(body) -> body`; `DaemonClient` is
one over the daemon's socket.
"""

import socket
import struct
from dataclasses import dataclass

from p11board.errors import TokenError, TransportProblem

HANDSHAKE = b"PRIVATE-GNOME-KEYRING-PKCS11-PROTOCOL-V-1"
OFFERED = 1
SECONDS = 90  # longer than the daemon waits for its board

CKF_LOGIN_REQUIRED = 0x4
CKF_USER_PIN_INITIALIZED = 0x8
CKF_TOKEN_INITIALIZED = 0x400
CKF_USER_PIN_COUNT_LOW = 0x10000
CKF_USER_PIN_FINAL_TRY = 0x20000
CKF_USER_PIN_LOCKED = 0x40000
CKF_USER_PIN_TO_BE_CHANGED = 0x80000

CLASSES = {0: "data", 1: "cert", 2: "public", 3: "private", 4: "secret-key"}

CKR_NAMES = {
    0x30: "CKR_DEVICE_ERROR",
    0x31: "CKR_DEVICE_MEMORY",
    0x32: "CKR_DEVICE_REMOVED",
    0xA0: "CKR_PIN_INCORRECT",
    0xA2: "CKR_PIN_LEN_RANGE",
    0xA4: "CKR_PIN_LOCKED",
    0xE1: "CKR_TOKEN_NOT_RECOGNIZED",
    0x101: "CKR_USER_NOT_LOGGED_IN",
    0x102: "CKR_USER_PIN_NOT_INITIALIZED",
}


def ulong(value):
    """CK_ULONG on the wire."""
    return struct.pack(">Q", value)


def word(value):
    """u32 on the wire."""
    return struct.pack(">I", value)


def octets(data):
    """A byte array argument."""
    return b"\1" + word(len(data)) + data


def body(call, signature, *arguments):
    """A request body."""
    return word(call) + word(len(signature)) + signature.encode() + b"".join(arguments)


INITIALIZE = body(1, "ayyay", octets(HANDSHAKE), b"\0", octets(b"\0"))
TOKEN_INFO = body(6, "u", ulong(1))


def error_body(ckr):
    """An answer body that says ERROR."""
    return word(0) + word(1) + b"u" + ulong(ckr)


class Reader:
    """Reads values from an answer body; ValueError when it ends early."""

    def __init__(self, data, call):
        self.data = data
        self.at = 0
        got = self.word()
        self.octets()
        if got == 0:
            ckr = self.ulong()
            raise TokenError(CKR_NAMES.get(ckr, f"CKR 0x{ckr:X}"), ckr)
        if got != call:
            raise ValueError("answer to another call")

    def take(self, size):
        """The next bytes."""
        part = self.data[self.at : self.at + size]
        if len(part) != size:
            raise ValueError("answer too short")
        self.at += size
        return part

    def word(self):
        """u32."""
        return struct.unpack(">I", self.take(4))[0]

    def ulong(self):
        """CK_ULONG."""
        return struct.unpack(">Q", self.take(8))[0]

    def octets(self):
        """Length and bytes."""
        return self.take(self.word())

    def text(self):
        """A padded text field."""
        return self.octets().decode(errors="replace").rstrip(" \0")

    def attributes(self):
        """aA: {type: value}, bytes for everything but CK_ULONG and CK_BBOOL kinds we ask for."""
        found = {}
        for _ in range(self.word()):
            kind = self.word()
            if not self.take(1)[0]:
                continue
            self.word()
            found[kind] = self.ulong() if kind in (0, 0x100) else self.octets()
        return found


@dataclass(frozen=True)
class TokenFacts:
    """CK_TOKEN_INFO as far as a person cares."""

    label: str
    manufacturer: str
    model: str
    serial: str
    flags: int
    sessions: int
    free: int

    def names(self):
        """What --token may say."""
        return {self.label, self.serial}


def token_facts(answer):
    """Decode the answer to TOKEN_INFO."""
    reader = Reader(answer, 6)
    texts = [reader.text() for _ in range(4)]
    numbers = [reader.ulong() for _ in range(11)]
    return TokenFacts(*texts, numbers[0], numbers[2], numbers[8])


class Module:
    """PKCS#11 over exchange(body) -> body."""

    def __init__(self, exchange):
        self._exchange = exchange

    def call(self, number, signature, *arguments):
        """Do a call; returns a Reader of its results."""
        return Reader(self._exchange(body(number, signature, *arguments)), number)

    def initialize(self):
        """C_Initialize."""
        Reader(self._exchange(INITIALIZE), 1)

    def finalize(self):
        """C_Finalize."""
        self.call(2, "")

    def token(self):
        """C_GetTokenInfo as TokenFacts."""
        return token_facts(self._exchange(TOKEN_INFO))

    def open(self):
        """C_OpenSession, read only."""
        return self.call(10, "uu", ulong(1), ulong(4)).ulong()

    def login(self, session, pin):
        """C_Login as the user."""
        self.call(18, "uuay", ulong(session), ulong(1), octets(pin))

    def random(self, session, size):
        """C_GenerateRandom."""
        reader = self.call(64, "ufy", ulong(session), word(size))
        reader.take(1)
        return reader.octets()

    def objects(self, session):
        """All objects in sight: list of (class number, label, id)."""
        self.call(26, "uaA", ulong(session), word(0))
        handles = []
        while True:
            reader = self.call(27, "ufu", ulong(session), word(32))
            reader.take(1)
            found = [reader.ulong() for _ in range(reader.word())]
            if not found:
                break
            handles += found
        self.call(28, "u", ulong(session))
        return [self._object(session, handle) for handle in handles]

    def _object(self, session, handle):
        wanted = b"".join(
            word(kind) + word(room) for kind, room in ((0, 8), (3, 256), (0x102, 256))
        )
        arguments = ulong(session), ulong(handle), word(3) + wanted
        values = self.call(24, "uufA", *arguments).attributes()
        return values.get(0), values.get(3, b""), values.get(0x102, b"")


class DaemonClient(Module):
    """A program's connection to the daemon, as libp11-kit makes it. A context manager."""

    def __init__(self, path):
        super().__init__(self._over_socket)
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(SECONDS)
        self._code = 0x10
        try:
            self._socket.connect(str(path))
            self._socket.sendall(bytes([OFFERED]))
            self.version = self._receive(1)[0]
        except OSError as error:
            self._socket.close()
            raise TransportProblem(
                f"no daemon answers at {path} ({error.strerror or error})"
            ) from None

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self._socket.close()

    def _receive(self, size):
        data = b""
        while len(data) < size:
            part = self._socket.recv(size - len(data))
            if not part:
                raise TransportProblem("the daemon closed the connection", "see its log")
            data += part
        return data

    def _over_socket(self, request):
        self._code += 1
        name = b"p11board"
        head = struct.pack(">III", self._code, len(name), len(request))
        try:
            self._socket.sendall(head + name + request)
            code, options, size = struct.unpack(">III", self._receive(12))
            self._receive(options)
            answer = self._receive(size)
        except OSError as error:
            raise TransportProblem(f"the daemon does not answer ({error})") from None
        if code != self._code:
            raise TransportProblem("the daemon answered another request")
        return answer
