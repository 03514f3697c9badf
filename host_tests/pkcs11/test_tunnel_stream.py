# SPDX-License-Identifier: MIT
"""pkcs11.tunnel against a line that a test writes: docs/PROTOCOL.md section 10, frame by frame.

The tunnel to a real TCP server is in host_tests/board/test_tls.py.
"""

import errno
import struct
import sys
import types
import zlib

import pytest

from pkcs11 import tunnel
from pkcs11.rpc_line import ACK, BAD, END, HEADER, MARK, PING
from pkcs11.tunnel import CLOSE, DATA, OPEN, TUNNEL, Stream

READ, WRITE = 1, 4
POLL, IOCTL_CLOSE = 3, 4


def frame(kind, connection, sequence, payload=b""):
    head = struct.pack(">BBBBH", MARK, kind, connection, sequence, len(payload))
    check = 0xFF
    for byte in head:
        check ^= byte
    body = head + bytes([check]) + payload
    return body + struct.pack("<I", zlib.crc32(body))


class Wire:
    """Gives the board what a test puts in; when that is used up, time passes."""

    def __init__(self):
        self.coming = bytearray()
        self.sent = bytearray()
        self.waited = 0
        self.answers = []  # called one by one when nothing is coming

    def read(self, buf, milliseconds):
        if not self.coming and self.answers:
            self.coming += self.answers.pop(0)() or b""
        if not self.coming:
            self.waited += milliseconds
            return 0
        count = min(len(buf), len(self.coming))
        buf[:count] = self.coming[:count]
        del self.coming[:count]
        return count

    def write(self, data):
        self.sent += data
        return len(data)

    def frames(self):
        """Take what the board sent: (kind, connection, sequence, payload) each, last PING left out."""
        found = []
        while self.sent:
            kind, connection, sequence, size = struct.unpack_from(">BBBH", self.sent, 1)
            payload = bytes(self.sent[HEADER : HEADER + size])
            whole = bytes(self.sent[: HEADER + size + 4])
            assert whole == frame(kind, connection, sequence, payload)
            del self.sent[: len(whole)]
            found.append((kind, connection, sequence, payload))
        if found and found[-1][0] == PING and found[-1][1]:
            found.pop()  # the stream is over: what was on its way is asked for
        return found


class Host:
    """The host's end of one connection."""

    def __init__(self, wire, stream):
        self.wire = wire
        self.number = stream._number
        self.sequence = 0

    def opened(self, time=1_900_000_000):
        return frame(TUNNEL, self.number, 0, bytes([OPEN]) + struct.pack(">I", time))

    def send(self, what, payload=b"", skip=0):
        self.sequence = (self.sequence + 1 + skip) & 0xFF
        self.wire.coming += frame(TUNNEL, self.number, self.sequence, bytes([what]) + payload)


@pytest.fixture
def keys_off(monkeypatch):
    """What kbd_intr was told, in order."""
    calls = []
    monkeypatch.setattr(tunnel.micropython, "kbd_intr", calls.append)
    return calls


@pytest.fixture
def wire():
    return Wire()


@pytest.fixture
def stream(wire, keys_off):
    found = Stream(b"broker:8883", wire.read, wire)
    yield found
    wire.coming.clear()
    found.close()


@pytest.fixture
def host(wire, stream):
    """The host of an open connection."""
    host = Host(wire, stream)
    wire.coming += host.opened()
    stream.open(10000)
    wire.frames()
    return host


# --- opening and closing -----------------------------------------------------------------------


def test_opening_names_the_address_and_learns_the_time(wire, stream, keys_off):
    wire.coming += Host(wire, stream).opened(1_800_000_000)
    stream.open(10000)
    assert wire.frames() == [(TUNNEL, stream._number, 0, b"\x01\x04\x00broker:8883")]
    assert stream.time == 1_800_000_000 and keys_off == [-1]


def test_opening_is_asked_for_again_until_the_host_answers(wire, stream):
    wire.answers = [lambda: None, lambda: None, Host(wire, stream).opened]
    stream.open(10000)
    assert len(wire.frames()) == 3 and wire.waited == 2000


def test_without_a_host_opening_ends_with_a_hint(wire, stream, keys_off):
    with pytest.raises(OSError, match="run `p11board tunnel") as caught:
        stream.open(3000)
    assert caught.value.errno == errno.ETIMEDOUT and keys_off == [-1, 3]
    assert len(wire.frames()) == 3  # asked three times, nothing to close


