# SPDX-License-Identifier: MIT
"""Group Own_PKCS11_Model: random walks over sessions, digest, sign, verify, search, objects.

A model of PKCS#11 v2.40 (sections 5.6 to 5.12) says before each call which code has to come; the
walk compares. Promises walks that are the same in each run, so that a failure can be repeated;
makes only session objects. Walks count as different when (call, state, code) of a step differ.
Assumes the user is logged in during a walk.
"""

from binascii import crc32

from ..const import (
    CKA_CLASS,
    CKA_EC_PARAMS,
    CKA_LABEL,
    CKA_PRIVATE,
    CKA_SIGN,
    CKA_TOKEN,
    CKA_VALUE,
    CKA_VERIFY,
    CKF_SERIAL_SESSION,
    CKM_EC_KEY_PAIR_GEN,
    CKM_ECDSA,
    CKM_SHA256,
    CKO_DATA,
    CKO_PUBLIC_KEY,
    CKR_BUFFER_TOO_SMALL,
    CKR_KEY_HANDLE_INVALID,
    CKR_MECHANISM_INVALID,
    CKR_OBJECT_HANDLE_INVALID,
    CKR_OK,
    CKR_OPERATION_ACTIVE,
    CKR_OPERATION_NOT_INITIALIZED,
    CKR_SESSION_HANDLE_INVALID,
    CKR_SIGNATURE_INVALID,
    CKR_SIGNATURE_LEN_RANGE,
)
from ..der import OID_P256
from ..errors import P11Error
from . import vectors

STEPS = 8  # calls of a walk
DIGEST = "digest"  # states of the operation of a session
PARTS = "digest in parts"
SIGN = "sign"
VERIFY = "verify"
LABEL = b"qualification model"
BAD_HANDLE = 0x7FFFFFF1
NOTHING = CKR_OPERATION_NOT_INITIALIZED


class Dice:
    """Numbers that look random and are the same in each run."""

    def __init__(self, seed):
        self.state = seed * 2654435761 + 1 & 0x3FFFFFFF

    def below(self, limit):
        """Return a number in 0..limit-1."""
        self.state = self.state * 1103515245 + 12345 & 0x3FFFFFFF
        return (self.state >> 12) % limit


class Seen:
    """Counts different walks in little memory and small pieces: a heap in use has no large ones.

    Two walks whose checksums fall together count once, so `count` is never too high.
    """

    def __init__(self):
        self.count = 0
        self._bits = [bytearray(512) for _ in range(16)]

    def add(self, path):
        """Count a path unless it was there before."""
        number = crc32(repr(path).encode()) & 0xFFFF
        piece = self._bits[number >> 12]
        at = number >> 3 & 511
        bit = 1 << (number & 7)
        if not piece[at] & bit:
            piece[at] |= bit
            self.count += 1


class State:
    """What the model knows of one session."""

    def __init__(self, handle):
        self.handle = handle
        self.closed = False
        self.operation = None
        self.searching = False
        self.left = 0  # results the search still has


class Walk:
    """One walk. pair: (private, public) handles; signature: of vectors.DIGEST."""

    def __init__(self, bench, dice, pair, signature):
        self.bench = bench
        self.app = bench.app
        self.dice = dice
        self.private, self.public = pair
        self.signature = signature
        self.sessions = [State(bench.app.C_OpenSession(1, CKF_SERIAL_SESSION)) for _ in range(2)]
        self.made = []  # (handle, State of the session that owns it, None: destroyed)
        self.path = []

    def finish(self):
        """Close what is open."""
        for session in self.sessions:
            if not session.closed:
                self.app.C_CloseSession(session.handle)

    def step(self):
        """Make one call and compare its code with the model's."""
        session = self.sessions[self.dice.below(len(self.sessions))]
        action = ACTIONS[self.dice.below(len(ACTIONS))]
        before = session.operation, session.searching, session.closed
        code, call, args, done = action(self, session)
        if session.closed:
            code = CKR_SESSION_HANDLE_INVALID
        self.path.append((call, before, code))
        try:
            result = getattr(self.app, call)(session.handle, *args)
            was = CKR_OK
        except P11Error as error:
            result = None
            was = error.ckr
        self.bench.equal(code, was, " > ".join([name for name, _, _ in self.path]))
        if not session.closed:
            done(session, result)


def _nothing(session, result):
    pass


def _becomes(operation):
    def done(session, result):
        session.operation = operation

    return done


def _starts(walk, session, operation, good, call, mechanism, *key):
    """Return the row of an …Init call; good: the code when nothing is running."""
    if session.operation is not None:
        return CKR_OPERATION_ACTIVE, call, (mechanism,) + key, _nothing
    done = _becomes(operation) if good == CKR_OK else _nothing
    return good, call, (mechanism,) + key, done


def digest_init(walk, session):
    return _starts(walk, session, DIGEST, CKR_OK, "C_DigestInit", CKM_SHA256)


def digest_init_badly(walk, session):
    return _starts(walk, session, None, CKR_MECHANISM_INVALID, "C_DigestInit", 0x253)


def digest_update(walk, session):
    running = session.operation in (DIGEST, PARTS)
    done = _becomes(PARTS) if running else _nothing
    return CKR_OK if running else NOTHING, "C_DigestUpdate", (b"data",), done


def digest_all(walk, session):
    room = (32, 31)[walk.dice.below(2)]
    args = (vectors.MESSAGE, room)
    if session.operation == DIGEST:
        if room < 32:
            return CKR_BUFFER_TOO_SMALL, "C_Digest", args, _nothing

        def done(state, result):
            walk.bench.equal(vectors.MESSAGE_DIGEST, bytes(result), "digest in a walk")
            state.operation = None

        return CKR_OK, "C_Digest", args, done
    if session.operation == PARTS:  # an error ends it (v2.40, 5.8: not after C_DigestUpdate)
        return NOTHING, "C_Digest", args, _becomes(None)
    return NOTHING, "C_Digest", args, _nothing


