# SPDX-License-Identifier: MIT
"""TLS from the emulated board with a key of the token, through a tunnel on its serial line, to real
servers: OpenSSL, and the MQTT broker mosquitto which wants a client certificate."""

import contextlib
import json
import os
import signal
import ssl
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "examples")]

import tls_kit  # noqa: E402
from mqtt import Client, MqttError  # noqa: E402

from p11board import keys  # noqa: E402
from p11board.errors import TransportProblem  # noqa: E402
from p11board.transport import Link  # noqa: E402

pytestmark = pytest.mark.long

KEY, CERT, CA = "Device Priv TLS Key", "Device Cert", "Root Certificate"
CONNECT = f"""
from pkcs11 import P11Error, tls, tunnel
from pkcs11.tls_errors import TLSError
def context(**more):
    given = dict(cert={CERT!r}, key={KEY!r}, ca={CA!r}, pin=bytearray(b"0000"))
    given.update(more)
    return tls.context(**given)
def attempt(clock=True, sni={tls_kit.SERVER!r}, **more):
    try:
        sock = tunnel.connect()
        if clock:
            tunnel.set_clock(sock.time)
        c = context(**more)
        try:
            link = c.connect(sock, sni)
            link.write(b"hello\\n")
            print("got", link.read(6), *link.cipher())
            link.close()
        finally:
            c.close()
            sock.close()
    except (TLSError, P11Error) as error:
        print("failed:", error)
"""
ATTEMPT = CONNECT + "attempt()\n"


