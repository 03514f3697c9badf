# SPDX-License-Identifier: MIT
"""A serial port for asyncio: exclusive, non-blocking, never resetting the board.

Promises: what is written goes out in order as the port takes it; what arrives is handed to a
function; the end of the line (unplugged, closed) is told once. Linux raises DTR and RTS when a
port is opened and drops them when it is closed, unless told otherwise. Some boards take the change
for a reset, so we tell it otherwise, and a later opening finds the lines as they are.
"""

import asyncio
import contextlib
import errno
import os
import termios

import serial

from p11board.errors import TransportProblem
from p11board.transport import check_port

BAUD = 115200


class SerialPort:
    """received(data) and gone() are called from the event loop. lost: why it ended, or None."""

    def __init__(self, path, received, gone):
        self.path = path
        self.lost = None
        self._received = received
        self._gone = gone
        self._serial = None
        self._out = bytearray()
        self.sent = 0  # bytes so far
        self.received = 0
        self._loop = None

    def open(self):
        """Open the port. Raises TransportProblem."""
        check_port(self.path)
        try:
            self._serial = serial.Serial(self.path, BAUD, timeout=0, exclusive=True)
        except (serial.SerialException, OSError) as error:
            if "lock" in str(error) or error.errno == errno.EBUSY:
                raise TransportProblem(
                    f"{self.path} is in use by another program",
                    "close it (mpremote, a terminal), or have the daemon lend it: `p11board release`",
                ) from None
            raise TransportProblem(f"cannot open {self.path}: {error}") from None
        with contextlib.suppress(termios.error):
            settings = termios.tcgetattr(self._serial.fd)
            settings[2] &= ~termios.HUPCL
            termios.tcsetattr(self._serial.fd, termios.TCSANOW, settings)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._serial.fd, self._readable)

    def close(self):
        """Close the port; say fail() first."""
        if self._serial is not None:
            with contextlib.suppress(OSError):
                self._serial.close()
            self._serial = None

    def write(self, data):
        """Send bytes as soon as the port takes them."""
        self._out += data
        self.sent += len(data)
        self._flush()

    def _flush(self):
        if self.lost or self._serial is None:
            return
        descriptor = self._serial.fd
        try:
            while self._out:
                del self._out[: os.write(descriptor, self._out)]
            self._loop.remove_writer(descriptor)
        except BlockingIOError:
            self._loop.add_writer(descriptor, self._flush)
        except OSError as error:
            self.fail(f"unplugged or switched off ({error.strerror})")

    def _readable(self):
        try:
            data = os.read(self._serial.fd, 65536)
        except BlockingIOError:
            return
        except OSError as error:
            self.fail(f"unplugged or switched off ({error.strerror})")
            return
        if data:
            self.received += len(data)
            self._received(data)
        else:
            self.fail("unplugged or switched off")

    def fail(self, reason):
        """Take the line for lost; the first reason counts."""
        if not self.lost:
            self.lost = reason
            if self._serial is not None:
                self._loop.remove_reader(self._serial.fd)
                self._loop.remove_writer(self._serial.fd)
            self._gone()
