# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405
"""Messages of many frames: docs/PROTOCOL.md section 4."""

import hashlib

import pytest
from wire import Caller, Refused, ay, body, decode, n, u

from p11board.frames import (
    ACK,
    PING,
    RPC,
    pieces,
)
from pkcs11.const import *

BOTH_BOARDS = True  # each test that does not ask for `local` runs on the emulated board, too


# --- long messages -------------------------------------------------------------------------------


def test_requests_of_many_frames_are_collected(board, caller, session):
    for size in (900, 1024, 1025, 2000, 3000):
        pairs = [(CKA_CLASS, CKO_DATA), (CKA_LABEL, b"%d" % size), (CKA_VALUE, b"\x5a" * size)]
        handle = caller.create(session, pairs)
        found, _ = caller.attributes(session, handle, [CKA_VALUE])
        assert found[0][2] == b"\x5a" * size


def test_each_part_is_acknowledged(board, caller, session):
    data = ay(bytes(3000))
    parts = pieces(body(39, "uay", u(session), data), 1024)
    caller.digest_init(session)
    assert len(parts) == 3
    kinds = [board.ask(RPC, 1, *part).kind for part in parts]
    assert kinds == [ACK, ACK, RPC]


@pytest.mark.parametrize("size", [8100, 8192, 8300, 30000])
def test_long_digests_are_streamed(caller, size):
    digests(caller, size)


def test_a_megabyte_is_streamed(local, caller):
    digests(caller, 1000000)


def digests(caller, size):
    session = caller.open()
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    for kind, name in ((CKM_SHA256, "sha256"), (CKM_SHA_1, "sha1")):
        caller.digest_init(session, kind)
        wanted = hashlib.new(name, data).digest()
        assert caller.digest(session, data, room=0) == len(wanted)
        assert caller.digest(session, data, room=len(wanted) - 1) == len(wanted)
        assert caller.digest(session, data) == wanted
    caller.digest_init(session)
    caller.nothing(39, "uay", u(session), ay(data))
    caller.nothing(39, "uay", u(session), ay(data))
    assert caller.data(41, "ufy", u(session), n(64)) == hashlib.sha256(data * 2).digest()


def test_long_messages_are_signed_and_verified_as_they_arrive(board):
    caller = Caller(board.connect(2, 1), 1)
    caller.initialize()
    session = caller.open()
    caller.login(session)
    public, private = caller.keypair(session)
    data = b"0123456789" * 2000
    caller.sign_init(session, private, CKM_ECDSA_SHA256)
    assert caller.sign(session, data, room=0) == 64
    signature = caller.sign(session, data)
    caller.verify_init(session, public, CKM_ECDSA_SHA256)
    caller.verify(session, data, signature)
    caller.verify_init(session, public, CKM_ECDSA_SHA256)
    with pytest.raises(Refused) as caught:
        caller.verify(session, data[:-1] + b"x", signature)
    assert caught.value.ckr == CKR_SIGNATURE_INVALID
    caller.sign_init(session, private, CKM_ECDSA)
    with pytest.raises(Refused) as caught:
        caller.sign(session, data)
    assert caught.value.ckr == CKR_DATA_LEN_RANGE


def refused_at(board, request):
    """Send a long request; return (CKR, number of frames sent)."""
    sent = 0
    for part in pieces(request, board.hello.chunk):
        sent += 1
        answer = board.ask(RPC, 1, *part)
        if answer.kind == RPC:
            break
        assert answer.kind == ACK
    with pytest.raises(Refused) as caught:
        decode(answer.payload, request[3], "")
    return caught.value.ckr, sent


def test_too_long_a_request_is_refused_after_its_first_frame(board, caller, session):
    big = n(1) + n(CKA_VALUE) + b"\1" + n(65000) + n(65000) + bytes(65000)
    request = body(20, "uaA", u(session), big)
    assert refused_at(board, request) == (CKR_DEVICE_MEMORY, 1)
    request = body(39, "uay", u(session), ay(bytes(20000)))
    assert refused_at(board, request) == (CKR_OPERATION_NOT_INITIALIZED, 1)
    request = body(39, "uay", u(999), ay(bytes(20000)))
    assert refused_at(board, request) == (CKR_SESSION_HANDLE_INVALID, 1)
    request = body(38, "uayfy", u(session), ay(bytes(20000)), n(32))
    assert refused_at(board, request) == (CKR_OPERATION_NOT_INITIALIZED, 1)
    request = body(99, "uay", u(session), ay(bytes(20000)))
    assert refused_at(board, request) == (CKR_FUNCTION_NOT_SUPPORTED, 1)
    request = body(39, "uuy", u(session), ay(bytes(20000)))
    assert refused_at(board, request) == (CKR_DEVICE_ERROR, 1)
    assert caller.session_info(session)


def test_long_requests_that_lie_about_their_data_are_refused(board, caller, session):
    caller.digest_init(session)
    for told in (0, 100, 19999, 20001, 0x7FFFFFFF, 0xFFFFFFFF):
        raw = b"\1" + n(told) + bytes(20000)
        assert refused_at(board, body(38, "uayfy", u(session), raw, n(32)))[0] == CKR_DEVICE_ERROR
    raw = b"\0" + n(20000) + bytes(20000)
    assert refused_at(board, body(38, "uayfy", u(session), raw, n(32)))[0] == CKR_DEVICE_ERROR


def test_parts_that_do_not_belong_together_are_refused(board, caller, session):
    caller.digest_init(session)
    parts = pieces(body(39, "uay", u(session), ay(bytes(3000))), 1024)
    board.connect(2)
    assert board.ask(RPC, 1, *parts[1]).payload == b"\4"  # no first part
    assert board.ask(RPC, 1, *parts[0]).kind == ACK
    assert board.ask(RPC, 2, *parts[1]).payload == b"\4"  # another connection's
    assert board.ask(RPC, 1, *parts[1]).payload == b"\4"
    assert board.ask(RPC, 1, *parts[0]).kind == ACK
    assert board.ask(PING, 0, b"x").kind == PING  # a PING abandons it
    assert board.ask(RPC, 1, *parts[1]).payload == b"\4"
    assert board.ask(RPC, 1, b"1234567", more=True).payload == b"\3"  # no room for the prefix
    assert board.ask(RPC, 1, *parts[0]).kind == ACK
    assert board.ask(RPC, 1, bytes(10), more=False, part=True).payload == b"\3"  # too early
    assert board.ask(RPC, 1, *parts[0]).kind == ACK
    assert board.ask(RPC, 1, bytes(1024), more=True, part=True).kind == ACK
    assert board.ask(RPC, 1, bytes(1024), more=True, part=True).payload == b"\3"  # too much
    assert caller.session_info(session)


def test_long_requests_leave_no_copy_in_the_buffer(board, local, caller, session):
    secret = b"SECRET-VALUE-OF-A-KEY" * 100
    pairs = [(CKA_CLASS, CKO_DATA), (CKA_VALUE, secret)]
    caller.create(session, pairs)
    assert secret[:20] not in board.server._long._buffer
