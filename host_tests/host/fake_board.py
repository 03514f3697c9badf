# SPDX-License-Identifier: MIT
"""A board without hardware and without QEMU: a pseudo terminal with MicroPython's raw REPL.

The host tools talk to it through their real transport; the code they send runs in this process
on CPython, so `pkcs11.hostlink` is the firmware's own, over the twin of `p11crypto`.  It can
also misbehave on purpose: see `silent`, `garbage` and `die_on`.
"""

import contextlib
import io
import os
import pty
import select
import sys
import threading
import traceback
import tty


class _Keyboard:
    """sys.stdin of the code that runs on the board: `buffer.readinto` takes from the line."""

    def __init__(self, get):
        self.buffer = self
        self._get = get

    def readinto(self, buffer):
        for at in range(len(buffer)):
            buffer[at] = self._get()[0]
        return len(buffer)


CTRL_A, CTRL_B, CTRL_C, CTRL_D, CTRL_E = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"
BANNER = b"raw REPL; CTRL-B to exit\r\n>"
WINDOW = 128


class FakeBoard:
    """Start with `with FakeBoard() as board:`; its serial port is `board.port`."""

    def __init__(self, namespace=None, silent=False, garbage=b"", die_on=None):
        self.namespace = namespace if namespace is not None else {}
        self.silent = silent
        self.garbage = garbage  # sent before the banner of the raw REPL
        self.die_on = die_on  # the line goes dead when the code contains this text
        self.commands = []

    def __enter__(self):
        self.master, self._slave = pty.openpty()
        tty.setraw(self._slave)
        self.port = os.ttyname(self._slave)
        self._wake_read, self._wake_write = os.pipe()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc):
        os.write(self._wake_write, b"x")
        self._thread.join()
        for descriptor in (self._wake_read, self._wake_write):
            os.close(descriptor)
        self.unplug()

    def unplug(self):
        """The board's side of the line disappears."""
        for name in ("master", "_slave"):
            descriptor = getattr(self, name)
            if descriptor is not None:
                os.close(descriptor)
                setattr(self, name, None)

    # -- the REPL --------------------------------------------------------------------------

    def _get(self):
        ready, _, _ = select.select([self.master, self._wake_read], [], [])
        if self._wake_read in ready:
            raise EOFError
        return os.read(self.master, 1)

    def _put(self, data):
        view = memoryview(data)
        while view:
            if self.master is None:
                raise EOFError
            view = view[os.write(self.master, view) :]

    def _run(self):
        raw = False
        line = b""
        try:
            while True:
                char = self._get()
                if self.silent:
                    continue
                if char == CTRL_A:
                    raw, line = True, b""
                    self._put(self.garbage + b"\r\n" + BANNER)
                elif char == CTRL_B:
                    raw = False
                    self._put(b"\r\nMicroPython (fake)\r\n>>> ")
                elif char == CTRL_C:
                    line = b""
                    self._put(b"\r\nKeyboardInterrupt\r\n" if not raw else b"")
                elif raw and char == CTRL_E:
                    self._get(), self._get()
                    self._put(b"R\x01" + WINDOW.to_bytes(2, "little"))
                    self._execute(self._paste())
                elif raw and char == CTRL_D:
                    if line:
                        self._put(b"OK")
                        self._execute(line)
                    else:
                        self._put(b"OK\r\nMPY: soft reboot\r\n" + BANNER)
                    line = b""
                else:
                    line += char
        except (EOFError, OSError):
            pass

    def _paste(self):
        code = b""
        while True:
            char = self._get()
            if char == CTRL_D:
                self._put(CTRL_D)
                return code
            code += char
            if len(code) % WINDOW == 0:
                self._put(b"\x01")

    def _execute(self, code):
        text = code.decode()
        self.commands.append(text)
        if self.die_on and self.die_on in text:
            self.unplug()
            raise EOFError
        out, err = io.StringIO(), ""
        keyboard, sys.stdin = sys.stdin, _Keyboard(self._get)
        try:
            with contextlib.redirect_stdout(out):
                exec(compile(text, "<stdin>", "exec"), self.namespace)
        except (EOFError, OSError):
            raise
        except Exception:
            err = traceback.format_exc()
        finally:
            sys.stdin = keyboard
        answer = out.getvalue().replace("\n", "\r\n").encode()
        self._put(answer + CTRL_D + err.encode() + CTRL_D + b">")
