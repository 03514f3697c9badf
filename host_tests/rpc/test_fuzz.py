# SPDX-License-Identifier: MIT
"""Hypothesis against the server: bytes, frames, bodies. Long runs with `--soak`.

Whatever comes in, the board answers in frames only, raises nothing, keeps its objects, and serves
the next honest request.
"""

import random

import pytest
from flashsim import Flash, Geometry
from fuzz_bodies import SAFE, bodies, words
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from local_board import fresh, make_token
from memory_line import MemoryLine
from wire import Caller, Refused, body, decode, n, u

from p11board.frames import BAD, END, HELLO, LOG, PING, RPC, Frame, FrameReader, pieces
from pal.flash import ZERO_ANY
from pkcs11 import api, rpc_calls
from pkcs11.application import Application
from pkcs11.rpc_server import DEVELOPMENT, Server

CHUNK = 1024
CKR_MAX = 0x200
EXAMPLES = 400


class Fed:
    """A server fed with bytes, in this thread. One connection with a logged-in client."""

    def __init__(self):
        fresh()
        self.flash = Flash(Geometry(1, 4096, 16, ZERO_ANY, 256))
        self.token = make_token(self.flash)
        self.feed = MemoryLine()
        self.server = Server(
            self.feed, self.feed, lambda: Application(self.token), DEVELOPMENT, b"FUZZ"
        )
        self.reader = FrameReader()
        self.sequence = 0
        self.give(b"")
        self.frame(HELLO, 1, b"\1")
        self.caller = Caller(self.exchange, 1)
        self.caller.initialize()
        self.session = self.caller.open()
        self.caller.login(self.session)
        self.caller.keypair(self.session, b"kept")
        self.objects = sorted(self.caller.find(self.session))

    def give(self, data):
        """Put bytes on the line; return the frames that come back."""
        self.feed.data = data
        self.feed.out.clear()
        try:
            self.server.serve()
        except EOFError:
            pass
        frames = self.reader.feed(bytes(self.feed.out))
        assert not self.reader.noise and not self.reader.buffer, "not a frame"
        assert frames[0].kind == HELLO
        return frames[1:]

    def frame(self, kind, connection, payload, more=False, part=False):
        """An honest frame; returns its answer."""
        self.sequence = (self.sequence + 1) & 0xFF
        frames = self.give(Frame(kind, connection, self.sequence, payload, more, part).encode())
        assert len(frames) == 1, frames
        return frames[0]

    def recover(self):
        """Resynchronise as the host does."""
        self.sequence = 9
        frames = self.give(bytes(CHUNK + 11) + Frame(PING, 0, 9, b"nonce").encode())
        assert frames[-1].kind == PING and frames[-1].payload == b"nonce"

    def exchange(self, request):
        for payload, more, part in pieces(request, CHUNK):
            frames = self.answers(payload, more, part)
            if frames[-1].kind == RPC:
                break
        assert all(frame.kind == RPC for frame in frames), frames
        return b"".join(frame.payload for frame in frames)

    def answers(self, payload, more, part):
        self.sequence = (self.sequence + 1) & 0xFF
        return self.give(Frame(RPC, 1, self.sequence, payload, more, part).encode())

    def check(self):
        """The honest client is still there, logged in, and nothing is lost."""
        state = self.caller.session_info(self.session)[1]
        assert state == 3
        try:  # a fuzzed request may have begun a search
            self.caller.nothing(28, "u", u(self.session))
        except Refused:
            pass
        assert sorted(self.caller.find(self.session)) == self.objects


@pytest.fixture(scope="module")
def fed():
    surprises = []
    original = api.unexpected
    api.unexpected = surprises.append
    yield Fed()
    api.unexpected = original
    assert not surprises, surprises


