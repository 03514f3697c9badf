# SPDX-License-Identifier: MIT
"""The tunnel's stream on the board against a line that a test writes (docs/PROTOCOL.md section 10).

The host's end is in host_tests/host/test_tunnel.py, both over a real line in host_tests/board/test_tls_tunnel.py.
"""

import random
import struct
import sys
import time
import types

import pytest

from p11board import frames, tunnel
from p11board.frames import Frame, FrameReader
from pkcs11 import tunnel as board_end

NUMBER = 1


class Line:
    """The board's line: what it reads is given, what it writes is kept, silence is counted.

    late: pieces that come one by one, each when all before it was read; None: nothing comes.
    """

    def __init__(self, *given):
        self.given = bytearray(b"".join(given))
        self.late = []
        self.written = bytearray()
        self.waited = 0

    def read(self, buf, milliseconds):
        if not self.given and self.late:
            self.given += self.late.pop(0) or b""
        size = min(len(buf), len(self.given))
        buf[:size] = self.given[:size]
        del self.given[:size]
        self.waited += 0 if size else milliseconds
        return size

    def write(self, data):
        self.written += data
        return len(data)

    def sent(self):
        return FrameReader().feed(bytes(self.written))


def frame(what, payload=b"", sequence=0, number=NUMBER, kind=frames.TUNNEL):
    return Frame(kind, number, sequence, bytes([what]) + payload).encode()


OPENED = frame(tunnel.OPEN, struct.pack(">I", 1800000000))
PING = Frame(frames.PING, 0, 0).encode()
SETTLED = Frame(frames.PING, NUMBER, 0).encode()  # the answer behind everything else


@pytest.fixture(autouse=True)
def interrupts(monkeypatch):
    """What kbd_intr was told. The next stream has NUMBER."""
    calls = []
    monkeypatch.setattr(board_end.micropython, "kbd_intr", calls.append)
    monkeypatch.setattr(board_end, "_streams", NUMBER - 1)
    return calls


def stream(*given, opened=True):
    line = Line(*([OPENED] if opened else []), *given)
    made = board_end.Stream(b"", line.read, line)
    made.open(3000)
    line.written.clear()
    return made, line


# --- the stream ----------------------------------------------------------------------------------


def test_opening_gives_the_hosts_time_and_data_comes_in_the_pieces_asked_for():
    s, line = stream(frame(tunnel.DATA, b"hello", 1), frame(tunnel.DATA, b"!", 2))
    assert s.time == 1800000000
    buf = bytearray(4)
    assert s.readinto(buf) == 4 and buf == b"hell" and not line.written
    assert s.readinto(buf) == 1 and buf[:1] == b"o"
    assert [f.kind for f in line.sent()] == [frames.ACK]  # only when all of it was taken
    assert s.readinto(buf) == 1


def test_what_is_written_is_cut_into_numbered_frames():
    s, line = stream()
    assert s.write(bytes(range(256)) * 9) == 2304
    sent = line.sent()
    assert [f.sequence for f in sent] == [1, 2, 3]
    assert b"".join(f.payload[1:] for f in sent) == bytes(range(256)) * 9
    assert max(len(f.payload) for f in sent) == board_end.CHUNK


@pytest.mark.parametrize(
    "bad,error",
    [
        (frame(tunnel.DATA, b"x", 2), 104),  # a frame is missing
        (frame(tunnel.DATA, b"x", 0), 104),  # one comes twice
        (frame(tunnel.CLOSE, b"server gone", 1), 104),
        (frame(tunnel.CLOSE, b"", 1), 0),  # the end
        (Frame(frames.BAD, 0, 0, b"\1").encode(), 104),
    ],
    ids=["lost", "repeated", "broken", "end", "refused"],
)
def test_what_the_line_does_to_a_connection_ends_it(bad, error):
    s, line = stream(bad)
    buf = bytearray(9)
    assert s.readinto(buf) == -error
    assert s.readinto(buf) == -error  # and so it stays
    assert s.write(b"x") == -(error or 104)
    assert s.reason or not error