def digest_final(walk, session):
    room = (32, 0)[walk.dice.below(2)]
    if session.operation not in (DIGEST, PARTS):
        return NOTHING, "C_DigestFinal", (room,), _nothing
    if room < 32:
        return CKR_BUFFER_TOO_SMALL, "C_DigestFinal", (room,), _nothing
    return CKR_OK, "C_DigestFinal", (room,), _becomes(None)


def sign_init(walk, session):
    return _starts(walk, session, SIGN, CKR_OK, "C_SignInit", CKM_ECDSA, walk.private)


def sign_init_badly(walk, session):
    return _starts(
        walk, session, None, CKR_KEY_HANDLE_INVALID, "C_SignInit", CKM_ECDSA, BAD_HANDLE
    )


def sign(walk, session):
    room = (64, 63)[walk.dice.below(2)]
    args = (vectors.DIGEST, room)
    if session.operation != SIGN:
        return NOTHING, "C_Sign", args, _nothing
    if room < 64:
        return CKR_BUFFER_TOO_SMALL, "C_Sign", args, _nothing

    def done(state, result):
        walk.signature = bytes(result)
        state.operation = None

    return CKR_OK, "C_Sign", args, done


def verify_init(walk, session):
    return _starts(walk, session, VERIFY, CKR_OK, "C_VerifyInit", CKM_ECDSA, walk.public)


def verify(walk, session):
    kind = walk.dice.below(3)
    signature = bytearray(walk.signature)
    code = CKR_OK
    if kind == 1:
        signature[40] ^= 4
        code = CKR_SIGNATURE_INVALID
    elif kind == 2:
        signature = signature[:63]
        code = CKR_SIGNATURE_LEN_RANGE
    if session.operation != VERIFY:
        return NOTHING, "C_Verify", (vectors.DIGEST, signature), _nothing
    return code, "C_Verify", (vectors.DIGEST, signature), _becomes(None)


def find_init(walk, session):
    template = [(CKA_LABEL, LABEL), (CKA_CLASS, CKO_PUBLIC_KEY)]
    if session.searching:
        return CKR_OPERATION_ACTIVE, "C_FindObjectsInit", (template,), _nothing

    def done(state, result):
        state.searching = True
        state.left = 1

    return CKR_OK, "C_FindObjectsInit", (template,), done


def find(walk, session):
    if not session.searching:
        return NOTHING, "C_FindObjects", (4,), _nothing

    def done(state, result):
        wanted = [walk.public] if state.left else []
        walk.bench.equal(wanted, list(result), "search in a walk")
        state.left = 0

    return CKR_OK, "C_FindObjects", (4,), done


def find_final(walk, session):
    if not session.searching:
        return NOTHING, "C_FindObjectsFinal", (), _nothing

    def done(state, result):
        state.searching = False

    return CKR_OK, "C_FindObjectsFinal", (), done


def create(walk, session):
    template = [(CKA_CLASS, CKO_DATA), (CKA_PRIVATE, False), (CKA_VALUE, vectors.DIGEST)]

    def done(state, result):
        walk.made.append((result, state))

    return CKR_OK, "C_CreateObject", (template,), done


def _handle(walk):
    """Return (code, handle) of an object of the walk, dead or alive, or of none."""
    if not walk.made or walk.dice.below(4) == 0:
        return CKR_OBJECT_HANDLE_INVALID, (BAD_HANDLE, 0)[walk.dice.below(2)]
    handle, owner = walk.made[walk.dice.below(len(walk.made))]
    return CKR_OBJECT_HANDLE_INVALID if owner is None or owner.closed else CKR_OK, handle


def read(walk, session):
    code, handle = _handle(walk)

    def done(state, result):
        if result is not None:
            walk.bench.equal(vectors.DIGEST, bytes(result[0]), "value in a walk")

    return code, "C_GetAttributeValue", (handle, [CKA_VALUE]), done


def destroy(walk, session):
    code, handle = _handle(walk)

    def done(state, result):
        walk.made = [(one, None if one == handle else owner) for one, owner in walk.made]

    return code, "C_DestroyObject", (handle,), done


def close(walk, session):
    def done(state, result):
        state.closed = True
        walk.sessions.append(State(walk.app.C_OpenSession(1, CKF_SERIAL_SESSION)))

    return CKR_OK, "C_CloseSession", (), done


ACTIONS = (
    digest_init,
    digest_update,
    digest_all,
    digest_final,
    digest_init_badly,
    sign_init,
    sign,
    sign_init_badly,
    verify_init,
    verify,
    find_init,
    find,
    find_final,
    create,
    read,
    destroy,
    close,
)


def random_walks(bench):
    session = bench.start()
    shared = [(CKA_TOKEN, False), (CKA_LABEL, LABEL)]
    public, private = bench.app.C_GenerateKeyPair(
        session,
        CKM_EC_KEY_PAIR_GEN,
        shared + [(CKA_VERIFY, True), (CKA_EC_PARAMS, OID_P256)],
        shared + [(CKA_SIGN, True)],
    )
    signature = bytes(bench.sign(session, private, vectors.DIGEST))
    seen = Seen()
    for number in range(bench.switches.paths):
        walk = Walk(bench, Dice(number), (private, public), signature)
        for _ in range(STEPS):
            walk.step()
        walk.finish()
        seen.add(walk.path)
        bench.paths = seen.count


def tests(bench):
    """Return [(group, [(name, function)])]."""
    go = bench.switches.paths and bench.switches.generate
    return [("Own_PKCS11_Model", [("RandomWalks", random_walks if go else None)])]