def examples(soak):
    return settings(
        max_examples=EXAMPLES * (50 if soak else 1),
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def soaked(request):
    return request.config.getoption("--soak")


def repeat(request, strategy, test):
    """Run test(value) on many values of a strategy."""

    @examples(soaked(request))
    @given(strategy)
    def run(value):
        test(value)

    run()


# --- bytes and frames ----------------------------------------------------------------------------

header = st.binary(min_size=7, max_size=7).map(lambda raw: b"\xf5" + raw[1:])
noise = st.lists(st.one_of(st.binary(max_size=40), header, st.just(b"\xf5")), max_size=8)
honest = st.builds(
    Frame,
    kind=st.integers(0, 15),
    connection=st.sampled_from([0, 1, 1, 2, 16, 17, 255]),
    sequence=st.integers(0, 255),
    payload=st.binary(max_size=60),
    more=st.booleans(),
    part=st.booleans(),
)


def test_random_bytes_never_hurt(fed, request):
    def one(parts):
        for frame in fed.give(b"".join(parts)):
            assert frame.kind in (BAD, PING, END, RPC, HELLO)
        fed.recover()
        fed.check()

    repeat(request, noise, one)


def test_frames_of_any_kind_and_order_never_hurt(fed, request):
    def one(frames):
        # END and HELLO on 0 and 1 are honest ways to close the honest client: leave them out
        kept = [f for f in frames if f.kind not in (HELLO, END) or f.connection > 1]
        fed.give(b"".join(frame.encode() for frame in kept))
        fed.recover()
        fed.check()

    repeat(request, st.lists(honest, max_size=6), one)


@st.composite
def damaged(draw):
    """A good frame with bits turned, bytes lost, doubled or swapped."""
    raw = bytearray(
        Frame(RPC, 1, draw(st.integers(0, 255)), draw(st.binary(max_size=50))).encode()
    )
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(raw) - 1))
        how = draw(st.integers(0, 3))
        if how == 0:
            raw[at] ^= 1 << draw(st.integers(0, 7))
        elif how == 1 and len(raw) > 1:
            del raw[at]
        elif how == 2:
            raw.insert(at, raw[at])
        else:
            raw = raw[at:] + raw[:at]
    return bytes(raw)


def test_damaged_frames_are_never_executed(fed, request):
    def one(raws):
        before = fed.token.sessions
        fed.give(b"".join(raws))
        fed.recover()
        assert fed.token.sessions == before
        fed.check()

    repeat(request, st.lists(damaged(), max_size=4), one)


# --- bodies --------------------------------------------------------------------------------------


def test_bodies_of_any_content_are_answered(fed, request):
    def one(drawn):
        number, signature, parts, cut, size = drawn
        parts = [u(fed.session) if part is None else part for part in parts]
        raw = body(number & 0xFFFFFFFF, signature, *parts)
        if cut == 0:
            raw = raw[:size]
        objects = fed.token.session_objects
        for payload, more, part in pieces(raw, CHUNK):
            frames = fed.answers(payload, more, part)
            if frames[-1].kind == RPC:
                break
        assert [f.kind for f in frames if f.kind != RPC] == [], frames
        answer = b"".join(frame.payload for frame in frames)
        try:
            row = rpc_calls.CALLS[number] if number < len(rpc_calls.CALLS) else None
            reply = row[rpc_calls.REPLY].decode() if row else "?"
            decode(answer, number, reply)
        except Refused as error:
            assert 0 < error.ckr < CKR_MAX
        if fed.token.session_objects > objects + 10:
            tidy(fed)

    repeat(request, bodies(), one)
    tidy(fed)
    fed.check()


def tidy(fed):
    """Destroy what fuzzed C_CreateObject and friends have made; end operations and searches."""
    try:
        fed.caller.nothing(28, "u", u(fed.session))
    except Refused:
        pass
    for handle in fed.caller.find(fed.session):
        if handle not in fed.objects:
            try:
                fed.caller.destroy(fed.session, handle)
            except Refused:
                pass
    fed.objects = sorted(fed.caller.find(fed.session))


def test_long_requests_of_any_shape_never_hurt(fed, request):
    def one(frames):
        for payload, more, part in frames:
            fed.sequence = (fed.sequence + 1) & 0xFF
            fed.give(Frame(RPC, 1, fed.sequence, payload, more, part).encode())
        fed.check()

    lengths = st.sampled_from([0, 8, 1016, 1017, 8192, 8193, 20000, 0x1000001, 0xFFFFFFFF])
    heads = st.builds(
        lambda total, tail, call, data: n(total) + n(tail) + call + data,
        lengths,
        words,
        st.sampled_from([38, 39, 43, 44, 49, 50, 20, 64]).map(
            lambda c: body(c, (rpc_calls.CALLS[c][1]).decode(), u(1), b"\1", n(19966))
        ),
        st.binary(max_size=30).map(lambda b: (b * 40)[:900]),
    )
    parts = st.tuples(st.one_of(heads, st.binary(max_size=60)), st.booleans(), st.booleans())
    repeat(request, st.lists(parts, max_size=5), one)


def test_the_logs_are_never_needed(fed):
    """No fuzzed request above may have ended in an exception that nobody foresaw."""
    generator = random.Random(1)
    for _ in range(200):
        raw = bytes(generator.randrange(256) for _ in range(generator.randrange(60)))
        frames = fed.answers(n(generator.choice(SAFE)) + raw, False, False)
        assert not [f for f in frames if f.kind == LOG]
    fed.check()
