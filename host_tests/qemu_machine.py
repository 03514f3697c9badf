# SPDX-License-Identifier: MIT
"""QEMU with nothing between its serial line and the test; for the tests of the port."""

import os
import re
import socket
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BUILD = Path(os.environ.get("P11_BUILD", ROOT / "build" / "AST1030_EVB"))
QEMU = "qemu-system-arm"
PROMPT = b">>> "


class Machine:
    """A QEMU process whose UART is a socket; the flash is a private file."""

    def __init__(self, flash, loader, *options):
        self.flash = flash
        self.command = [QEMU, "-M", "ast1030-evb,fmc-model=w25q256", "-kernel", str(loader)]
        self.command += ["-drive", f"file={flash},format=raw,if=mtd", "-display", "none"]
        self.command += ["-monitor", "none", "-serial", "chardev:uart", *options]
        self.process = None
        self.line = None

    def start(self):
        """Power on. Returns self."""
        self.line, other = socket.socketpair()
        chardev = ["-chardev", f"socket,id=uart,fd={other.fileno()}"]
        self.process = subprocess.Popen(
            self.command + chardev, pass_fds=[other.fileno()], stdin=subprocess.DEVNULL
        )
        other.close()
        return self

    def kill(self):
        """Pull the plug."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.line.close()
            self.process = None

    def send(self, data):
        """Send bytes, as fast as they are taken."""
        self.line.sendall(data)

    def until(self, end, seconds=30):
        """Everything up to and including `end`, which must come in time."""
        seen = bytearray()
        deadline = time.monotonic() + seconds
        while not seen.endswith(end):
            self.line.settimeout(max(0.01, deadline - time.monotonic()))
            try:
                # One byte at a time: what follows belongs to the next call.
                seen += self.line.recv(1)
            except TimeoutError:
                raise AssertionError(f"no {end!r} within {seconds} s: {seen[-200:]!r}") from None
        return bytes(seen)

    def drain(self, seconds=0.2):
        """Discard what comes until nothing has come for so long."""
        self.line.settimeout(seconds)
        try:
            while self.line.recv(4096):
                pass
        except TimeoutError:
            pass

    def cpu_seconds(self):
        """Processor time used by QEMU so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Board(Machine):
    """A machine with the firmware, at its REPL."""

    def start(self):
        super().start()
        self.until(PROMPT)
        return self

    def run(self, program, seconds=30):
        """What a program prints, run in the raw REPL from a freshly reset Python."""
        self.send(b"\x03\x03\x01")
        self.until(b"raw REPL; CTRL-B to exit\r\n>")
        self.send(program.encode() + b"\x04")
        self.until(b"OK")
        printed = self.until(b"\x04", seconds)[:-1].decode()
        error = self.until(b"\x04>")[:-2].decode()
        self.send(b"\x02")
        self.until(PROMPT)
        assert not error, error
        return printed


def number(text, pattern):
    """The number a pattern finds in a text."""
    return float(re.search(pattern, text).group(1))


# Thumb code behind 128 bytes for the vectors: ldr r0, uart5; movs r1, #mark; str r1, [r0]; b .
def tiny_program(load=0, mark=b"K"):
    """The smallest application: prints a character."""
    vectors = (0x000C0000).to_bytes(4, "little") + (load + 0x81).to_bytes(4, "little")
    code = bytes.fromhex("0148") + mark + bytes.fromhex("21 0160 fee7 0040787e")
    return vectors.ljust(128, b"\0") + code
