# SPDX-License-Identifier: MIT
"""A TCP connection of the host as a stream on the board, over the serial line.

    from pkcs11 import tunnel
    sock = tunnel.connect("broker:8883")     # `p11board tunnel ADDRESS:PORT` on the host
    sock.write(b"..."); sock.read(100); sock.close()

Promises: bytes come whole and in order or not at all: what the line loses or changes ends the
connection with OSError, it is never repeated and never guessed (docs/PROTOCOL.md section 10). A host that
is gone is noticed after two silences of `patience`. Text printed meanwhile reaches the host's
terminal. One connection at a time: the line is one. Ctrl-C from the line is off while a connection
is open (the bytes are data); the host's way to stop the program is END, a KeyboardInterrupt here.
"""

import io
import sys
from struct import pack, unpack_from

import micropython
from micropython import const

from .rpc_line import ACK, BAD, END, HEADER, PING, Line

try:
    from _line import read as _read
except ImportError:  # another port: byte by byte
    from select import POLLIN, poll

    def _read(buf, milliseconds):
        """Read one byte within a time; return how many came."""
        poller = poll()
        poller.register(sys.stdin, POLLIN)
        return sys.stdin.buffer.readinto(buf[:1]) if poller.poll(milliseconds) else 0


TUNNEL = const(8)  # type of frame; its payload begins with one of these
OPEN = const(1)
DATA = const(2)
CLOSE = const(3)

CHUNK = const(1024)  # bytes of payload in one frame, both ways

ECONNREFUSED = const(111)
ECONNRESET = const(104)
ETIMEDOUT = const(110)

_POLL = const(3)  # requests of ioctl
_CLOSE = const(4)
_READABLE = const(1)
_WRITABLE = const(4)
_CTRL_C = const(3)
_SETTLE = const(1000)  # ms in which a host that is there answers
_LATE = const(8)  # frames that it may have sent before: one DATA, one CLOSE, answers to PING

patience = 5000  # ms of silence before the host is asked whether it is there

_streams = 0  # number of the latest connection


class _Source:
    """The line for rpc_line.Line, with a time limit: nothing within it is an EOFError there."""

    def __init__(self, read):
        self.milliseconds = 0
        self._read = read

    def readinto(self, buf):
        return self._read(buf, self.milliseconds)


class _Frames(Line):
    """Takes every correct frame; order is the stream's business."""

    def _accept(self, size):
        return True


