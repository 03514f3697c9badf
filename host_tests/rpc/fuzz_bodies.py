# SPDX-License-Identifier: MIT
"""Hypothesis strategies for request bodies: mostly of the right shape, with anything in them."""

from hypothesis import strategies as st
from wire import attribute, ay, n, template, u

from pkcs11 import rpc_calls

edges = [
    0,
    1,
    2,
    3,
    4,
    8,
    64,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFE,
    0xFFFFFFFF,
    1 << 63,
    (1 << 64) - 1,
]
ulongs = st.one_of(st.integers(0, 40), st.sampled_from(edges), st.integers(0, (1 << 64) - 1))
words = st.one_of(st.integers(0, 70), st.sampled_from(edges[:11]), st.integers(0, 0xFFFFFFFF))
kinds = st.one_of(
    st.sampled_from(sorted(rpc_calls.CODING)),
    st.sampled_from([3, 0x11, 0x102, 0x180, 0x181, 0x110, 0x172, 0x80000001]),
    st.integers(0, 0xFFFFFFFF),
)
octets = st.one_of(
    st.binary(max_size=80).map(ay),
    st.sampled_from([b"\0" + n(0), b"\1" + n(0xFFFFFFFF), b"\0" + n(32), b"\2" + n(1) + b"a"]),
    st.builds(lambda size, data: b"\1" + n(size) + data, words, st.binary(max_size=20)),
)


@st.composite
def attributes(draw):
    kind = draw(kinds)
    how = draw(st.integers(0, 4))
    if how == 0:
        return n(kind) + b"\0"
    if how == 1:
        return n(kind) + b"\1" + n(draw(words)) + draw(st.binary(max_size=20))
    if how == 2:  # attributes inside attributes
        inner = template([(3, b"x")])
        return n(0x40000211) + b"\1" + n(24) + inner
    if rpc_calls.CODING.get(kind) in (1, 8):
        return attribute(kind, draw(st.integers(0, 1)))
    return attribute(kind, draw(st.binary(max_size=40)))


templates = st.one_of(
    st.lists(attributes(), max_size=6).map(lambda parts: n(len(parts)) + b"".join(parts)),
    st.builds(lambda count, raw: n(count) + raw, words, st.binary(max_size=30)),
)
mechanisms = st.one_of(
    st.sampled_from([0x1040, 0x1041, 0x1044, 0x250, 0x220]).map(lambda k: n(k) + n(0xFFFFFFFF)),
    st.builds(lambda kind, raw: n(kind) + raw, words, st.binary(max_size=30)),
    st.just(n(0x1050) + u(1) + n(0xFFFFFFFF) + n(65) + b"\4" + bytes(64)),
)
ARGUMENTS = {
    "u": ulongs.map(u),
    "y": st.binary(min_size=1, max_size=1),
    "b": octets,
    "f": words.map(n),
    "A": templates,
    "M": mechanisms,
    "t": st.lists(st.tuples(kinds, words), max_size=9).map(
        lambda pairs: n(len(pairs)) + b"".join(n(k) + n(r) for k, r in pairs)
    ),
    "s": st.binary(max_size=40).map(lambda raw: n(len(raw)) + raw),
}
SAFE = [  # everything but what would honestly log the client out, or destroy the kept objects
    number
    for number, row in enumerate(rpc_calls.CALLS)
    if row and number not in (1, 2, 9, 11, 12, 14, 15, 18, 19, 22, 25)
]


@st.composite
def bodies(draw):
    """A body: mostly of the right shape, with our session where one is due."""
    number = draw(st.sampled_from(SAFE))
    row = rpc_calls.CALLS[number]
    signature = row[rpc_calls.REQUEST].decode()
    letters = "u" * (len(row[rpc_calls.HEAD]) - 1) + row[rpc_calls.TAIL].decode()
    parts = [draw(ARGUMENTS[letter]) for letter in letters]
    if letters[:1] == "u" and draw(st.booleans()):
        parts[0] = None  # our session
    how = draw(st.integers(0, 9))
    if how == 0:
        signature = draw(st.sampled_from(["", "u", "uu", "ay", "uayfy", signature + "u"]))
    if how == 1:
        number = draw(words)
        if number in (1, 2, 9, 11, 12, 14, 15, 18, 19, 22, 25, 88):
            number = 200
    return number, signature, parts, draw(st.integers(0, 3)), draw(st.integers(0, 400))
