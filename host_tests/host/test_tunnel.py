# SPDX-License-Identifier: MIT
"""Both ends of the tunnel without a board: the firmware's stream against a scripted line, the host's end
against a pseudo terminal, and garbage on either."""

import asyncio
import os
import pty
import random
import struct
import threading
import tty
from contextlib import contextmanager

import pytest

from p11board import frames, tunnel
from p11board.cli_tunnel import split
from p11board.errors import UsageProblem
from p11board.frames import Frame, FrameReader
from pkcs11 import tunnel as board_end
from pkcs11.tls_errors import TLSError, explain

NUMBER = 1


class Line:
    """The board's line: what it reads is given, what it writes is kept."""

    def __init__(self, *given):
        self.given = bytearray(b"".join(given))
        self.written = bytearray()
        self.waited = 0

    def read(self, buf, milliseconds):
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


@pytest.fixture(autouse=True)
def first_stream(monkeypatch):
    monkeypatch.setattr(board_end, "_streams", NUMBER - 1)


def stream(*given, opened=True):
    line = Line(*([OPENED] if opened else []), *given)
    made = board_end.Stream(b"", line.read, line)
    made.open(3000)
    line.written.clear()
    return made, line


# --- the board's end -------------------------------------------------------------------------


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


def test_an_old_stream_that_is_closed_late_leaves_ctrl_c_to_the_new_one(monkeypatch):
    states = []
    monkeypatch.setattr(board_end.micropython, "kbd_intr", states.append, raising=False)
    old, line = stream()
    new = board_end.Stream(b"", line.read, line)
    old.close()
    assert states == [-1]
    new.close()
    assert states == [-1, 3]


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


# --- the host's end --------------------------------------------------------------------------


@contextmanager
def board_line():
    """A pseudo terminal: (the board's end as a descriptor, path of the host's)."""
    board, host = pty.openpty()
    tty.setraw(host)
    try:
        yield board, os.ttyname(host)
    finally:
        os.close(board)
        os.close(host)


class Server(threading.Thread):
    """A TCP server that sends what it gets back, once; the port is taken at once."""

    def __init__(self):
        super().__init__(daemon=True)
        import socket

        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start()

    def run(self):
        connection, _ = self.listener.accept()
        while data := connection.recv(4096):
            connection.sendall(data)
        connection.close()
        self.listener.close()


async def _exchange(script, address):
    """Run a Tunnel while `script(read, write)` plays the board."""
    loop = asyncio.get_running_loop()
    logged = []
    with board_line() as (board, path):
        line = tunnel.Tunnel(path, address, logged.append, logged.append)
        task = asyncio.ensure_future(line.run())
        reader = FrameReader()
        waiting = []

        async def read():
            while not waiting:
                data = await loop.run_in_executor(None, os.read, board, 4096)
                waiting.extend(reader.feed(data))
            return waiting.pop(0)

        async with asyncio.timeout(20):
            await asyncio.sleep(0.05)
            await script(read, lambda data: os.write(board, data))
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return line, logged


OPEN = frame(tunnel.OPEN, struct.pack(">H", 64))


def test_the_host_connects_carries_and_waits_for_each_frame_to_be_taken():
    server = Server()

    async def script(read, write):
        write(b"some text" + OPEN + b"more text")
        opened = await read()
        assert opened.payload[0] == tunnel.OPEN and len(opened.payload) == 5
        write(frame(tunnel.DATA, bytes(100), 1))
        first = await read()
        assert first.payload == bytes([tunnel.DATA]) + bytes(63) and first.sequence == 1
        write(Frame(frames.PING, 0, 0).encode())
        assert (await read()).kind == frames.PING  # and not the rest of the data
        write(Frame(frames.ACK, NUMBER, 1).encode())
        second = await read()
        assert len(second.payload) == 38 and second.sequence == 2
        write(frame(tunnel.CLOSE, b"", 2))
        await asyncio.to_thread(server.join, 10)
        assert not server.is_alive()

    line, _ = asyncio.run(_exchange(script, ("127.0.0.1", server.port)))
    assert (line.opened, line.to_board, line.from_board) == (1, 100, 100)


@pytest.mark.parametrize("wanted", [b"example.com:80", b"\xff", b"127.0.0.1:1"])
def test_the_host_connects_to_nothing_else(wanted):
    async def script(read, write):
        write(frame(tunnel.OPEN, struct.pack(">H", 64) + wanted))
        answer = await read()
        assert answer.payload[0] == tunnel.CLOSE and b"this tunnel leads to" in answer.payload

    line, _ = asyncio.run(_exchange(script, ("127.0.0.1", 9)))
    assert line.opened == 0


@pytest.mark.parametrize(
    "bad",
    [frame(tunnel.DATA, b"x", 2), frame(tunnel.DATA, b"x", 1)[:-1] + b"?"],
    ids=["gap", "crc"],
)
def test_a_line_that_loses_bytes_ends_the_connection_on_both_sides(bad):
    server = Server()

    async def script(read, write):
        write(OPEN)
        await read()
        write(bad)
        answer = await read()
        assert answer.payload[0] == tunnel.CLOSE and b"the line lost" in answer.payload

    asyncio.run(_exchange(script, ("127.0.0.1", server.port)))
    server.join(10)
    assert not server.is_alive()


def test_garbage_does_not_stop_the_host():
    rng = random.Random(5)

    async def script(read, write):
        for _ in range(60):
            write(rng.randbytes(rng.randrange(1, 60)))
            write(Frame(rng.randrange(16), rng.randrange(3), 0, rng.randbytes(3)).encode())
            await asyncio.sleep(0)
        write(bytes(1100) + Frame(frames.PING, 0, 7, b"alive").encode())
        while (await read()).payload != b"alive":
            pass

    asyncio.run(_exchange(script, ("127.0.0.1", 9)))


@pytest.mark.parametrize(
    "text", ["", "host", ":1", "host:", "host:0", "host:65536", "host:x", "a:²"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(UsageProblem, match="no address"):
        split(text)


def test_addresses():
    assert split("localhost:8883") == ("localhost", 8883)
    assert split("[::1]:1") == ("::1", 1)


# --- errors of TLS ---------------------------------------------------------------------------


class Ended:
    reason = "the server hung up"


@pytest.mark.parametrize(
    "error,alert,stream,text",
    [
        (OSError(-0x7780), 44, None, "the other side refused: our certificate is revoked"),
        (OSError(-0x7780), 200, None, "the other side refused: alert 200"),
        (OSError(104), -1, Ended, "the connection was broken: the server hung up"),
        (OSError(-104), -1, Ended, "the connection was broken: the server hung up"),
        (OSError(-0x1234), -1, None, "TLS failed (-0x1234)"),
        (
            ValueError("The certificate is not correctly signed by the trusted CA\n"),
            -1,
            None,
            "CA given as ca=",
        ),
        (ValueError("something else\n"), -1, None, "something else"),
        (OSError(), -1, None, "TLS failed"),
    ],
    ids=str,
)
def test_every_failure_has_one_sentence(error, alert, stream, text):
    found = explain(error, alert, stream)
    assert isinstance(found, TLSError) and text in str(found) and "\n" not in str(found)
