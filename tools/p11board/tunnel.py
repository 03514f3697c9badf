# SPDX-License-Identifier: MIT
"""The host's end of a tunnel: TCP connections for a program on the board (docs/PROTOCOL.md section 10).

One `Tunnel` owns the port. Promises: it connects to the one address it was told and to nothing else; data
for the board goes out frame by frame, each only when the last was taken; text that the program on the
board prints is handed to `show`; a broken line ends the connection, never the tunnel. It can start the
program itself, through the raw REPL.
"""

import asyncio
import codecs
import contextlib
import struct
import time

from p11board import frames
from p11board.errors import Problem, TransportProblem
from p11board.frames import Frame, FrameReader
from p11board.serial_port import SerialPort

OPEN, DATA, CLOSE = 1, 2, 3
CHUNK_LEAST = 64

REPL_ENTRY = b"\r\x03\x03\r\x01"
REPL_BANNER = b"raw REPL; CTRL-B to exit\r\n>"
REPL_LEAVE = b"\x02"
REPL_SECONDS = 5
CONNECT_SECONDS = 8  # of TCP; the board gives up after 10
STOP_SECONDS = 5
SOFT_RESET = b"\x04"  # in the raw REPL
END_OF_OUTPUT = b"\x04"  # the raw REPL's mark behind output and behind the traceback


class ProgramFailed(Problem):
    """The program on the board ended with a traceback."""


class Connection:
    """One stream of the board: its number, the TCP connection, the data on its way to the board."""

    def __init__(self, number, chunk):
        self.number = number
        self.chunk = chunk
        self.reader = self.writer = None
        self.sent = self.received = 0  # sequence numbers
        self.taken = asyncio.Event()  # the board took the last frame
        self.task = None


