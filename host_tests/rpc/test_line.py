# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405
"""The line protocol of docs/PROTOCOL.md, sections 1 to 6, against the server in this process."""

import re
from pathlib import Path

import pytest
from local_board import LocalBoard, fresh
from wire import Caller, Refused, body, n, u

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
