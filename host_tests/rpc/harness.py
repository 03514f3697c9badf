# SPDX-License-Identifier: MIT
"""A board, a daemon on it, and programs that use it, as a user would start them.

Two kinds of board: the firmware's packages on CPython (a second to start, in any environment)
and the emulated board. `Served` runs `p11board serve` as a process of its own and knows the
environment that makes unmodified PKCS#11 programs find it.
"""

import contextlib
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

from click.testing import CliRunner
from wire import Caller

from p11board import control, flashing
from p11board.cli import cli
from p11board.emulator import QEMU, Emulator

ROOT = Path(__file__).resolve().parents[2]
DOUBLE = Path(__file__).with_name("cpython_board.py")
BUILD = Path(os.environ.get("P11_BUILD", ROOT / "build" / "AST1030_EVB"))
CLIENT = "p11-kit-client.so"
SECONDS = 60


def module(name=CLIENT):
    """Path of a PKCS#11 module of p11-kit, whatever the architecture."""
    found = sorted(Path("/usr/lib").glob(f"**/pkcs11/{name}")) or sorted(
        Path("/usr/lib").glob(f"**/{name}")
    )
    assert found, f"{name} is not installed: p11-kit-modules"
    return str(found[0])


class CPythonBoard:
    """cpython_board.py as a process. `port` is stable over power cycles when `link` is given."""

    kind = "cpython"

    def __init__(self, folder, *options):
        self.link = Path(folder) / "tty"
        self._options = options
        self.process = None
        self.start()

    def start(self):
        """Power on."""
        command = [sys.executable, str(DOUBLE), *self._options]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        path = self.process.stdout.readline().strip()
        assert path, "the double did not start"
        self.link.unlink(missing_ok=True)
        self.link.symlink_to(path)

    @property
    def port(self):
        return str(self.link)

    def options(self):
        """Options of p11board that mean this board."""
        return ["--board", self.port]

    def stop(self):
        """Pull the plug."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()
        self.link.unlink(missing_ok=True)

    def cycle(self):
        """Off and on: a reset as the daemon sees it."""
        self.stop()
        self.start()


class EmulatedBoard:
    """The emulated board on a flash image of its own."""

    kind = "emulated"

    def __init__(self, folder, build=BUILD, qemu=QEMU, repl=True):
        self.state = Path(folder) / "emulated"
        self.state.mkdir(parents=True)
        self.loader = build / "loader.elf"
        flashing.create_blank(self.state / "flash.bin")
        flashing.program_app(self.state / "flash.bin", (build / "firmware.p11a").read_bytes())
        self.emulator = Emulator(self.state, qemu)
        self.repl = repl  # a locked build shows no prompt to wait for
        self.start()

    def start(self):
        """Power on."""
        self.emulator.start(self.loader, wait=self.repl)

    @property
    def port(self):
        return self.emulator.port

    def options(self):
        """Options of p11board that mean this board."""
        return ["--state", str(self.state), "--board", "emulated"]

    def stop(self):
        """Pull the plug."""
        self.emulator.kill()

    def cycle(self):
        """Off and on."""
        self.stop()
        self.start()


BOARDS = {"cpython": CPythonBoard, "emulated": EmulatedBoard}


class Served:
    """`p11board serve` on a board. folder: for the socket, the log, home directories."""

    def __init__(self, board, folder, *options, wait=True):
        self.board = board
        self.folder = Path(folder)
        self.run_dir = self.folder / "run"
        self.run_dir.mkdir(mode=0o700, exist_ok=True)
        self.socket = self.run_dir / "pkcs11"
        self.log_file = self.folder / "daemon.log"
        self.home = self.folder / "home"
        self.home.mkdir(exist_ok=True)
        self._options = options
        self.process = None
        self.programs = []
        self.start(wait)

    def environment(self):
        """Environment of programs that use the board."""
        found = {
            name: value
            for name, value in os.environ.items()
            if name in ("PATH", "LANG", "TMPDIR") or name.startswith("LC_")
        }
        found.update(
            HOME=str(self.home),
            P11_KIT_SERVER_ADDRESS=f"unix:path={self.socket}",
            P11BOARD_SOCKET=str(self.socket),
            P11_MODULE=module(),
            PYTHONPATH=str(ROOT / "tools"),
        )
        return found

    def command(self, *words):
        """A p11board command line."""
        return [sys.executable, "-m", "p11board", *map(str, words)]

    def start(self, wait=True):
        """Start the daemon."""
        words = [*self.board.options(), "serve", "--socket", self.socket, *self._options]
        with open(self.log_file, "ab") as log:
            self.process = subprocess.Popen(
                self.command(*words),
                stdin=subprocess.DEVNULL,
                stderr=log,
                stdout=log,
                env=self.environment(),
            )
        if wait:
            self.wait_for("serving")

    def wait_for(self, state, seconds=SECONDS):
        """Wait until the daemon is in a state; return its status."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log()
            status = control.ask(self.socket, "status")
            if status and status["state"] == state:
                return status
            time.sleep(0.02)
        raise AssertionError(f"the daemon is not {state}: {self.log()}")

    def log(self):
        """What the daemon said so far."""
        return self.log_file.read_text()

    def stop(self):
        """End the daemon as systemd would."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            assert self.process.wait(SECONDS) == 0, self.log()

    def run(self, *words, code=0, stdin=None, env=None, timeout=SECONDS):
        """Run a program; returns what it printed (both streams)."""
        done = subprocess.run(
            [str(word) for word in words],
            env={**self.environment(), **(env or {})},
            cwd=self.folder,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=timeout,
        )
        assert code is None or done.returncode == code, (words, done.returncode, done.stdout)
        return done.stdout

    def p11board(self, *words, code=0):
        """Run a p11board command in this process; returns what it printed."""
        result = CliRunner(env=self.environment()).invoke(cli, [str(word) for word in words])
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == code, (words, result.exit_code, result.output)
        return result.output

    def tool(self, *words, **more):
        """Run pkcs11-tool on the board."""
        return self.run("pkcs11-tool", "--module", module(), *words, **more)

    def program(self, version=0):
        """A connection as libp11-kit makes it."""
        program = Program(self.socket, version)
        self.programs.append(program)
        return program

    def hang_up(self):
        """Close every program's connection; returns when the board has finalised them."""
        while self.programs:
            self.programs.pop().close()
        deadline = time.monotonic() + SECONDS
        while control.ask(self.socket, "status")["clients"]:
            assert time.monotonic() < deadline, "clients that do not go"
            time.sleep(0.01)


