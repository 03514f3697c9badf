# SPDX-License-Identifier: MIT
"""The serial line to a board, on mpremote's own transport class.

One `Link` is one connection: exclusive, opened once per command run, in the raw REPL, without
a soft reset (a program's state on the board is kept; a running program is interrupted, as with
mpremote).  Everything that can happen to a line (busy, no permission, unplugged, silent, not
MicroPython) becomes a TransportProblem with the remedy.
"""

import contextlib
import errno
import fcntl
import io
import os
import stat
import struct

import serial
from mpremote.transport import TransportError
from mpremote.transport_serial import SerialTransport

from p11board.errors import TransportProblem

READ_SECONDS = 2  # one read of the line; mpremote blocks this long at most between checks
REPL_SECONDS = 5  # a board in its REPL answers at once; one in a long C call needs a moment
ANSWER_SECONDS = 60  # the slowest request: a key pair on a slow board

SERVE = "from pkcs11 import hostlink\nhostlink.serve_line()"

GONE = "the board does not answer any more (unplugged, switched off, or the emulator ended)"


class Link:
    """A connection to the board at `port`. Use as a context manager."""

    def __init__(self, port):
        self.port = port
        self.transport = None

    def __enter__(self):
        check_port(self.port)
        try:
            self.transport = SerialTransport(self.port, timeout=READ_SECONDS)
        except TransportError:
            raise self._why_not_open() from None
        self.transport.serial.write_timeout = ANSWER_SECONDS
        try:
            with self._line_errors(REPL_SECONDS), quiet():
                self.transport.enter_raw_repl(soft_reset=False, timeout_overall=REPL_SECONDS)
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *exc):
        with contextlib.suppress(OSError, TransportError):
            self.transport.exit_raw_repl()
        self._close()

    def execute(self, code, seconds=ANSWER_SECONDS):
        """Run Python source on the board. Returns (what it printed, its traceback or "").

        `seconds` bounds the silence between two characters of the answer.
        """
        with self._line_errors(seconds):
            output, trace = self.transport.exec_raw(code, timeout=seconds)
        return output.decode(errors="replace"), trace.decode(errors="replace")

    def restart(self):
        """Soft reset: a fresh heap, every session closed; boot.py runs, main.py does not."""
        with self._line_errors(REPL_SECONDS), quiet():
            self.transport.enter_raw_repl(soft_reset=True, timeout_overall=REPL_SECONDS)

    def ask(self, request, seconds=ANSWER_SECONDS):
        """Hand a request (a line of JSON, bytes) to pkcs11.hostlink; returns what it printed.

        The request travels as data, not as source code: a PIN in it becomes no constant of a
        compiled program, and the board wipes the line.
        """
        with self._line_errors(seconds):
            self.transport.exec_raw_no_follow(SERVE)
            self.transport.serial.write(request + b"\n")
            output, trace = self.transport.follow(seconds)
        if trace:
            raise _board_trouble(trace.decode(errors="replace"))
        return output.decode(errors="replace")

    def follow(self, code, line, consume, seconds):
        """Run source that reads `line` (bytes) from the terminal; hand over what it prints.

        `consume` gets bytes as they come. Ctrl-C here is Ctrl-C there, and the program's own
        clearing up is awaited. `seconds` bounds the silence between two characters.
        """

        def without_end(data):
            if data != b"\x04":
                consume(data)

        with self._line_errors(seconds):
            self.transport.exec_raw_no_follow(code)
            self.transport.serial.write(line + b"\n")
            try:
                _, trace = self.transport.follow(seconds, without_end)
            except KeyboardInterrupt:
                self.transport.serial.write(b"\x03")
                with contextlib.suppress(TransportError):  # it had ended by itself
                    self.transport.follow(ANSWER_SECONDS)
                raise
        if trace:
            raise _board_trouble(trace.decode(errors="replace"))

    def _close(self):
        with contextlib.suppress(OSError):
            self.transport.close()

    @contextlib.contextmanager
    def _line_errors(self, seconds):
        try:
            yield
        except (serial.SerialException, OSError) as error:
            raise TransportProblem(f"{self.port}: {GONE}", "plug it in and try again") from error
        except (TransportError, struct.error) as error:  # struct: mpremote read too little
            if not os.path.exists(self.port):
                raise TransportProblem(
                    f"{self.port}: {GONE}", "plug it in and try again"
                ) from error
            raise TransportProblem(
                f"{self.port}: no answer from a MicroPython REPL within {seconds} s",
                "a board left serving PKCS#11 comes back with `p11board release`; reset any other",
            ) from error

    def _why_not_open(self):
        line = None
        try:
            line = os.open(self.port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
            fcntl.flock(line, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EBUSY, errno.EWOULDBLOCK):
                return TransportProblem(
                    f"{self.port} is in use by another program",
                    "close it (mpremote, a terminal), or have the daemon lend it: `p11board release`",
                )
            return TransportProblem(f"cannot open {self.port}: {error.strerror}")
        finally:
            if line is not None:
                os.close(line)
        return TransportProblem(f"cannot open {self.port}", "is it a serial port?")


def check_port(port):
    """Refuse a path that cannot be a board's port, saying why."""
    try:
        mode = os.stat(port).st_mode
    except OSError:
        raise TransportProblem(
            f"no serial port {port}", "plug the board in, or look with `p11board ports`"
        ) from None
    if not stat.S_ISCHR(mode):
        raise TransportProblem(
            f"{port} is not a serial port", "give a path such as /dev/ttyACM0, or `emulated`"
        )
    if not os.access(port, os.R_OK | os.W_OK):
        raise TransportProblem(
            f"no permission to open {port}",
            "add yourself to its group with `sudo usermod -aG dialout $USER` and log in again",
        )


def _board_trouble(trace):
    """The problem behind a traceback on the board."""
    last = trace.strip().splitlines()[-1]
    if last.startswith(("ImportError", "ModuleNotFoundError")) and "pkcs11" in last:
        return TransportProblem(
            f"this board's MicroPython has no PKCS#11 firmware ({last})",
            "flash the firmware of micropython-pkcs11 first",
        )
    if last.startswith("KeyboardInterrupt"):
        return TransportProblem("the command was interrupted on the board", "try again")
    return TransportProblem(f"the firmware failed ({last})", "reset the board and try again")


@contextlib.contextmanager
def quiet():
    """mpremote prints what it received when it fails; the user gets our one line instead."""
    with contextlib.redirect_stdout(io.StringIO()):
        yield
