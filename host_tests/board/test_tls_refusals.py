# SPDX-License-Identifier: MIT
"""TLS that fails: the program on the board is told why, whichever side refuses."""

import pytest
from board import tls_kit
from board.tls_board import CONNECT, der

from p11board import keys

pytestmark = pytest.mark.long


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