class Tunnel:
    """address: (host, port) to connect to. names: what the board may ask for, beside "". show: function
    taking text. log: function taking a line. Attributes: opened, to_board, from_board (counters)."""

    def __init__(self, port, address, show, log):
        self.port = port
        self.address = address
        self.show = show
        self.log = log
        self.opened = self.to_board = self.from_board = 0
        self._line = SerialPort(port, self._received, self._gone)
        self._reader = FrameReader()
        self._connection = None
        self._over = asyncio.Event()
        self._accepting = 2
        self._marks = None  # ends of the raw REPL seen, while a program of ours runs
        self._trace = bytearray()
        self._broken = 0
        self._entry = bytearray()
        self._decode = codecs.getincrementaldecoder("utf-8")("replace").decode

    # --- running -------------------------------------------------------------------------------

    async def run(self, program=None):
        """Serve until the program ends, or for ever without one. Raises Problem."""
        self._line.open()
        try:
            if program is not None:
                await self._start(program)
            await self._over.wait()
        finally:
            await self._close("the tunnel was closed on the host")
            lost = self._line.lost
            await self._stop(program)
            self._line.fail("the port is closed")
            self._line.close()
        if lost:
            raise TransportProblem(f"{self.port}: {lost}", "check the cable")
        if self._trace:
            trace = self._trace.decode(errors="replace").strip()
            self.show(trace + "\n")
            raise ProgramFailed(f"the program on the board failed: {trace.splitlines()[-1]}")

    async def _start(self, program):
        self._line.write(REPL_ENTRY)
        started = await self._prompt()
        if started:  # a program begins with all of the memory: TLS wants a large piece of it
            self._entry.clear()
            self._line.write(SOFT_RESET)
            started = await self._prompt()
        if not started:
            raise TransportProblem(
                f"{self.port}: no MicroPython REPL to start the program in",
                "stop what runs there, or leave --run out if it is the tunnel's program",
            )
        self._marks = 0
        self._line.write(program + b"\x04")

    async def _prompt(self):
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REPL_SECONDS):
                while REPL_BANNER not in self._entry and not self._line.lost:
                    await asyncio.sleep(0.01)
        return REPL_BANNER in self._entry

    async def _stop(self, program):
        """Leave the line as a REPL; end the program if it still runs."""
        if self._line.lost or program is None:
            return
        if self._marks is not None and self._marks < 2:
            self._send(frames.END, 0, b"", 0)
            self._line.write(b"\x03")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), STOP_SECONDS)
        self._line.write(REPL_LEAVE)
        await asyncio.sleep(0.05)

    # --- what comes from the board -------------------------------------------------------------

    def _received(self, data):
        for frame in self._reader.feed(data):
            self._take(frame)
        text = bytes(self._reader.noise)
        self._reader.noise.clear()
        self._text(text)
        if self._reader.broken != self._broken:
            self._broken = self._reader.broken
            if self._connection:
                self._spawn_close("the line lost or changed bytes on their way to the host")

    def _text(self, text):
        if self._marks is None:
            self._entry += text
            return
        if self._marks >= 2:
            return  # the prompt again
        skip = min(self._accepting, len(text))  # the raw REPL says OK before the output
        self._accepting -= skip
        text = text[skip:]
        output, mark, rest = text.partition(END_OF_OUTPUT) if not self._marks else (b"", b"", text)
        if output:
            self.show(self._decode(output))
        self._marks += len(mark)
        if self._marks:
            trace, mark, _ = rest.partition(END_OF_OUTPUT)
            self._trace += trace
            self._marks += len(mark)
            if mark:
                self._over.set()

    def _gone(self):
        self._over.set()

    def _take(self, frame):
        connection = self._connection
        if frame.kind == frames.PING:
            self._send(frames.PING, frame.connection, frame.payload, frame.sequence)
        elif frame.kind == frames.TUNNEL and frame.payload:
            what, payload = frame.payload[0], frame.payload[1:]
            if what == OPEN:
                self._open(frame.connection, payload)
            elif connection and frame.connection == connection.number:
                self._of_connection(connection, frame.sequence, what, payload)
        elif frame.kind == frames.ACK and connection and frame.connection == connection.number:
            connection.taken.set()
        elif frame.kind == frames.BAD and connection:
            self._spawn_close("the line lost or changed bytes on their way to the board")

    def _of_connection(self, connection, sequence, what, payload):
        connection.received = (connection.received + 1) & 0xFF
        if sequence != connection.received:
            self._spawn_close("the line lost bytes on their way to the host")
        elif what == DATA and connection.writer:
            self.from_board += len(payload)
            connection.writer.write(payload)
        elif what == CLOSE:
            if payload:
                self.log(f"the board ended the connection: {payload.decode(errors='replace')}")
            self._forget(connection)

    # --- connections ---------------------------------------------------------------------------

    def _open(self, number, payload):
        if self._connection and self._connection.number == number:
            return  # asked again while we connect
        if self._connection:
            self._forget(self._connection)
        if len(payload) < 2 or struct.unpack_from(">H", payload)[0] < CHUNK_LEAST:
            return
        wanted = payload[2:].decode(errors="replace")
        connection = self._connection = Connection(number, struct.unpack_from(">H", payload)[0])
        connection.task = asyncio.ensure_future(self._serve(connection, wanted))

    async def _serve(self, connection, wanted):
        """Connect, then carry what the server sends."""
        reason = ""
        try:
            own = "%s:%d" % self.address
            if wanted and wanted != own:
                reason = f"this tunnel leads to {own}, not to {wanted}"
                return
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    streams = await asyncio.open_connection(*self.address)
            except (OSError, TimeoutError) as error:
                reason = f"{own}: {error.strerror if isinstance(error, OSError) else ''}"
                reason = reason.rstrip(": ") or f"{own} does not answer"
                return
            connection.reader, connection.writer = streams
            self.opened += 1
            self.log(f"connected to {own}")
            now = struct.pack(">I", int(time.time()))
            self._send(frames.TUNNEL, connection.number, bytes([OPEN]) + now, 0)
            await self._carry(connection)
        except OSError as error:
            reason = error.strerror or str(error)
        finally:
            await self._close(reason, connection)

    async def _carry(self, connection):
        while data := await connection.reader.read(connection.chunk - 1):
            self.to_board += len(data)
            connection.taken.clear()
            self._send_next(connection, DATA, data)
            await connection.taken.wait()

    def _send_next(self, connection, what, payload):
        connection.sent = (connection.sent + 1) & 0xFF
        number = connection.number
        self._send(frames.TUNNEL, number, bytes([what]) + payload, connection.sent)

    def _send(self, kind, connection, payload, sequence):
        self._line.write(Frame(kind, connection, sequence, payload).encode())

    def _spawn_close(self, reason):
        self.log(reason)
        self._close_now(reason, self._connection)

    async def _close(self, reason, connection=None):
        self._close_now(reason, connection or self._connection)

    def _close_now(self, reason, connection):
        """Tell the board that a connection is over, unless it has another already."""
        if connection is None or connection is not self._connection:
            return
        if reason:
            self.log(reason)
        if not self._line.lost:
            self._send_next(connection, CLOSE, reason.encode()[: connection.chunk - 1])
        self._forget(connection)

    def _forget(self, connection):
        if self._connection is connection:
            self._connection = None
        if connection.writer:
            connection.writer.close()
        if connection.task and connection.task is not asyncio.current_task():
            connection.task.cancel()
