# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405
"""The line protocol of docs/PROTOCOL.md, sections 1 to 6, against the server in this process."""

import hashlib
import re
from pathlib import Path

import pytest
from local_board import LocalBoard, fresh
from wire import Caller, Refused, ay, body, decode, n, u

from p11board.frames import (
    ACK,
    BAD,
    END,
    FLUSH,
    HELLO,
    LOG,
    PING,
    RPC,
    Frame,
    FrameReader,
    Hello,
    pieces,
)
from pkcs11.const import *

BOTH_BOARDS = True  # each test that does not ask for `local` runs on the emulated board, too
PROTOCOL = Path(__file__).resolve().parents[2] / "docs" / "PROTOCOL.md"


def ping(board, payload=b"12345678", sequence=77):
    board.send(Frame(PING, 0, sequence, payload).encode())
    board.sequence = sequence


def test_the_example_frame_of_the_document_is_right():
    text = PROTOCOL.read_text()
    example = bytes.fromhex(re.search(r"`(F5 04 00 07 [0-9A-F ]+)`", text).group(1))
    assert Frame(PING, 0, 7, b"hi").encode() == example
    assert FrameReader().feed(example) == [Frame(PING, 0, 7, b"hi")]


def test_hello_says_what_the_document_says(board):
    hello = board.hello
    assert (hello.line_version, hello.rpc_version, hello.chunk) == (1, 2, 1024)
    assert hello.connections == 16 and hello.development and not hello.locked
    assert hello.name in ("TEST 0.0", "AST1030_EVB " + hello.name.split()[-1])
    assert len(hello.boot) == 4
    again = board.ask(HELLO, 0, b"\1")
    assert Hello.decode(again.payload) == hello


def test_each_start_has_its_own_boot_number(board, local):
    fresh()
    other = LocalBoard()
    assert other.hello.boot != board.hello.boot
    other.stop()


def test_ping_comes_back_unchanged(board):
    for payload in (b"", b"x", bytes(16)):
        assert board.ask(PING, 0, payload).payload == payload
    assert board.ask(PING, 0, bytes(17)).kind == BAD


def test_noise_is_skipped_in_silence(board):
    board.send(b"\r\x03\x03\r\x01" + bytes(range(0xF5)) * 20 + "текст".encode() + bytes(3000))
    assert board.silent()
    assert board.ask(PING, 0, b"there").payload == b"there"


def test_noise_full_of_marks_does_not_hide_the_next_frame(board):
    board.send(b"\xf5" * 1000)
    assert board.silent()
    assert board.ask(PING, 0, b"there").payload == b"there"


def test_a_frame_cut_short_costs_only_itself(board):
    exchange = board.connect()
    whole = Frame(RPC, 1, 99, bytes(40)).encode()
    for size in range(1, len(whole)):
        board.send(whole[:size])
        ping(board)
        board.send(bytes(FLUSH))
        frame = board.next()
        while frame.kind == BAD:
            frame = board.next()
        assert (frame.kind, frame.sequence, frame.payload) == (PING, 77, b"12345678")
        while not board.silent(0.002):
            assert board.next().kind == BAD
    Caller(exchange).initialize()


def test_resynchronisation_of_the_document_works_after_anything(board):
    caller = Caller(board.connect())
    caller.initialize()
    session = caller.open()
    for junk in (
        b"\xf5\x02\x01\x05\x04\x00" + bytes([0xFF ^ 0xF5 ^ 2 ^ 1 ^ 5 ^ 4]),
        b"\xf5",
        b"abc",
    ):
        board.send(junk + bytes(board.hello.chunk + 11))
        ping(board, b"nonce...", 200)
        while board.next().payload != b"nonce...":
            pass
        assert caller.session_info(session)[0] == 1


def test_a_wrong_crc_is_told_and_the_call_not_done(board, local):
    exchange = board.connect()
    Caller(exchange).initialize()
    raw = bytearray(Frame(RPC, 1, board.sequence + 1, body(10, "uu", u(1), u(6))).encode())
    for at in range(7, len(raw)):
        raw[at] ^= 0x10
        board.send(bytes(raw))
        answer = board.next()
        assert (answer.kind, answer.payload) == (BAD, b"\1")
        raw[at] ^= 0x10
    assert board.token.sessions == 0
    board.sequence += 1
    board.send(bytes(raw))
    assert board.next().kind == RPC
    assert board.token.sessions == 1