def test_a_damaged_frame_is_reported_and_the_gap_ends_the_connection():
    damaged = bytearray(frame(tunnel.DATA, b"abc", 1))
    damaged[9] ^= 1
    s, line = stream(bytes(damaged), frame(tunnel.DATA, b"def", 2))
    assert s.readinto(bytearray(9)) == -104
    assert frames.BAD in [f.kind for f in line.sent()]


def test_frames_of_another_connection_are_nobodys():
    s, _ = stream(frame(tunnel.DATA, b"old", 1, number=9), frame(tunnel.DATA, b"new", 1))
    buf = bytearray(3)
    assert s.readinto(buf) == 3 and buf == b"new"


def test_two_silences_end_a_connection_and_an_answer_in_between_does_not():
    s, line = stream(Frame(frames.PING, 0, 0).encode(), frame(tunnel.DATA, b"x", 1))
    assert s.readinto(bytearray(1)) == 1
    assert s.readinto(bytearray(1)) == -110
    assert line.waited == 2 * board_end.patience + board_end._SETTLE
    assert [f.kind for f in line.sent()] == [frames.ACK, frames.PING, frames.TUNNEL, frames.PING]
    assert "p11board tunnel" in s.reason


def test_time_limits_and_polling():
    s, line = stream()
    s.settimeout(0)
    assert s.readinto(bytearray(1)) is None and s.ioctl(3, 5) == 4
    s.settimeout(2)
    assert s.readinto(bytearray(1)) == -110 and line.waited == 2000
    line.given += frame(tunnel.DATA, b"x", 1)
    assert s.ioctl(3, 5) == 5 and s.ioctl(3, 1) == 1
    assert s.ioctl(99, 0) == -22
    assert s.ioctl(4, 0) == 0 and s.ioctl(4, 0) == 0
    assert s.reason == "closed here"
    assert s.ioctl(3, 5) == 5  # so that a waiting program looks and finds the end


def test_nobody_and_a_refusal_are_told_apart():
    with pytest.raises(OSError) as nobody:
        stream(opened=False)
    assert nobody.value.args == (110, "no host: run `p11board tunnel HOST:PORT`")
    with pytest.raises(OSError) as refused:
        board_end._streams = NUMBER - 1
        stream(frame(tunnel.CLOSE, b"not allowed", 1), opened=False)
    assert refused.value.args == (111, "not allowed")


def test_the_hosts_end_stops_the_program():
    s, _ = stream(Frame(frames.END, 0, 0).encode())
    with pytest.raises(KeyboardInterrupt):
        s.readinto(bytearray(1))


def test_an_old_stream_that_is_closed_late_leaves_ctrl_c_to_the_new_one(interrupts):
    old, line = stream()
    new = board_end.Stream(b"", line.read, line)
    old.close()
    assert interrupts == [-1]
    new.close()
    assert interrupts == [-1, 3]


@pytest.mark.parametrize("seed", range(200))
def test_garbage_never_becomes_data(seed):
    rng = random.Random(seed)
    good = [frame(tunnel.DATA, bytes([i]), i) for i in range(1, 6)]
    data = bytearray(b"".join(good))
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(data))
        match rng.randrange(3):
            case 0:
                data[at] ^= 1 << rng.randrange(8)
            case 1:
                del data[at : at + rng.randrange(1, 30)]
            case 2:
                data[at:at] = rng.randbytes(rng.randrange(1, 30))
    s, _ = stream(bytes(data))
    got = bytearray()
    buf = bytearray(3)
    while (count := s.readinto(buf)) > 0:
        got += buf[:count]
    assert bytes(range(1, 6)).startswith(bytes(got))


# --- what is on its way ------------------------------------------------------------------------


def test_opening_names_the_address_again_each_second_until_the_host_answers():
    line = Line()
    line.late = [None, None, OPENED]
    made = board_end.Stream(b"broker:8883", line.read, line)
    made.open(10000)
    assert [f.payload for f in line.sent()] == [b"\x01\x04\x00broker:8883"] * 3
    assert line.waited == 2000


