# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405
"""`p11board serve` and its helpers: ownership, many programs, loss, stalls, junk, commands."""

import hashlib
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import time

import pytest
from harness import ROOT, Served
from wire import body, ckr_of, n, u

from p11board import control
from pkcs11.const import *

pytestmark = pytest.mark.long


def test_the_socket_is_private(shared):
    assert stat.S_IMODE(os.stat(shared.socket).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(shared.run_dir).st_mode) == 0o700


def test_a_directory_others_can_enter_is_refused(double, tmp_path):
    (tmp_path / "run").mkdir(mode=0o755)
    served = Served(double, tmp_path, wait=False)
    assert served.process.wait(10) == 1
    assert "can be entered by others" in served.log()


def test_a_second_daemon_is_refused(shared):
    out = shared.p11board(*shared.board.options(), "serve", "--socket", shared.socket, code=1)
    assert "serves" in out and "already" in out
    out = shared.p11board(*shared.board.options(), "release", "--socket", "/tmp/none", code=1)
    assert "in use by another program" in out


def test_versions_are_negotiated_per_program(shared):
    for offered, answered in ((0, 0), (1, 1), (2, 2), (9, 2)):
        program = shared.program(offered)
        assert program.version == answered
        program.caller.initialize()
        program.close()


def test_programs_do_not_see_each_others_login(shared):
    one, two = shared.program(), shared.program()
    session = one.log_in()
    assert one.caller.keypair(session)
    two.caller.initialize()
    other = two.caller.open()
    assert two.caller.session_info(other)[1] == CKS_RW_PUBLIC_SESSION
    assert two.caller.find(other, [(CKA_CLASS, CKO_PRIVATE_KEY)]) == []
    assert one.caller.find(session, [(CKA_CLASS, CKO_PRIVATE_KEY)])
    one.close()
    two.close()


def test_a_killed_program_leaves_no_login_behind(shared):
    script = (
        "import sys; sys.path[:0]=[%r, %r, 'tools', 'host_tests/twin', 'firmware', '.']\n"
        "from harness import Program; p = Program(sys.argv[1]); s = p.log_in()\n"
        "print('in', flush=True); sys.stdin.read()"
    )
    script %= (str(ROOT / "host_tests" / "rpc"), str(ROOT / "host_tests"))
    command = [sys.executable, "-c", script, str(shared.socket)]
    victim = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert victim.stdout.readline() == "in\n"
    assert control.ask(shared.socket, "status")["clients"] >= 1
    victim.send_signal(signal.SIGKILL)
    victim.wait()
    victim.stdin.close()
    victim.stdout.close()
    deadline = time.monotonic() + 5
    while control.ask(shared.socket, "status")["clients"] and time.monotonic() < deadline:
        time.sleep(0.01)
    program = shared.program()
    program.caller.initialize()
    session = program.caller.open()
    assert program.caller.token_info()[1][2] == 1  # its own session is the only one
    assert program.caller.session_info(session)[1] == CKS_RW_PUBLIC_SESSION


def test_more_programs_than_connections_are_refused_without_harm(shared):
    programs = [shared.program() for _ in range(16)]
    for program in programs:
        program.caller.initialize()
    with pytest.raises((EOFError, ConnectionError)):
        shared.program()
    assert "one refused" in shared.log()
    programs.pop().close()
    deadline = time.monotonic() + 5
    while True:
        try:
            shared.program().caller.initialize()
            break
        except (EOFError, ConnectionError):
            assert time.monotonic() < deadline


def test_pipelined_requests_are_answered_in_order(shared):
    program = shared.program()
    program.caller.initialize()
    session = program.caller.open()
    first = program.code + 1
    for _ in range(5):
        program.send(body(13, "u", u(session)))
    codes = []
    for _ in range(5):
        code, _, size = struct.unpack(">III", program.receive(12))
        program.receive(size)
        codes.append(code)
    assert codes == list(range(first, first + 5))


# --- programs that misbehave ---------------------------------------------------------------------


def test_junk_on_the_socket_closes_only_that_program(shared):
    closed_before = shared.log().count("closed")
    good = shared.program()
    good.caller.initialize()
    session = good.caller.open()
    for junk in (b"GET / HTTP/1.0\r\n\r\n" * 3, b"\0" + b"\xff" * 100, b"\2" + os.urandom(5000)):
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(shared.socket))
        line.sendall(junk)
        line.shutdown(socket.SHUT_WR)
        line.settimeout(10)
        try:
            while line.recv(4096):
                pass
        except ConnectionResetError:
            pass
        assert good.caller.session_info(session)
    assert shared.log().count("closed") >= closed_before + 2


def test_lengths_that_cannot_be_are_refused_with_one_line(shared):
    before = shared.log().count("a request of")
    for options, size in ((0, 0xFFFFFFFF), (0xFFFFFFFF, 0), (5000, 10), (0, 0x7FFFFFFF)):
        program = shared.program()
        program.socket.sendall(struct.pack(">III", 1, options, size))
        assert program.closed()
    assert shared.log().count("a request of") == before + 4


def test_a_program_without_handshake_gets_an_error(shared):
    program = shared.program()
    assert ckr_of(program.caller.open) == CKR_CRYPTOKI_NOT_INITIALIZED
    line = socket.socket(socket.AF_UNIX)
    line.connect(str(shared.socket))
    line.sendall(struct.pack(">III", 0x10, 0, 4) + n(3))  # no version byte: all is out of step
    line.close()


def test_a_short_or_empty_body_is_an_error_not_a_hang(shared):
    program = shared.program()
    program.caller.initialize()
    for size in range(8):
        answer = program.exchange(bytes(size))
        assert answer[:4] == bytes(4) and len(answer) == 17
    assert program.caller.open()


def test_a_program_that_stops_reading_costs_the_others_nothing(shared):
    greedy = shared.program()
    greedy.caller.initialize()
    session = greedy.caller.open()
    greedy.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    for _ in range(8):
        greedy.send(body(64, "ufy", u(session), n(200000)))
    start = time.monotonic()
    other = shared.program()
    other.caller.initialize()
    for _ in range(20):
        other.caller.slots()
    assert time.monotonic() - start < 20
    greedy.close()


def test_a_request_that_never_ends_holds_up_nobody(shared):
    program = shared.program()
    program.caller.initialize()
    program.socket.sendall(struct.pack(">III", 5, 0, 1000) + b"x")
    other = shared.program()
    other.caller.initialize()
    assert other.caller.slots() == [1]


def test_long_requests_and_answers_pass_through(shared):
    program = shared.program()
    program.caller.initialize()
    session = program.caller.open()
    data = os.urandom(300000)
    program.caller.digest_init(session)
    assert program.caller.digest(session, data) == hashlib.sha256(data).digest()
    assert len(program.caller.random(session, 100000)) == 100000
    big = n(1) + n(CKA_VALUE) + b"\1" + n(65000) + n(65000) + bytes(65000)
    assert ckr_of(program.caller.one, 20, "uaA", u(session), big) == CKR_DEVICE_MEMORY
    assert program.caller.session_info(session)