class Program:
    """A raw client of the daemon: frames of p11-kit's socket protocol."""

    def __init__(self, path, version=0):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(SECONDS)
        self.socket.connect(str(path))
        self.code = 0x10
        self.socket.sendall(bytes([version]))
        self.version = self.receive(1)[0]
        self.caller = Caller(self.exchange, version)

    def receive(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def send(self, body):
        """Send a request without waiting for its answer."""
        self.code += 1
        self.socket.sendall(struct.pack(">III", self.code, 4, len(body)) + b"test" + body)

    def exchange(self, body):
        self.send(body)
        return self.answer()

    def answer(self):
        code, options, size = struct.unpack(">III", self.receive(12))
        assert code == self.code and options == 0
        return self.receive(size)

    def log_in(self, pin=b"0000"):
        """Initialise, open a session, log in; returns the session."""
        self.caller.initialize()
        session = self.caller.open()
        self.caller.login(session, pin)
        return session

    def closed(self):
        """Whether the daemon has closed this connection."""
        self.socket.settimeout(10)
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.socket.close()


def need(*programs):
    """Fail with a sentence when a program is missing."""
    for name in programs:
        path = os.environ.get("PATH", "") + ":/usr/sbin"
        assert shutil.which(name, path=path), f"{name} is not installed (tools/deps.sh)"


@contextlib.contextmanager
def background(command, **more):
    """A process that is ended at the end of the block."""
    process = subprocess.Popen([str(word) for word in command], **more)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