def test_an_opening_that_is_closed_without_a_word_is_refused_too():
    with pytest.raises(OSError) as refused:
        stream(frame(tunnel.CLOSE, b"", 1), opened=False)
    assert refused.value.args == (111, None)


def test_connect_gives_an_open_stream(monkeypatch):
    line = Line(OPENED)
    made = board_end.Stream(b"here:1", line.read, line)
    monkeypatch.setattr(board_end, "Stream", lambda name: made if name == b"here:1" else None)
    assert board_end.connect("here:1", 1) is made and made.time == 1800000000


def test_closing_tells_the_host_once():
    s, line = stream()
    s.close()
    s.close()
    assert [f.payload for f in line.sent() if f.kind == frames.TUNNEL] == [bytes([tunnel.CLOSE])]


def test_what_was_on_its_way_is_taken_before_ctrl_c_works_again(interrupts):
    s, line = stream()
    line.late = [frame(tunnel.CLOSE, b"\x03 is Ctrl-C", 1) + PING + SETTLED]
    s.close()
    assert not line.given and line.waited == 0 and interrupts == [-1, 3]


def test_a_host_that_talks_on_is_not_listened_to_for_ever():
    s, line = stream(PING * 20)
    s.close()
    assert len(line.given) == (20 - board_end._LATE) * len(PING)


def test_what_is_not_data_of_an_open_stream_is_not_delivered():
    repeated = frame(tunnel.OPEN, struct.pack(">I", 5))
    acknowledged = Frame(frames.ACK, NUMBER, 7).encode()
    empty = Frame(frames.TUNNEL, NUMBER, 1).encode()
    s, _ = stream(
        repeated, acknowledged, empty, frame(9, b"unknown", 1), frame(tunnel.DATA, b"x", 2)
    )
    buf = bytearray(9)
    assert s.readinto(buf) == 1 and buf[:1] == b"x" and s.time == 1800000000


def test_data_after_the_end_is_not_delivered():
    s, line = stream(frame(tunnel.CLOSE, b"", 1), SETTLED)
    assert s.readinto(bytearray(9)) == 0
    line.given += frame(tunnel.DATA, b"ghost", 2)
    s._wait(0)
    assert s.readinto(bytearray(9)) == 0


def test_a_host_that_answers_is_waited_for():
    s, line = stream()
    s.setblocking(False)
    s.setblocking(True)
    line.late = [None, PING, None, frame(tunnel.DATA, b"x", 1)]
    assert s.readinto(bytearray(1)) == 1


# --- the board beneath -------------------------------------------------------------------------


@pytest.mark.parametrize("epoch", [1970, 2000])
def test_the_clock_is_set_from_the_hosts_time(monkeypatch, epoch):
    offset = 946684800 if epoch == 2000 else 0
    gmtime = time.gmtime

    def of_the_port(seconds):
        t = gmtime(seconds + offset)
        return (*t[:6], t.tm_wday, t.tm_yday)

    times = []
    rtc = types.SimpleNamespace(datetime=times.append)
    monkeypatch.setattr(time, "gmtime", of_the_port)
    monkeypatch.setitem(sys.modules, "machine", types.SimpleNamespace(RTC=lambda: rtc))
    board_end.set_clock(1_800_000_000)
    assert times == [(2027, 1, 15, 4, 8, 0, 0, 0)]


def test_a_port_without_a_line_module_reads_byte_by_byte(monkeypatch):
    answers = [[1], []]
    poller = types.SimpleNamespace(register=lambda *_: None, poll=lambda _: answers.pop(0))
    source = types.SimpleNamespace(readinto=lambda buf: len(buf))
    monkeypatch.setattr(board_end, "poll", lambda: poller)
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(buffer=source))
    assert board_end._read(memoryview(bytearray(9)), 10) == 1
    assert board_end._read(memoryview(bytearray(9)), 10) == 0
