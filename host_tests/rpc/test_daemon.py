# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405
"""`p11board serve` and its helpers: ownership, many programs, loss, stalls, junk, commands."""

import fcntl
import hashlib
import json
import os
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest
from harness import ROOT, CPythonBoard, Served, module
from wire import Refused, ay, body, n, u

from p11board import control
from pkcs11.const import *


@pytest.fixture
def shared(one_served):
    """A daemon without clients, for the tests that leave it as it was."""
    yield one_served
    one_served.hang_up()


@pytest.fixture(scope="module")
def one_served(tmp_path_factory):
    """One board and one daemon for many tests."""
    folder = tmp_path_factory.mktemp("shared")
    board = CPythonBoard(folder, "--serial", "FEEDBEEF")
    served = Served(board, folder)
    yield served
    served.stop()
    board.stop()


def ckr_of(function, *args):
    with pytest.raises(Refused) as caught:
        function(*args)
    return caught.value.ckr


def closed(program):
    """Whether the daemon has closed this program's connection."""
    program.socket.settimeout(10)
    try:
        return program.socket.recv(1) == b""
    except ConnectionResetError:
        return True


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
        assert closed(program)
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


# --- the board goes and comes --------------------------------------------------------------------


def test_without_a_board_there_is_no_socket_and_programs_see_no_slots(tmp_path):
    board = CPythonBoard(tmp_path)
    board.stop()
    served = Served(board, tmp_path, wait=False)
    served.wait_for("waiting")
    assert not served.socket.exists()
    assert "No slots" in served.tool("-L", code=None)
    board.start()
    served.wait_for("serving")
    assert "micropython-pkcs11" in served.tool("-L")
    served.stop()
    board.stop()


def test_an_unplugged_board_ends_calls_and_is_taken_up_again(served):
    program = served.program()
    session = program.log_in()
    served.board.stop()
    assert closed(program)
    status = served.wait_for("waiting")
    assert status["port"] is None
    assert not served.socket.exists()
    served.board.start()
    # another process, another serial number: it is not taken for the first board
    deadline = time.monotonic() + 10
    while "another token" not in served.log():
        assert time.monotonic() < deadline, served.log()
        time.sleep(0.05)
    assert session


def test_a_board_that_resets_ends_its_connections_and_is_served_again(tmp_path):
    board = CPythonBoard(tmp_path, "--serial", "0123456789ABCDEF")
    served = Served(board, tmp_path)
    program = served.program()
    program.log_in()
    board.cycle()
    assert closed(program)
    served.wait_for("serving")
    again = served.program()
    again.caller.initialize()
    assert again.caller.token_info()[0][3] == b"0123456789ABCDEF"
    served.stop()
    board.stop()


def test_the_named_token_is_found_by_serial_or_label_and_no_other(tmp_path):
    board = CPythonBoard(tmp_path, "--serial", "0123456789ABCDEF")
    for name in ("0123456789ABCDEF", "micropython-pkcs11"):
        served = Served(board, tmp_path, "--token", name)
        served.stop()
    served = Served(board, tmp_path, "--token", "another", wait=False)
    deadline = time.monotonic() + 10
    while "not the token" not in served.log():
        assert time.monotonic() < deadline, served.log()
        time.sleep(0.05)
    served.stop()
    board.stop()


def test_a_board_that_stops_answering_is_given_up(served):
    program = served.program()
    program.caller.initialize()
    served.board.process.send_signal(signal.SIGSTOP)
    try:
        assert ckr_of(program.caller.slots) in (CKR_DEVICE_REMOVED, CKR_DEVICE_ERROR)
        assert closed(program)
        assert "does not answer any more" in served.log()
    finally:
        served.board.process.send_signal(signal.SIGCONT)


def test_noise_from_the_board_is_survived(tmp_path):
    board = CPythonBoard(tmp_path, "--serial", "1", "--noise")
    served = Served(board, tmp_path)
    program = served.program()
    program.caller.initialize()
    results = []
    for _ in range(40):
        try:
            results.append(program.caller.slots())
        except Refused as error:
            results.append(error.ckr)
    assert results.count([1]) > 20
    assert set(map(str, results)) <= {"[1]", str(CKR_DEVICE_ERROR)}
    served.stop()
    board.stop()


# --- release, resume, connect, doctor, uri, setup-host -------------------------------------------


def test_release_lends_the_port_out_and_resume_takes_it_back(shared):
    program = shared.program()
    program.log_in()
    shared.p11board("release")
    assert closed(program)
    assert shared.wait_for("released")["port"] is None
    assert not shared.socket.exists()
    descriptor = os.open(shared.board.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)
    assert "serving" in shared.p11board("resume")
    shared.program().log_in()


def test_release_waits_for_the_call_that_is_running(shared):
    program = shared.program()
    program.caller.initialize()
    session = program.caller.open()
    program.send(body(64, "ufy", u(session), n(500000)))
    time.sleep(0.05)
    shared.p11board("release")
    shared.p11board("resume")
    again = shared.program()
    again.log_in()