def test_a_host_that_refuses_says_why(wire, stream):
    host = Host(wire, stream)
    host.send(CLOSE, b"not allowed")
    with pytest.raises(OSError, match="not allowed") as caught:
        stream.open(3000)
    assert caught.value.errno == errno.ECONNREFUSED


def test_an_opening_that_is_closed_without_a_word_is_refused_too(wire, stream):
    Host(wire, stream).send(CLOSE)
    with pytest.raises(OSError) as caught:
        stream.open(3000)
    assert caught.value.errno == errno.ECONNREFUSED


def test_closing_tells_the_host_once_and_gives_ctrl_c_back(wire, stream, host, keys_off):
    stream.close()
    stream.close()
    assert wire.frames() == [(TUNNEL, stream._number, 1, bytes([CLOSE]))]
    assert keys_off[-1] == 3


def test_closing_late_leaves_ctrl_c_to_the_next_connection(wire, stream, host, keys_off):
    following = Stream(b"", wire.read, wire)
    del keys_off[:]
    stream.close()
    assert keys_off == []
    following.close()


def test_connect_gives_an_open_stream(wire, keys_off, monkeypatch):
    class Fake(Stream):
        def __init__(self, name):
            super().__init__(name, wire.read, wire)
            wire.coming += Host(wire, self).opened()

    monkeypatch.setattr(tunnel, "Stream", Fake)
    stream = tunnel.connect("here:1", 1)
    assert stream.name == b"here:1" and stream._state == DATA
    stream.close()


def test_what_was_on_its_way_is_taken_before_ctrl_c_works_again(wire, stream, host, keys_off):
    def late():
        host.send(CLOSE, b"\x03 is Ctrl-C")
        wire.coming.extend(frame(PING, 0, 0) + frame(PING, stream._number, 0))

    wire.answers = [late]
    keys_off.append("before")
    stream.close()
    assert not wire.coming and wire.waited == 0 and keys_off[-2:] == ["before", 3]


def test_a_host_that_talks_on_is_not_listened_to_for_ever(wire, stream, host):
    wire.coming += frame(PING, 0, 0) * 20
    stream.close()
    assert len(wire.coming) == 12 * len(frame(PING, 0, 0))


# --- data --------------------------------------------------------------------------------------


def test_data_arrives_whole_and_is_acknowledged_when_it_was_read(wire, stream, host):
    host.send(DATA, b"abcdef")
    buf = bytearray(4)
    assert stream.readinto(buf) == 4 and buf == b"abcd" and wire.frames() == []
    assert stream.readinto(buf) == 2 and buf[:2] == b"ef"
    assert wire.frames() == [(ACK, stream._number, 1, b"")]


def test_long_writes_go_in_chunks_that_count(wire, stream, host):
    data = bytes(range(256)) * 10
    assert stream.write(data) == len(data)
    frames = wire.frames()
    assert [sequence for _, _, sequence, _ in frames] == [1, 2, 3]
    assert b"".join(payload[1:] for _, _, _, payload in frames) == data
    assert {payload[0] for _, _, _, payload in frames} == {DATA}
    assert max(len(payload) for _, _, _, payload in frames) == tunnel.CHUNK


def test_an_orderly_end_reads_as_the_end(wire, stream, host):
    host.send(CLOSE)
    assert stream.readinto(bytearray(4)) == 0
    assert stream.write(b"late") == -errno.ECONNRESET


def test_an_end_with_a_reason_is_an_error(wire, stream, host):
    host.send(CLOSE, b"the server reset it")
    assert stream.readinto(bytearray(4)) == -errno.ECONNRESET
    assert stream.reason == "the server reset it" and stream.write(b"x") == -errno.ECONNRESET


def test_a_lost_frame_ends_the_connection_and_the_host_is_told(wire, stream, host):
    host.send(DATA, b"after the lost one", skip=1)
    assert stream.readinto(bytearray(4)) == -errno.ECONNRESET
    assert "lost bytes on their way to the board" in stream.reason
    assert wire.frames()[-1][3][:1] == bytes([CLOSE])


def test_a_complaint_of_the_host_ends_the_connection(wire, stream, host):
    wire.coming += frame(BAD, 0, 0, b"\x01")
    assert stream.readinto(bytearray(4)) == -errno.ECONNRESET
    assert "on their way to the host" in stream.reason


