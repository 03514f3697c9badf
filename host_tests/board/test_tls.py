# SPDX-License-Identifier: MIT
"""TLS from the emulated board with a key of the token, through a tunnel on its serial line, to a real
server: OpenSSL."""

import pytest
from board import tls_kit
from board.tls_board import CONNECT, der
from cryptography.hazmat.primitives import serialization

pytestmark = pytest.mark.long


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