class TlsBoard:
    """A board with a device's identity of one CA, and its tunnel."""

    def __init__(self, board, folder):
        self.board = board
        self.folder = folder
        self.process = None
        self.ca = tls_kit.Authority(folder / "ca")
        with board.connected() as token:
            point = bytes.fromhex(token.keygen(KEY)["point"])
        self.public_key = keys.public_key(point)
        self.certificate = self.ca.issue("board-1", self.public_key)
        self.store(CERT, self.certificate)
        self.store(CA, self.ca.certificate)

    def store(self, label, certificate):
        """Put a certificate on the token."""
        path = self.folder / "certificate.der"
        path.write_bytes(der(certificate))
        self.board.p11board("import", path, "--label", label)

    def command(self, port, program, *more):
        """The command line of a tunnel that runs a program."""
        words = [sys.executable, "-m", "p11board", *self.board.options(), "tunnel"]
        return [*words, f"127.0.0.1:{port}", "--run", str(program), *more]

    def start(self, port, source):
        """A tunnel with a program, as a process; the next one ends it."""
        self.end()
        program = self.folder / "program.py"
        program.write_text(source)
        self.process = subprocess.Popen(
            self.command(port, program),
            env={**os.environ, "PYTHONPATH": str(ROOT / "tools")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self.process

    def end(self):
        """No tunnel any more."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            print("killed:", self.process.communicate())

    def run(self, port, source=ATTEMPT, code=0):
        """What a program on the board prints, with a tunnel to a port."""
        process = self.start(port, source)
        output, errors = process.communicate(timeout=tls_kit.SECONDS)
        assert process.returncode == code, (output, errors)
        return output


def der(certificate):
    """DER of a certificate."""
    return certificate.public_bytes(serialization.Encoding.DER)


@pytest.fixture
def device(one_device):
    yield one_device
    one_device.end()


@pytest.fixture(scope="module")
def one_device(request, make_board, tmp_path_factory):
    if request.config.getoption("--board") != "emulated":
        pytest.skip("needs a server on this machine's network, and a fresh token")
    folder = tmp_path_factory.mktemp("tls")
    made = make_board(folder / "state")
    made.start()
    board = TlsBoard(made, folder)
    board.board.mpremote("cp", str(ROOT / "examples" / "mqtt.py"), ":")
    yield board
    made.emulator.kill()


# --- good connections ------------------------------------------------------------------------


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_openssl_accepts_the_boards_certificate_and_the_board_openssls(device, version):
    option = "-tls" + version.replace(".", "_")
    with tls_kit.openssl_server(device.ca, device.folder, option) as port:
        output = device.run(port)
    assert output.startswith("got b'olleh\\n'") and output.rstrip().endswith("TLSv" + version)
    log = (device.folder / "s_server.log").read_text()
    assert "CN = board-1" in log and "Verification: OK" in log
    assert "Signature type: ECDSA" in log


def test_a_key_of_python_still_signs_for_itself(device):
    # the callback answers None for what is no reference: mbedTLS signs with the key it was given
    with tls_kit.openssl_server(device.ca, device.folder) as port:
        pair = tls_kit.ec.generate_private_key(tls_kit.ec.SECP256R1())
        certificate = device.ca.issue("soft", pair.public_key())
        form = serialization.PrivateFormat.TraditionalOpenSSL
        private = pair.private_bytes(
            serialization.Encoding.DER, form, serialization.NoEncryption()
        )
        output = device.run(
            port,
            f"""
import ssl
from pkcs11 import tls, tunnel
sock = tunnel.connect()
tunnel.set_clock(sock.time)
c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
c.load_cert_chain({der(certificate)!r}, {private!r})
c.load_verify_locations({der(device.ca.certificate)!r})
c.ecdsa_sign_callback = lambda scalar, digest: print("mark", tls.handle_of(scalar))
link = c.wrap_socket(sock, server_hostname={tls_kit.SERVER!r})
link.write(b"abc\\n")
print(link.read(4))
link.close()
sock.close()
""",
        )
    assert output.split() == ["mark", "None", "b'cba\\n'"]


def test_many_connections_leave_the_heap_as_it_was_and_a_soft_reset_forgets_them(device):
    program = (
        CONNECT
        + """
import gc
for i in range(6):
    attempt()
    gc.collect()
    if i == 2: before = gc.mem_free()
print("lost", before - gc.mem_free())
"""
    )
    with tls_kit.openssl_server(device.ca, device.folder) as port:
        output = device.run(port, program)
        assert output.count("got b'olleh") == 6
        assert int(output.split()[-1]) < 512
        device.board.mpremote("soft-reset")
        assert device.run(port).startswith("got b'olleh")


def test_a_large_answer_arrives_whole(device):
    program = (
        CONNECT
        + f"""
sock = tunnel.connect()
tunnel.set_clock(sock.time)
link = context().connect(sock, {tls_kit.SERVER!r})
import hashlib
line = bytes(65 + i % 26 for i in range(999)) + b"\\n"
for i in range(20):
    link.write(line)
    got = b""
    while len(got) < len(line):
        got += link.read(len(line) - len(got))
    assert got == bytes(reversed(line[:-1])) + b"\\n"
print("done")
link.close()
"""
    )
    with tls_kit.openssl_server(device.ca, device.folder) as port:
        assert device.run(port, program) == "done\n"


# --- clear errors ----------------------------------------------------------------------------


def test_a_server_of_another_ca_is_refused_with_a_reason(device):
    other = tls_kit.Authority(device.folder / "other", "other CA")
    server = other.server()
    with tls_kit.openssl_server(device.ca, device.folder, server=server) as port:
        output = device.run(port)
    assert output == "failed: the server's certificate is not from the CA given as ca=\n"


def test_an_expired_server_is_refused_with_the_boards_time(device):
    server = device.ca.server(days=(-10, -2))
    with tls_kit.openssl_server(device.ca, device.folder, server=server) as port:
        output = device.run(port)
    assert output.startswith(
        "failed: the server's certificate has expired at the board's time, 20"
    )
    assert "never set" not in output


def test_without_a_clock_no_certificate_is_valid_and_the_message_says_so(device):
    device.board.power_cycle()
    with tls_kit.openssl_server(device.ca, device.folder) as port:
        output = device.run(port, CONNECT + "attempt(clock=False)\n")
    assert "not valid yet at the board's time, 2000-01-01" in output
    assert "the clock was never set" in output


def test_a_server_of_another_name_is_refused(device):
    with tls_kit.openssl_server(device.ca, device.folder) as port:
        output = device.run(port, CONNECT + "attempt(sni='other.test')\n")
    assert output == "failed: the server's certificate is for another name than server_hostname\n"


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_a_revoked_device_is_told_so(device, version):
    crl = device.ca.revoke(device.certificate)
    options = ["-CRL", crl, "-crl_check", "-tls" + version.replace(".", "_")]
    with tls_kit.openssl_server(device.ca, device.folder, *options) as port:
        output = device.run(port)
    assert output == "failed: the other side refused: our certificate is revoked\n"


@pytest.mark.parametrize("version", ["1.2", "1.3"])
def test_an_expired_device_and_one_of_another_ca_are_told_so(device, version):
    option = "-tls" + version.replace(".", "_")
    expired = der(device.ca.issue("board-1", device.public_key, days=(-9, -2)))
    foreign = tls_kit.Authority(device.folder / "foreign", "foreign CA")
    unknown = der(foreign.issue("board-1", device.public_key))
    program = CONNECT + f"attempt(cert={expired!r})\nattempt(cert={unknown!r})\n"
    with tls_kit.openssl_server(device.ca, device.folder, option) as port:
        first, second = device.run(port, program).splitlines()
    assert first == "failed: the other side refused: our certificate has expired"
    assert second == "failed: the other side refused: it does not know the CA of our certificate"


def test_a_key_that_was_destroyed_or_is_not_the_certificates_is_named(device):
    with device.board.connected() as token:
        pair = token.keygen("another key", replace=True)
    other = der(device.ca.issue("other", keys.public_key(bytes.fromhex(pair["point"]))))
    program = (
        CONNECT
        + f"""
attempt(key="another key")
attempt(key="no such key")
attempt(cert="no such certificate")
attempt(cert=b"0123")
attempt(ca=b"0123")
sock = tunnel.connect()
tunnel.set_clock(sock.time)
c = context(key="another key", cert={other!r})
for event in (lambda: c._key.destroy(), lambda: c._token.app.C_Logout(c._token.session)):
    event()
    try:
        print(c.connect(sock, {tls_kit.SERVER!r}).cipher())
    except (TLSError, P11Error) as error:
        print("failed:", error)
    sock.close()
    sock = tunnel.connect()
sock.close()
"""
    )
    with tls_kit.openssl_server(device.ca, device.folder) as port:
        lines = device.run(port, program).splitlines()
    assert lines[0] == "failed: the certificate is not for this key"
    assert "no private key 'no such key'" in lines[1]
    assert "no certificate 'no such certificate'" in lines[2]
    assert lines[3].startswith("failed: cert=: no X.509 certificate")
    assert lines[4].startswith("failed: ca=:")
    assert lines[5:] == ["failed: CKR_KEY_HANDLE_INVALID (0x60)"] * 2


def test_a_wrong_pin_is_a_p11error(device):
    with tls_kit.openssl_server(device.ca, device.folder) as port:
        wrong = "attempt(pin=bytearray(b'1234'))\nimport time\ntime.sleep(1.1)\n"  # the delay
        first, second = device.run(port, CONNECT + wrong + "attempt()\n").splitlines()
    assert first == "failed: CKR_PIN_INCORRECT (0xA0)" and second.startswith("got b'olleh")


# --- the tunnel ------------------------------------------------------------------------------

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


# --- the example -----------------------------------------------------------------------------


@contextlib.contextmanager
def operator(device, port):
    """A second client of the broker: the cloud's side."""
    key = tls_kit.ec.generate_private_key(tls_kit.ec.SECP256R1())
    certificate = device.ca.write("cloud.pem", device.ca.issue("cloud", key.public_key()))
    context = ssl.create_default_context(cafile=str(device.ca.file))
    context.load_cert_chain(certificate, device.ca.write("cloud.key", key))
    import socket

    with socket.create_connection(("127.0.0.1", port), tls_kit.SECONDS) as plain:
        with context.wrap_socket(plain, server_hostname=tls_kit.SERVER) as link:
            yield Client(link, "cloud")


def _example(server=tls_kit.SERVER):
    source = (ROOT / "examples" / "iot_device.py").read_text()
    return source.replace('SERVER_NAME = "localhost"', f'SERVER_NAME = "{server}"')


@pytest.mark.parametrize("version", ["TLSv1.2", "TLSv1.3"])
def test_the_example_publishes_and_obeys_over_mosquitto(device, version):
    with tls_kit.broker(device.ca, device.folder, version) as port:
        with operator(device, port) as cloud:
            cloud.subscribe("board-1/state")
            process = device.start(port, _example())
            assert json.loads(cloud.wait()[1]) == {"led": 0, "connections": 1}
            cloud.publish("board-1/commands", b'{"led": 7}', qos=1)
            assert json.loads(cloud.wait()[1])["led"] == 7
            cloud.publish("board-1/commands", b"no json", qos=1)
            assert json.loads(cloud.wait()[1])["led"] == 7
            cloud.publish("board-1/commands", b'{"stop": true}', qos=0)
            output, errors = process.communicate(timeout=tls_kit.SECONDS)
    assert process.returncode == 0, (output, errors)
    assert version in output and "stopped" in output
    log = (device.folder / "mosquitto.log").read_text()
    assert "u'board-1'" in log  # the broker's user is the certificate's name


def test_the_example_comes_back_when_the_broker_does(device):
    port = tls_kit.free_port()
    with tls_kit.broker(device.ca, device.folder, port=port):
        with operator(device, port) as cloud:
            cloud.subscribe("board-1/state")
            process = device.start(port, _example())
            cloud.wait()
    with tls_kit.broker(device.ca, device.folder, port=port):
        with operator(device, port) as cloud:
            cloud.subscribe("board-1/state")
            assert json.loads(cloud.wait()[1])["connections"] == 2
            cloud.publish("board-1/commands", b'{"stop": true}', qos=0)
            output, errors = process.communicate(timeout=tls_kit.SECONDS)
    assert process.returncode == 0, (output, errors)
    assert "again in 1 s" in output


def test_the_example_ends_when_the_broker_refuses_its_certificate(device):
    crl = device.ca.revoke(device.certificate)
    with tls_kit.broker(device.ca, device.folder, revoked=crl) as port:
        output = device.run(port, _example(), code=1)
    assert "our certificate is revoked" in output, output


def test_the_broker_wants_a_certificate_at_all(device):
    # else the tests above prove nothing
    with tls_kit.broker(device.ca, device.folder, "TLSv1.2") as port:
        context = ssl.create_default_context(cafile=str(device.ca.file))
        import socket

        with socket.create_connection(("127.0.0.1", port)) as plain:
            with pytest.raises((ssl.SSLError, OSError, MqttError)):
                with context.wrap_socket(plain, server_hostname=tls_kit.SERVER) as link:
                    Client(link, "nobody")
