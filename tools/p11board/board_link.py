# SPDX-License-Identifier: MIT
"""The serial line to a board that serves RPC (docs/PROTOCOL.md), for asyncio.

One `BoardLink` owns the port exclusively from `open` to `close`. Promises: one request at a time,
in the order of the callers; every wait is bounded; nothing is ever sent twice, so what failed half
way is reported as Unsure (the board is in step again) or LinkLost (start over), never repeated.
"""

import asyncio
import contextlib
import secrets

from p11board import frames
from p11board.errors import TransportProblem
from p11board.frames import Frame, FrameReader, Hello
from p11board.serial_port import SerialPort

SILENCE = 10  # seconds a board may be silent during an ordinary call
SLOW_SILENCE = 60  # during one that stretches a PIN, makes a key, or may use one of RSA
SLOW_CALLS = {9, 14, 15, 18, 20, 43, 45, 58, 59, 62, 88, 89}
AFTER_NOISE = (
    1  # seconds left once something that is no frame arrives: the answer is probably lost
)
RECOVERY = 3
REPL_SECONDS = 0.4  # a board in its REPL answers Ctrl-A at once
START_TRIES = 8

REPL_ENTRY = b"\r\x03\x03\r\x01"
REPL_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
START = b"from pkcs11 import rpc\nrpc.serve()\n\x04"
REPL_LEAVE = b"\x02"


class Unsure(Exception):
    """The request may or may not have been executed; the line is in step again."""


class Closed(Exception):
    """The board knows no such connection (any more)."""


class LinkLost(Exception):
    """No board at the end of the line any more; the text says why."""