def test_a_repeated_frame_is_executed_once(board, local):
    Caller(board.connect()).initialize()
    board.sequence += 1
    raw = Frame(RPC, 1, board.sequence, body(10, "uu", u(1), u(6))).encode()
    board.send(raw * 5)
    assert board.next().kind == RPC
    assert board.silent()
    assert board.token.sessions == 1


def test_frames_out_of_order_are_refused(board, local):
    Caller(board.connect()).initialize()
    request = body(10, "uu", u(1), u(6))
    first = Frame(RPC, 1, board.sequence + 1, request).encode()
    second = Frame(RPC, 1, board.sequence + 2, request).encode()
    board.send(second + first)
    answer = board.next()
    assert (answer.kind, answer.payload, answer.sequence) == (BAD, b"\2", board.sequence)
    assert board.next().kind == RPC
    assert board.silent()
    assert board.token.sessions == 1


def test_sequence_numbers_run_over(board):
    for _ in range(600):
        assert board.ask(END, 16).kind == END
    assert board.ask(PING, 0, b"x").payload == b"x"


@pytest.mark.parametrize("kind", [0, LOG, ACK, BAD, 8, 15, 0x12, 0x22, 0x83, 0x41])
def test_types_that_do_not_exist_are_refused(board, kind):
    answer = board.ask(kind, 1)
    assert (answer.kind, answer.payload) == (BAD, b"\4")


def test_connection_numbers_that_do_not_exist_are_refused(board):
    for number in (17, 255):
        for kind in (HELLO, RPC, END):
            assert board.ask(kind, number, b"\0").payload == b"\4"
    assert board.ask(RPC, 0, body(13, "u", u(1))).kind == BAD


def test_too_long_a_frame_is_refused(board):
    board.send(Frame(RPC, 1, board.sequence + 1, bytes(1025)).encode())
    answer = board.next()
    assert (answer.kind, answer.payload) == (BAD, b"\3")
    ping(board)
    while board.next().kind != PING:
        pass


def test_requests_without_handshake_are_answered_with_end(board):
    answer = board.ask(RPC, 5, body(13, "u", u(1)))
    assert (answer.kind, answer.connection) == (END, 5)


# --- connections ---------------------------------------------------------------------------------


def test_connections_do_not_see_each_other(board):
    callers = [Caller(board.connect(number)) for number in range(1, 17)]
    for caller in callers:
        caller.initialize()
    sessions = [caller.open() for caller in callers]
    callers[0].login(sessions[0])
    states = [c.session_info(s)[1] for c, s in zip(callers, sessions)]
    assert states == [CKS_RW_USER_FUNCTIONS] + [CKS_RW_PUBLIC_SESSION] * 15
    with pytest.raises(Refused) as caught:
        callers[1].session_info(sessions[0])
    assert caught.value.ckr == CKR_SESSION_HANDLE_INVALID


def test_a_lost_connection_leaves_nothing_behind(board, local):
    for _ in range(3):
        caller = Caller(board.connect())
        caller.initialize()
        session = caller.open()
        caller.login(session)
        caller.digest_init(session)
        caller.nothing(26, "uaA", u(session), n(0))
        board.end()
        assert board.token.sessions == 0 and not board.token.applications
        assert not board.token.keyring.master
        assert board.ask(RPC, 1, body(13, "u", u(session))).kind == END


def test_hello_and_end_on_connection_0_finalise_all(board, local):
    for kind in (HELLO, END):
        for number in (1, 2, 3):
            caller = Caller(board.connect(number))
            caller.initialize()
            caller.login(caller.open())
        assert board.token.sessions == 3
        assert board.ask(kind, 0).kind == kind
        assert board.token.sessions == 0 and not board.token.keyring.master
    board.thread.join(5)
    assert not board.thread.is_alive()


def test_hello_on_an_open_connection_starts_it_anew(board, local):
    caller = Caller(board.connect())
    caller.initialize()
    caller.open()
    Caller(board.connect()).initialize()
    assert board.token.sessions == 0


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