def test_frames_of_others_and_repeated_openings_change_nothing(wire, stream, host):
    wire.coming += frame(TUNNEL, stream._number + 1 & 0xFF, 1, bytes([DATA]) + b"not ours")
    wire.coming += frame(TUNNEL, stream._number, 1)
    wire.coming += frame(ACK, stream._number, 7)
    wire.coming += host.opened(5)
    wire.coming += frame(PING, 0, 0, b"")
    host.send(9, b"an unknown kind")
    host.send(DATA, b"ours")
    buf = bytearray(10)
    assert stream.readinto(buf) == 4 and buf[:4] == b"ours" and stream.time != 5


def test_data_after_the_end_is_not_delivered(wire, stream, host):
    host.send(CLOSE)
    stream._wait(0)
    host.send(DATA, b"ghost")
    stream._wait(0)
    assert stream.readinto(bytearray(9)) == 0


def test_the_host_can_stop_the_program(wire, stream, host, keys_off):
    wire.coming += frame(END, 0, 0)
    with pytest.raises(KeyboardInterrupt):
        stream.readinto(bytearray(1))
    assert keys_off[-1] == 3 and stream.reason == "stopped by the host"


# --- waiting -----------------------------------------------------------------------------------


def test_a_silent_host_is_asked_once_then_given_up(wire, stream, host):
    assert stream.readinto(bytearray(1)) == -errno.ETIMEDOUT
    assert wire.waited == 2 * tunnel.patience + tunnel._SETTLE
    assert "does `p11board tunnel` still run" in stream.reason
    assert [kind for kind, *_ in wire.frames()] == [PING, TUNNEL]


def test_a_host_that_answers_is_waited_for(wire, stream, host):
    def late():
        host.send(DATA, b"x")

    wire.answers = [lambda: None, lambda: frame(PING, 0, 0), lambda: None, late]
    assert stream.readinto(bytearray(1)) == 1


def test_not_waiting_reads_none(wire, stream, host):
    stream.setblocking(False)
    assert stream.readinto(bytearray(1)) is None and wire.waited == 0
    stream.setblocking(True)
    stream.settimeout(None)
    host.send(DATA, b"x")
    assert stream.readinto(bytearray(1)) == 1


def test_a_time_limit_ends_the_wait_not_the_connection(wire, stream, host):
    stream.settimeout(12)
    assert stream.readinto(bytearray(1)) == -errno.ETIMEDOUT and wire.waited == 12000
    host.send(DATA, b"x")
    assert stream.readinto(bytearray(1)) == 1


def test_polling_sees_room_data_and_the_end(wire, stream, host):
    assert stream.ioctl(POLL, READ | WRITE) == WRITE
    host.send(DATA, b"x")
    assert stream.ioctl(POLL, READ) == READ
    assert stream.readinto(bytearray(1)) == 1
    host.send(CLOSE)
    assert stream.ioctl(POLL, READ) == READ and stream.ioctl(POLL, WRITE) == WRITE
    assert stream.ioctl(IOCTL_CLOSE, 0) == 0 and stream.ioctl(99, 0) == -errno.EINVAL


# --- the board's side of it --------------------------------------------------------------------


@pytest.mark.parametrize("epoch", [1970, 2000])
def test_the_clock_is_set_from_the_hosts_time(monkeypatch, epoch):
    import time

    offset = 946684800 if epoch == 2000 else 0

    def gmtime(seconds):
        t = time.gmtime(seconds + offset)
        return (*t[:6], t.tm_wday, t.tm_yday)

    times = []
    clock = types.SimpleNamespace(gmtime=gmtime)
    rtc = types.SimpleNamespace(datetime=times.append)
    monkeypatch.setitem(sys.modules, "time", clock)
    monkeypatch.setitem(sys.modules, "machine", types.SimpleNamespace(RTC=lambda: rtc))
    tunnel.set_clock(1_800_000_000)
    assert times == [(2027, 1, 15, 4, 8, 0, 0, 0)]


def test_a_port_without_a_line_module_reads_byte_by_byte(monkeypatch):
    class Poller:
        ready = True

        def register(self, what, events=0):
            pass

        def poll(self, milliseconds):
            return self.ready

    poller = Poller()
    text = types.SimpleNamespace(readinto=lambda buf: len(buf))
    monkeypatch.setattr(tunnel, "poll", lambda: poller)
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=text))
    assert tunnel._read(memoryview(bytearray(9)), 10) == 1
    poller.ready = False
    assert tunnel._read(memoryview(bytearray(9)), 10) == 0
