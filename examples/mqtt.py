# SPDX-License-Identifier: MIT
"""A small MQTT 3.1.1 client over any stream: CONNECT, SUBSCRIBE, PUBLISH with quality 0 and 1, PINGREQ.

    client = Client(link, "board-1", keepalive=60)      # link: read(n), write(data), close()
    client.subscribe("board-1/commands")
    client.publish("board-1/state", b"on", qos=1)
    topic, payload = client.wait()

Promises: packets are whole or MqttError; a message of quality 1 is acknowledged when `wait` returns it;
`publish` with quality 1 returns when the broker has it. Messages that arrive meanwhile are kept.
"""

from struct import pack, unpack

CONNECT, CONNACK, PUBLISH, PUBACK, SUBSCRIBE, SUBACK = 0x10, 0x20, 0x30, 0x40, 0x82, 0x90
PINGREQ, PINGRESP, DISCONNECT = 0xC0, 0xD0, 0xE0
REFUSED = {
    1: "protocol",
    2: "client id",
    3: "server unavailable",
    4: "user or password",
    5: "not authorised",
}
LARGEST = 16384  # bytes of a packet to us


class MqttError(Exception):
    """The broker refused, left, or sent what is no MQTT."""


def _text(text):
    data = text.encode() if isinstance(text, str) else text
    return pack(">H", len(data)) + data


def _length(size):
    out = b""
    while True:
        size, byte = size >> 7, size & 127
        out += bytes((byte | 128 if size else byte,))
        if not size:
            return out


class Client:
    """A connected client."""

    def __init__(self, link, client_id, keepalive=60):
        self._link = link
        self._number = 0
        self._inbox = []
        body = (
            _text("MQTT") + b"\x04\x02" + pack(">H", keepalive) + _text(client_id)
        )  # clean session
        self._send(CONNECT, body)
        kind, _, body = self._packet()
        if kind != CONNACK or len(body) != 2:
            raise MqttError("no CONNACK")
        if body[1]:
            raise MqttError("refused: %s" % REFUSED.get(body[1], body[1]))

    def _send(self, head, body):
        self._link.write(bytes((head,)) + _length(len(body)) + body)

    def _exactly(self, size):
        data = b""
        while len(data) < size:
            part = self._link.read(size - len(data))
            if not part:
                raise MqttError("the broker left")
            data += part
        return data

    def _packet(self):
        head = self._exactly(1)[0]
        size = shift = 0
        while True:
            byte = self._exactly(1)[0]
            size |= (byte & 127) << shift
            shift += 7
            if not byte & 128:
                break
            if shift > 21:
                raise MqttError("bad length")
        if size > LARGEST:
            raise MqttError("packet of %d bytes" % size)
        return head & 0xF0, head & 0x0F, self._exactly(size)

    def _next(self):
        self._number = self._number % 0xFFFF + 1
        return pack(">H", self._number)

    def _until(self, wanted, number):
        """Take packets up to the answer to a packet of ours; return its body."""
        while True:
            kind, flags, body = self._packet()
            if kind == wanted and body[:2] == number:
                return body
            self._keep(kind, flags, body)

    def _keep(self, kind, flags, body):
        """Keep a message for `wait`."""
        if kind != PUBLISH:
            return
        if len(body) < 2 or len(body) < 2 + unpack(">H", body[:2])[0]:
            raise MqttError("bad PUBLISH")
        at = 2 + unpack(">H", body[:2])[0]
        number = None
        if flags & 6:
            number, at = body[at : at + 2], at + 2
        self._inbox.append((body[2 : at - (2 if number else 0)].decode(), body[at:], number))

    def subscribe(self, topic, qos=1):
        """Ask for the messages of a topic."""
        number = self._next()
        self._send(SUBSCRIBE, number + _text(topic) + bytes((qos,)))
        if self._until(SUBACK, number)[2] == 0x80:
            raise MqttError("subscription refused: %s" % topic)

    def publish(self, topic, payload, qos=0):
        """Send a message; with quality 1 return when the broker has it."""
        number = self._next() if qos else b""
        self._send(PUBLISH | qos << 1, _text(topic) + number + payload)
        if qos:
            self._until(PUBACK, number)

    def wait(self):
        """Return the next (topic, payload), waiting for it."""
        while not self._inbox:
            self._keep(*self._packet())
        topic, payload, number = self._inbox.pop(0)
        if number:
            self._send(PUBACK, number)
        return topic, payload

    def ping(self):
        """Ask whether the broker is there; keeps the connection alive."""
        self._send(PINGREQ, b"")
        while True:
            packet = self._packet()
            if packet[0] == PINGRESP:
                return
            self._keep(*packet)

    def close(self):
        """Say goodbye and hang up."""
        try:
            self._send(DISCONNECT, b"")
        finally:
            self._link.close()
