# SPDX-License-Identifier: MIT
"""examples/iot_device.py on the emulated board: MQTT over TLS with the token's key, to mosquitto, which
wants a client certificate."""

import contextlib
import json
import socket
import ssl
import sys
from pathlib import Path

import pytest
from board import tls_kit

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples"))

from mqtt import Client, MqttError  # noqa: E402

pytestmark = pytest.mark.long


@pytest.fixture(scope="module", autouse=True)
def library(one_device):
    """The example's MQTT client is on the board."""
    one_device.board.mpremote("cp", str(ROOT / "examples" / "mqtt.py"), ":")


@contextlib.contextmanager
def operator(device, port):
    """A second client of the broker: the cloud's side."""
    key = tls_kit.ec.generate_private_key(tls_kit.ec.SECP256R1())
    certificate = device.ca.write("cloud.pem", device.ca.issue("cloud", key.public_key()))
    context = ssl.create_default_context(cafile=str(device.ca.file))
    context.load_cert_chain(certificate, device.ca.write("cloud.key", key))
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
        with socket.create_connection(("127.0.0.1", port)) as plain:
            with pytest.raises((ssl.SSLError, OSError, MqttError)):
                with context.wrap_socket(plain, server_hostname=tls_kit.SERVER) as link:
                    Client(link, "nobody")