def test_connect_pumps_and_starts_the_daemon(double, tmp_path):
    served = Served(double, tmp_path)
    served.stop()
    words = served.command(*double.options(), "connect", "--socket", served.socket)
    process = subprocess.Popen(
        words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=served.environment()
    )
    process.stdin.write(b"\1")
    process.stdin.flush()
    assert process.stdout.read(1) == b"\1"
    request = body(1, "ayyay", ay(b"PRIVATE-GNOME-KEYRING-PKCS11-PROTOCOL-V-1"), b"\0", ay(b"\0"))
    process.stdin.write(struct.pack(">III", 16, 0, len(request)) + request)
    process.stdin.flush()
    answer = process.stdout.read(12 + 8)
    assert struct.unpack(">III", answer[:12]) == (16, 0, 8)
    process.stdin.close()
    assert process.wait(5) == 0
    process.stdout.close()
    assert control.ask(served.socket, "status")["state"] == "serving"
    served.p11board("serve", "--stop")
    deadline = time.monotonic() + 5
    while control.ask(served.socket, "status") and time.monotonic() < deadline:
        time.sleep(0.05)


def test_status_says_what_the_daemon_does(shared):
    status = json.loads(shared.p11board("serve", "--status", "--json"))
    assert status["state"] == "serving" and status["board"] == "CPYTHON 0.0"
    assert status["token"]["label"] == "micropython-pkcs11"
    assert "serving" in shared.p11board("serve", "--status")


def test_the_control_socket_survives_junk(shared):
    commands = [b"", b"\n", b"{}\n", b"[1]\n", b'{"cmd":"_x"}\n', b'{"cmd":["a"]}\n']
    for junk in [*commands, b"x" * 70000]:
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(5)
        line.connect(str(shared.socket) + ".control")
        line.sendall(junk)
        line.shutdown(socket.SHUT_WR)
        try:
            line.recv(4096)
        except ConnectionResetError:
            pass
        line.close()
    assert control.ask(shared.socket, "status")["state"] == "serving"


def test_doctor_is_content_with_a_board_that_works(shared):
    found = json.loads(shared.p11board("doctor", "--json"))
    states = {item["name"]: item["state"] for item in found}
    for name in ("daemon", "port", "firmware", "socket", "token", "entropy"):
        assert states[name] == "ok", found
    assert states["login"] == "warn"  # the default PIN


def test_doctor_names_the_next_step_when_something_is_missing(served):
    served.stop()
    out = served.p11board(*served.board.options(), "doctor", code=1)
    assert "FAIL  daemon" in out and "p11board serve" in out
    served.start()
    served.p11board("release")
    out = served.p11board("doctor", code=1)
    assert "p11board resume" in out
    served.p11board("resume")


def test_uri_prints_what_programs_take(served):
    program = served.program()
    session = program.log_in()
    program.caller.keypair(session, b"my key; 1", key_id=b"\x01\xff")
    found = served.p11board("uri").splitlines()
    assert found[0].startswith("pkcs11:model=MicroPython;manufacturer=micropython-pkcs11;serial=")
    assert found[1].endswith(";id=%01%FF;object=my%20key%3B%201;type=public")
    pin = served.folder / "pin"
    pin.write_text("0000\n")
    found = served.p11board("uri", "--pin-file", pin).splitlines()
    assert found[2].endswith(";type=private") or found[1].endswith(";type=private")


def test_setup_host_shows_writes_and_removes_its_files(shared):
    shown = shared.p11board("setup-host")
    assert f"remote: unix:path={shared.socket}" in shown and "ExecStart=" in shown
    config = shared.home / ".config"
    assert not config.exists()
    shared.p11board("setup-host", "--write")
    text = (config / "pkcs11" / "modules" / "p11board.module").read_text()
    assert f"remote: unix:path={shared.socket}" in text
    assert (config / "systemd" / "user" / "p11board.service").exists()
    shared.p11board("setup-host", "--write")
    shared.p11board("setup-host", "--remove")
    assert not [path for path in config.rglob("*") if path.is_file()]
    (config / "pkcs11" / "modules" / "p11board.module").write_text("module: mine.so\n")
    assert "is not ours" in shared.p11board("setup-host", "--write", code=1)
    shared.p11board("setup-host", "--remove")
    assert (config / "pkcs11" / "modules" / "p11board.module").exists()


def test_the_module_file_works_with_p11_kit_proxy_as_an_ordinary_user(double):
    """Root ignores users' module files, so root lets `nobody` be the user of this test."""
    with tempfile.TemporaryDirectory(prefix="p11board-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        served = Served(double, folder)
        served.p11board("setup-host", "--write")
        words = ["pkcs11-tool", "--module", module("p11-kit-proxy.so"), "--list-slots"]
        if os.getuid() == 0:
            nobody = 65534
            for path in (served.run_dir, served.socket, *served.home.rglob("*"), served.home):
                os.chown(path, nobody, nobody)
            words = ["setpriv", f"--reuid={nobody}", "--regid=0", "--clear-groups", *words]
        out = served.run(*words, env={"P11_KIT_SERVER_ADDRESS": ""})
        assert "token label        : micropython-pkcs11" in out
        served.stop()