class BoardLink:
    """An open port. Attributes: port, hello (of the board), log (function taking a line)."""

    def __init__(self, port, log=lambda text: None):
        self.port = port
        self.log = log
        self.hello = None
        self.gone = asyncio.Event()
        self._line = SerialPort(port, self._received, self._gone)
        self._reader = FrameReader()
        self._frames = asyncio.Queue()
        self._lock = asyncio.Lock()
        self._sequence = 0
        self._trips = 0
        self._loop = None
        self._check = None

    # --- opening and closing --------------------------------------------------------------------

    async def open(self):
        """Open the port and get the board to serve. Raises TransportProblem."""
        self._loop = asyncio.get_running_loop()
        self._line.open()
        try:
            await self._start()
        except LinkLost as error:
            self.close()
            raise TransportProblem(f"{self.port}: {error}", "check the cable") from None
        except BaseException:
            self.close()
            raise

    async def _start(self):
        """Section 6 of the protocol."""
        for attempt in range(START_TRIES):
            self._reader.text()
            self._line.write(REPL_ENTRY)
            if await self._saw(REPL_BANNER, REPL_SECONDS):
                self._reader.text()
                self._line.write(START)
                if await self._greeted(None, SILENCE):
                    return
                self._line.write(REPL_LEAVE)
                raise _why_not(self.port, self._reader.text())
            self._line.write(bytes(frames.FLUSH))
            sequence = secrets.randbelow(256)
            self._line.write(Frame(frames.HELLO, 0, sequence, b"\1").encode())
            if await self._greeted(sequence, RECOVERY if attempt else 2):
                return
        raise TransportProblem(
            f"{self.port}: nothing there answers like a board with this firmware",
            "check that this is the board, or reset it",
        )

    async def _saw(self, text, seconds):
        deadline = self._loop.time() + seconds
        while self._loop.time() < deadline:
            if text in self._reader.noise:
                return True
            if self.lost:
                raise LinkLost(self.lost)
            await asyncio.sleep(0.01)
        return False

    async def _greeted(self, sequence, seconds):
        """Wait for HELLO: the answer with this number, or (None) the one at the server's start."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    frame = await self._next()
                    if frame.kind == frames.HELLO and not frame.connection:
                        if sequence is None or frame.sequence == sequence:
                            self.hello = Hello.decode(frame.payload)
                            self._sequence = frame.sequence
                            return True
        return False

    def close(self):
        """Give the port up as it is."""
        self._line.fail("the port is closed")
        self._line.close()

    async def release(self):
        """Make the board leave its server, and close the port."""
        async with self._lock:
            with contextlib.suppress(Unsure, LinkLost, Closed, TimeoutError):
                await self._ask(frames.END, 0, b"", SILENCE)
                if self.hello.development:
                    await asyncio.sleep(0.05)
                    self._line.write(REPL_LEAVE)
        self.close()

    # --- requests -------------------------------------------------------------------------------

    async def connect(self, connection, offered):
        """Open a connection; returns the version the board chose."""
        return await _to_the_end(self._connect(connection, offered))

    async def end(self, connection):
        """Finalise a connection."""
        await _to_the_end(self._end(connection))

    async def request(self, connection, body):
        """Send a request body; returns the answer body. Raises Unsure, Closed, LinkLost."""
        return await _to_the_end(self._request(connection, body))

    async def _connect(self, connection, offered):
        async with self._lock:
            answer = await self._ask(frames.HELLO, connection, bytes([offered]), SILENCE)
            if not answer.payload:
                raise await self._unsure("HELLO without a version")
            return answer.payload[0]

    async def _end(self, connection):
        async with self._lock:
            with contextlib.suppress(Closed):
                await self._ask(frames.END, connection, b"", SILENCE)

    async def _request(self, connection, body):
        async with self._lock:
            seconds = SILENCE
            if len(body) >= 4 and int.from_bytes(body[:4], "big") in SLOW_CALLS:
                seconds = SLOW_SILENCE
            for payload, more, part in frames.pieces(body, self.hello.chunk):
                answer = await self._ask(frames.RPC, connection, payload, seconds, more, part)
                if answer.kind == frames.RPC:
                    break
                if not more:
                    raise await self._unsure("ACK in place of an answer")
            data = bytearray(answer.payload)
            while answer.more:
                answer = await self._answer(frames.RPC, connection, SILENCE)
                if not answer.part:
                    data.clear()
                data += answer.payload
            return bytes(data)

    async def _ask(self, kind, connection, payload, seconds, more=False, part=False):
        """Send one frame and wait for its answer."""
        if self.lost:
            raise LinkLost(self.lost)
        self._sequence = (self._sequence + 1) & 0xFF
        self._trips += 1
        self._line.write(Frame(kind, connection, self._sequence, payload, more, part).encode())
        return await self._answer(kind, connection, seconds)

    async def _answer(self, kind, connection, seconds):
        """Wait for the answer to the last frame."""
        deadline = self._loop.time() + seconds
        hurried = False
        while True:
            if (self._reader.noise or self._reader.broken) and not hurried:
                hurried = True
                deadline = min(deadline, self._loop.time() + AFTER_NOISE)
            try:
                left = max(0.001, min(deadline - self._loop.time(), AFTER_NOISE))
                async with asyncio.timeout(left):
                    frame = await self._next()
            except TimeoutError:
                if self._loop.time() < deadline:
                    continue
                raise await self._unsure(f"no answer within {seconds} s") from None
            if frame.kind == frames.HELLO and not frame.connection:
                self._restarted(frame)
            if frame.kind == frames.LOG:
                self.log(f"board: {frame.payload.decode(errors='replace')}")
            elif frame.kind == frames.BAD:
                reason = frames.BAD_REASONS.get(frame.payload[0] if frame.payload else 0, "?")
                raise await self._unsure(f"the board refused a frame ({reason})")
            elif frame.sequence != self._sequence or frame.connection != connection:
                continue
            elif frame.kind == frames.END and kind != frames.END:
                raise Closed
            elif frame.kind == kind or (frame.kind == frames.ACK and kind == frames.RPC):
                return frame

    async def _unsure(self, reason):
        """Recover (section 5 of the protocol); return the exception to raise."""
        self.log(f"{self.port}: {reason}")
        nonce = secrets.token_bytes(8)
        sequence = secrets.randbelow(256)
        self._reader.text()
        self._reader.broken = 0
        self._line.write(bytes(self.hello.chunk + frames.OVERHEAD))
        self._line.write(Frame(frames.PING, 0, sequence, nonce).encode())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(RECOVERY):
                while True:
                    frame = await self._next()
                    if frame.kind == frames.PING and frame.payload == nonce:
                        self._sequence = sequence
                        self._reader.text()
                        self._reader.broken = 0
                        return Unsure(reason)
                    if frame.kind == frames.HELLO and not frame.connection:
                        self._restarted(frame)
        self._line.fail("the board does not answer any more")
        return LinkLost(self.lost)

    def _restarted(self, frame):
        """A HELLO nobody asked for: raise LinkLost if the board has started anew."""
        if Hello.decode(frame.payload).boot != self.hello.boot:
            self._line.fail("the board was reset")
            raise LinkLost(self.lost)

    async def check(self):
        """Make sure the board is there; raises LinkLost."""
        async with self._lock:
            if not self.lost:
                with contextlib.suppress(Unsure):
                    raise await self._unsure("noise on the line")
        if self.lost:
            raise LinkLost(self.lost)

    # --- bytes ----------------------------------------------------------------------------------

    async def _next(self):
        if self.lost and self._frames.empty():
            raise LinkLost(self.lost)
        frame = await self._frames.get()
        if frame is None:
            raise LinkLost(self.lost)
        return frame

    def _received(self, data):
        for frame in self._reader.feed(data):
            self._frames.put_nowait(frame)
        if self.hello and not self._lock.locked() and not self._check:
            self._check = asyncio.ensure_future(self._unasked())

    def _gone(self):
        self.gone.set()
        self._frames.put_nowait(None)

    def counters(self):
        """Frames answered, bytes sent and received since the port was opened."""
        return {"trips": self._trips, "sent": self._line.sent, "received": self._line.received}

    @property
    def lost(self):
        """Why there is no board at the end of the line any more, or None."""
        return self._line.lost

    async def _unasked(self):
        """Something came that nobody waits for: a reset, probably."""
        try:
            await asyncio.sleep(0.2)
            if not self._lock.locked() and not self.lost:
                await self.check()
        except LinkLost:
            pass
        finally:
            self._check = None


async def _to_the_end(work):
    """Wait for work that goes on when the waiting is cancelled: the board is in it already."""
    task = asyncio.ensure_future(work)
    task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return await asyncio.shield(task)


def _why_not(port, text):
    """The problem of a board whose REPL could not start the server."""
    lines = [line for line in text.replace("\x04", "\n").splitlines() if line.strip(" >\r")]
    last = lines[-1].strip() if lines else "no answer"
    if last.startswith(("ImportError", "ModuleNotFoundError")):
        return TransportProblem(
            f"{port}: this board's MicroPython has no PKCS#11 server ({last})",
            "flash it with `p11board flash IMAGE.p11a`",
        )
    return TransportProblem(f"{port}: the server did not start ({last})", "reset the board")
