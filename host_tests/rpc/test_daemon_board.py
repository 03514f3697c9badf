# SPDX-License-Identifier: MIT
# ruff: noqa: F403, F405
"""A daemon whose board goes and comes, and the commands around it: release, connect, doctor, …"""

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from harness import CPythonBoard, Served, module
from wire import Refused, ay, body, ckr_of, n, u

from p11board import control
from pkcs11.const import *

pytestmark = pytest.mark.long


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
    assert program.closed()
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
    assert program.closed()
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
    os.waitid(os.P_PID, served.board.process.pid, os.WSTOPPED)  # it may finish a call until then
    try:
        assert ckr_of(program.caller.slots) in (CKR_DEVICE_REMOVED, CKR_DEVICE_ERROR)
        assert program.closed()
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
    assert program.closed()
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
