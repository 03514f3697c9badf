# SPDX-License-Identifier: MIT
"""The example's MQTT client against a scripted broker, and against garbage."""

import random
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples"))

from mqtt import Client, MqttError  # noqa: E402

CONNACK = b"\x20\x02\x00\x00"


class Link:
    def __init__(self, given):
        self.given = bytearray(given)
        self.written = bytearray()
        self.closed = False

    def read(self, size):
        part = bytes(self.given[: min(size, 3)])
        del self.given[: len(part)]
        return part

    def write(self, data):
        self.written += data

    def close(self):
        self.closed = True


def client(given=b""):
    link = Link(CONNACK + given)
    return Client(link, "me", 60), link


def test_the_packets_are_those_of_the_standard():
    c, link = client(b"\x90\x03\x00\x01\x01\x40\x02\x00\x02\xd0\x00")
    assert link.written == b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02me"
    link.written.clear()
    c.subscribe("a/b")
    assert link.written == b"\x82\x08\x00\x01\x00\x03a/b\x01"
    link.written.clear()
    c.publish("t", bytes(200), qos=1)
    assert link.written == b"\x32\xcd\x01\x00\x01t\x00\x02" + bytes(200)
    c.publish("t", b"x")
    c.ping()
    c.close()
    assert link.written.endswith(b"\x30\x04\x00\x01tx\xc0\x00\xe0\x00") and link.closed


def test_messages_that_come_while_an_answer_is_awaited_are_kept_and_acknowledged_when_taken():
    message = b"\x32\x07\x00\x01t\x00\x09hi"
    c, link = client(message + b"\x30\x04\x00\x01t!" + b"\x40\x02\x00\x01")
    c.publish("x", b"", qos=1)
    link.written.clear()
    assert c.wait() == ("t", b"hi") and link.written == b"\x40\x02\x00\x09"
    assert c.wait() == ("t", b"!")


@pytest.mark.parametrize(
    "given",
    [b"", b"\x20\x02\x00\x05", b"\x20\x01\x00", b"\x30\x02\x00\x00", b"\x20\xff\xff\xff\xff\x01"],
    ids=["nothing", "refused", "short", "other", "length"],
)
def test_a_broker_that_does_not_take_us_is_an_error(given):
    with pytest.raises(MqttError):
        Client(Link(given), "me")


@pytest.mark.parametrize("seed", range(100))
def test_garbage_is_an_mqtt_error(seed):
    rng = random.Random(seed)
    c, _ = client(bytes([rng.choice((0x30, 0x32, 0x40))]) + rng.randbytes(rng.randrange(60)))
    with pytest.raises((MqttError, UnicodeError)):
        while True:
            c.wait()
