# SPDX-License-Identifier: MIT
"""The host's end of the tunnel against a pseudo terminal on which a test plays the board.

The board's end is in host_tests/pkcs11/test_tunnel_stream.py.
"""

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

NUMBER = 1


def frame(what, payload=b"", sequence=0, number=NUMBER, kind=frames.TUNNEL):
    return Frame(kind, number, sequence, bytes([what]) + payload).encode()


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