class Stream(io.IOBase):
    """One connection. Attributes: name (what was asked for), time (the host's clock when it was
    opened, seconds since 1970), reason (why it ended, text, or None). read(buf, milliseconds) and sink
    are the line, for tests."""

    def __init__(self, name, read=_read, sink=None):
        global _streams
        _streams = _streams % 255 + 1
        self.name = name
        self.time = 0
        self.reason = None
        self._number = _streams
        self._source = _Source(read)
        self._frames = _Frames(self._source, sink or sys.stdout.buffer, CHUNK, CHUNK)
        self._sent = 0  # sequence numbers of the latest frames
        self._received = 0
        self._at = HEADER  # rest of the data in the received frame
        self._end = HEADER
        self._state = OPEN  # OPEN asked for, DATA open, CLOSE ended
        self._error = 0  # number that reading and writing answer with once it has ended
        self._timeout = None  # ms; None: for ever, 0: do not wait

    # --- opening and closing -------------------------------------------------------------------

    def open(self, milliseconds):
        """Ask the host for the connection. OSError(ECONNREFUSED or ETIMEDOUT, why)."""
        micropython.kbd_intr(-1)
        try:
            waited = 0
            while self._state == OPEN:
                if waited >= milliseconds:
                    self._fail(ETIMEDOUT, "no host: run `p11board tunnel HOST:PORT`")
                    break
                self._send(OPEN, pack(">H", CHUNK) + self.name, 0)
                self._wait(1000)
                waited += 1000
            if self._state != DATA:
                raise OSError(self._error or ECONNREFUSED, self.reason)
        except BaseException:
            self._ended(ECONNRESET, "interrupted")
            raise

    def close(self):
        """End the connection; closing twice is fine, and closing late does not disturb the next."""
        if self._state != CLOSE:
            self._send(CLOSE, b"", self._next())
            self._ended(0, "closed here")

    def _ended(self, error, reason):
        """The connection is over. Ctrl-C works again, unless the line is another's by now."""
        if self._state != CLOSE:
            self._state = CLOSE
            self._error = error
            self.reason = reason
            if self._number == _streams:
                try:
                    self._settle()
                finally:
                    micropython.kbd_intr(_CTRL_C)

    def _settle(self):
        """Take what the host sent before it knew: a byte of it might be Ctrl-C's.

        The answer to a PING of this connection comes behind it all.
        """
        self._frames.send(PING, self._number, 0)
        for _ in range(_LATE):
            if not self._wait(_SETTLE):
                return
            if self._frames.frame[1] == PING and self._frames.frame[2] == self._number:
                return

    def _fail(self, error, reason):
        """End with an error, and tell the host if it is there."""
        if self._state == DATA:
            self._send(CLOSE, reason.encode(), self._next())
        self._ended(error, reason)

    # --- frames --------------------------------------------------------------------------------

    def _next(self):
        self._sent = (self._sent + 1) & 0xFF
        return self._sent

    def _send(self, what, payload, sequence):
        """Send a frame of this connection; payload has at most CHUNK - 1 bytes."""
        frames = self._frames
        size = len(payload)
        frames.out[HEADER] = what
        frames.out_view[HEADER + 1 : HEADER + 1 + size][:] = payload
        frames.sequence = sequence
        frames.send(TUNNEL, self._number, size + 1)

    def _wait(self, milliseconds):
        """Take one frame of this connection, if any comes within a time; return whether one did."""
        self._source.milliseconds = milliseconds
        frames = self._frames
        try:
            size = frames.receive()
        except EOFError:
            return False
        frame = frames.frame
        kind = frame[1]
        if kind == PING:
            return True
        if kind == END:
            self._state = CLOSE  # it sends nothing more
            self._error = ECONNRESET
            self.reason = "stopped by the host"
            if self._number == _streams:
                micropython.kbd_intr(_CTRL_C)
            raise KeyboardInterrupt
        if kind == BAD:
            self._ended(ECONNRESET, "the line lost or changed bytes on their way to the host")
        elif kind == TUNNEL and frame[2] == self._number and size:
            self._take(frame, size)
        return True

    def _take(self, frame, size):
        what = frame[HEADER]
        view = self._frames.view[HEADER + 1 : HEADER + size]
        if what == OPEN and size == 5:
            if self._state == OPEN:
                self._state = DATA
                self.time = unpack_from(">I", view)[0]
            return
        self._received = (self._received + 1) & 0xFF
        if frame[3] != self._received:
            self._fail(ECONNRESET, "the line lost bytes on their way to the board")
        elif what == CLOSE:
            reason = str(bytes(view), "utf-8")
            refused = self._state == OPEN
            self._ended(ECONNREFUSED if refused else ECONNRESET if reason else 0, reason or None)
        elif what == DATA and self._state == DATA:
            self._at = HEADER + 1
            self._end = HEADER + size

    # --- the stream ----------------------------------------------------------------------------

    def _fill(self, milliseconds):
        """Wait for data for a time (None: as long as the host is alive). True when there is some."""
        asked = False
        while self._at == self._end and self._state == DATA:
            step = patience if milliseconds is None else min(milliseconds, patience)
            if self._wait(step):
                asked = False
                continue
            if milliseconds is not None:
                milliseconds -= step
                if milliseconds <= 0:
                    return False
            elif asked:
                self._fail(ETIMEDOUT, "no answer: does `p11board tunnel` still run?")
                break
            if step == patience:
                asked = True
                self._frames.send(PING, 0, 0)
        return self._at != self._end

    def readinto(self, buf):
        """Read at least one byte. Return the count, 0 at the end, None for nothing yet (without
        waiting), or a negative error number (ETIMEDOUT, ECONNRESET)."""
        if not self._fill(self._timeout):
            if self._state == DATA:
                return -ETIMEDOUT if self._timeout else None
            return -self._error
        count = min(len(buf), self._end - self._at)
        memoryview(buf)[:count][:] = self._frames.view[self._at : self._at + count]
        self._at += count
        if self._at == self._end:  # the host sends the next one only now
            self._frames.sequence = self._received
            self._frames.send(ACK, self._number, 0)
        return count

    def write(self, buf):
        """Send everything. Return the count, or a negative error number."""
        if self._state != DATA:
            return -(self._error or ECONNRESET)
        view = memoryview(buf)
        for at in range(0, len(view), CHUNK - 1):
            self._send(DATA, view[at : at + CHUNK - 1], self._next())
        return len(view)

    def ioctl(self, request, argument):
        """As MicroPython's streams: poll and close."""
        if request == _POLL:
            ready = argument & _WRITABLE
            if argument & _READABLE and (self._fill(0) or self._state != DATA):
                ready |= _READABLE
            return ready
        if request == _CLOSE:
            self.close()
            return 0
        return -22  # EINVAL

    def settimeout(self, seconds):
        """None: wait for data for ever; 0: never; else so long."""
        self._timeout = None if seconds is None else int(seconds * 1000)

    def setblocking(self, flag):
        """Wait for data, or never."""
        self._timeout = None if flag else 0


def connect(name="", seconds=10):
    """Return a Stream. name: HOST:PORT, as text; empty for the one the host was told.

    The host connects to nothing but what its command line allows. OSError(ECONNREFUSED, why) when it
    cannot or will not, OSError(ETIMEDOUT, why) when no host answers.
    """
    stream = Stream(name.encode())
    stream.open(seconds * 1000)
    return stream


def set_clock(seconds):
    """Set the board's clock (machine.RTC) to seconds since 1970, e.g. a Stream's `time`."""
    from time import gmtime

    from machine import RTC

    epoch = 946684800 if gmtime(0)[0] == 2000 else 0
    year, month, day, hour, minute, second, weekday, _ = gmtime(seconds - epoch)
    RTC().datetime((year, month, day, weekday, hour, minute, second, 0))
