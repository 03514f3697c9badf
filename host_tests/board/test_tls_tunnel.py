# SPDX-License-Identifier: MIT
"""The tunnel on the serial line: it is killed, stopped, misused; its server goes away."""

import signal
import time

import pytest
from board import tls_kit
from board.tls_board import CONNECT

from p11board.errors import TransportProblem
from p11board.transport import Link

pytestmark = pytest.mark.long

TALK = (
    CONNECT
    + f"""
tunnel.patience = 1000
sock = tunnel.connect()
tunnel.set_clock(sock.time)
link = context().connect(sock, {tls_kit.SERVER!r})
print("up")
try:
    while link.read(1) != b"":
        pass
    last = "end"
except TLSError as error:
    last = str(error)
print(last)
"""
)


def _wait_for(process, text):
    line = process.stdout.readline()
    assert text in line, (line, process.stderr.read() if process.poll() is not None else "")


def test_a_tunnel_that_is_killed_is_noticed_by_the_program(device):
    with tls_kit.openssl_server(device.ca, device.folder) as port:
        process = device.start(port, TALK)
        _wait_for(process, "up")
        process.kill()
        process.communicate()
    deadline = time.monotonic() + tls_kit.SECONDS
    while True:
        time.sleep(2.5)  # two silences; until then what comes is noise to the program
        try:
            with Link(device.board.port) as link:
                output, trace = link.execute("print(last)")
            break
        except TransportProblem:
            assert time.monotonic() < deadline
    assert "no answer: does `p11board tunnel` still run?" in output, (output, trace)


def test_a_server_that_goes_away_is_noticed(device):
    with tls_kit.openssl_server(device.ca, device.folder) as port:
        process = device.start(port, TALK)
        _wait_for(process, "up")
    output, errors = process.communicate(timeout=tls_kit.SECONDS)
    # as the kernel had sent everything or not
    assert output in ("end\n", "the connection was broken: Connection reset by peer\n"), errors


def test_a_program_that_does_not_look_at_the_line_can_be_stopped_when_its_connection_is_over(
    device,
):
    with tls_kit.openssl_server(device.ca, device.folder) as port:
        process = device.start(port, TALK + "print('on')\nwhile True: pass\n")
        _wait_for(process, "up")
    _wait_for(process, "")
    _wait_for(process, "on")
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=tls_kit.SECONDS)
    assert process.returncode == 130


def test_ctrl_c_on_the_host_stops_the_program_and_gives_the_line_back(device):
    with tls_kit.openssl_server(device.ca, device.folder) as port:
        process = device.start(port, TALK)
        _wait_for(process, "up")
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=tls_kit.SECONDS)
    assert process.returncode == 130
    with Link(device.board.port) as link:
        assert link.execute("print(6 * 7)") == ("42\r\n", "")


def test_an_address_that_was_not_allowed_or_does_not_answer_is_refused(device):
    program = """
from pkcs11 import tunnel
for name in ("example.com:80", ""):
    try:
        tunnel.connect(name)
    except OSError as error:
        print(*error.args)
"""
    port = tls_kit.free_port()
    first, second = device.run(port, program).splitlines()
    assert first == f"111 this tunnel leads to 127.0.0.1:{port}, not to example.com:80"
    assert second.startswith(f"111 127.0.0.1:{port}:")


def test_without_a_host_the_program_is_told_what_to_run(device):
    with Link(device.board.port) as link:
        _, trace = link.execute(
            "from pkcs11 import tunnel\n"
            "class Nowhere:\n"
            "    def write(self, data):\n"
            "        return len(data)\n"
            "tunnel.Stream(b'', sink=Nowhere()).open(1000)\n"
        )
    assert "run `p11board tunnel HOST:PORT`" in trace


def test_a_program_that_fails_is_the_commands_failure(device):
    output = device.run(1, "print('one')\n1 / 0\n", code=1)
    assert output.startswith("one\n") and "ZeroDivisionError" in output
