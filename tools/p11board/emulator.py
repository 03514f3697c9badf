# SPDX-License-Identifier: MIT
"""The emulated board: stock QEMU in the background on a flash file that persists.

State is one directory: `flash.bin` (the chip), `board.json` (how the running board was
started), `lock`, `qemu.log`.  QEMU inherits the locked `lock` file, so "the board is on" is
exactly "the lock is held", whoever started it and however it died; a process id left behind by
a crash is never mistaken for the board.

The serial line is a pseudo terminal made here, whose device side QEMU inherits as well.  With
QEMU's own `-serial pty` each new connection waits up to a second until QEMU notices it, and
what the board prints meanwhile is lost; this way a connection costs a millisecond.
"""

import fcntl
import json
import os
import pty
import shutil
import signal
import subprocess
import time
import tty
from contextlib import contextmanager, suppress
from pathlib import Path

import platformdirs

from p11board import flashing, flashmap, image
from p11board.errors import EmulatorProblem

QEMU = "qemu-system-arm"
QEMU_MISSING = "install it with `sudo apt install qemu-system-arm`"
MACHINE = "ast1030-evb,fmc-model=w25q256"
BOARD = "AST1030_EVB"
BEING_HANDLED = "the emulated board is being started or flashed by another command"

# QEMU writes the flash file behind the chip's back; with one thread it does so in order, as a chip
# does, so that a killed emulator leaves what a chip without power would hold.
IN_ORDER = ("-object", "main-loop,id=main-loop,thread-pool-min=0,thread-pool-max=1")

LOCKED_HELLO = b"\xf5\x01"  # a locked board says HELLO (docs/PROTOCOL.md), it has no prompt
START_SECONDS = 20  # a cold, busy machine; a warm start takes well under a second
STOP_SECONDS = 5
LOCK_TRIES = 10


def checkout():
    """The checkout this package runs from, or None when it was installed elsewhere."""
    root = Path(__file__).resolve().parent.parent.parent
    return root if (root / "boards" / BOARD).is_dir() else None


def default_state():
    """Directory of the emulated board: in the checkout's build directory, else the user's."""
    root = checkout()
    return root / "build" / "emulated" if root else platformdirs.user_state_path("p11board")


def built(name):
    """Path of a build product in the checkout (it may not exist yet), or None."""
    root = checkout()
    return root / "build" / BOARD / name if root else None


class Emulator:
    """One emulated board: its flash and, while it is on, its QEMU process."""

    def __init__(self, state=None, qemu=QEMU):
        self.state = Path(state) if state else default_state()
        self.flash = self.state / "flash.bin"
        self.record = self.state / "board.json"
        self.lock = self.state / "lock"
        self.log = self.state / "qemu.log"
        self.qemu = qemu
        self.process = None  # set in the program that started it

    # -- what is there ---------------------------------------------------------------------

    def running(self):
        """True while a QEMU process has this board."""
        if not self.lock.exists():
            return False
        with open(self.lock, "rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except OSError:
                return True
        return False

    def status(self):
        """Facts of the board: running, pid, port, flash, loader (None where it is off)."""
        facts = {"running": self.running(), "pid": None, "port": None, "loader": None}
        if facts["running"]:
            facts.update(self._read_record())
        facts["state"] = str(self.state)
        facts["flash"] = str(self.flash)
        return facts

    @property
    def port(self):
        """The pseudo terminal of the running board."""
        status = self.status()
        if not status["running"]:
            raise EmulatorProblem(
                "the emulated board is off", "start it with `p11board emulate start`"
            )
        if not status["port"]:
            raise EmulatorProblem(BEING_HANDLED, "wait for that command to end")
        return status["port"]

    def _read_record(self):
        try:
            return json.loads(self.record.read_text())
        except (OSError, ValueError):
            return {}

    @contextmanager
    def powered_off(self):
        """Hold the lock while the flash file is handled; the board must be off."""
        with self._locked():
            yield

    @contextmanager
    def _locked(self):
        self.state.mkdir(parents=True, exist_ok=True)
        with open(self.lock, "w+b") as file:
            # A moment's patience: another command's look at `running` holds the lock briefly.
            for patience in range(LOCK_TRIES, 0, -1):
                try:
                    fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    if patience == 1:
                        raise EmulatorProblem(
                            "the emulated board is on",
                            "stop it with `p11board emulate stop`",
                        ) from None
                    time.sleep(0.02)
            yield file

    # -- power -----------------------------------------------------------------------------

    def create_flash(self, fresh=False):
        """Make sure a flash file of the right size is there; `fresh` starts with a blank one."""
        with self._locked():
            if fresh or not self.flash.exists():
                flashing.create_blank(self.flash)
            else:
                flashing.check_size(self.flash)

    def start(self, loader=None, wait=True):
        """Power on. Returns the port. With `wait`, only when the REPL answers.

        `loader` is the ELF file given to QEMU as the chip's boot ROM (default: the
        checkout's build).  Raises EmulatorProblem with the loader's own words when it
        refuses the application.
        """
        program = shutil.which(self.qemu)
        if program is None:
            raise EmulatorProblem(f"{self.qemu} is not installed", QEMU_MISSING)
        loader = Path(loader) if loader else built("loader.elf")
        if loader is None or not loader.exists():
            raise EmulatorProblem(
                f"no loader at {loader or 'loader.elf'}",
                "build it with `make firmware`, or give it with --loader",
            )
        with self._locked() as lock:
            if not self.flash.exists():
                flashing.create_blank(self.flash)
            flashing.check_size(self.flash)
            flashing.give_number(self.flash)
            port = self._spawn(program, loader, lock)
        if wait:
            try:
                wait_for_repl(port, self._died)
            except BaseException:
                self.stop()
                raise
        return port

    def _spawn(self, program, loader, lock):
        self.record.unlink(missing_ok=True)
        board_end, host_end = pty.openpty()
        tty.setraw(host_end)
        port = os.ttyname(host_end)
        command = [program, "-M", MACHINE, "-display", "none", "-monitor", "none"]
        command += ["-kernel", str(loader), *IN_ORDER]
        command += ["-drive", f"file={_qemu_escaped(self.flash)},format=raw,if=mtd"]
        command += ["-add-fd", f"fd={board_end},set=1", "-serial", "chardev:uart"]
        command += ["-chardev", "serial,id=uart,path=/dev/fdset/1"]
        try:
            with open(self.log, "wb") as log:
                self.process = subprocess.Popen(
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(board_end, host_end, lock.fileno()),
                    start_new_session=True,
                )
        finally:
            os.close(board_end)
            os.close(host_end)
        facts = {"pid": self.process.pid, "port": port, "loader": str(loader)}
        partial = self.record.with_suffix(".part")
        partial.write_text(json.dumps(facts))
        os.replace(partial, self.record)
        return port

    def _died(self):
        """Why QEMU ended, or None while it runs."""
        if self.process is None or self.process.poll() is None:
            return None
        lines = self.log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"exit code {self.process.returncode}"

    def stop(self):
        """Power off. Returns False if the board was off already."""
        return self._end(signal.SIGTERM)

    def kill(self):
        """Pull the plug: SIGKILL, nothing is flushed. Returns False if the board was off."""
        return self._end(signal.SIGKILL)

    def _end(self, first):
        if not self.running():
            self.record.unlink(missing_ok=True)
            return False
        pid = self._read_record().get("pid")
        if pid is None:
            raise EmulatorProblem(BEING_HANDLED, "wait for that command to end")
        for number in (first, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.kill(pid, number)
            if self._off_within(STOP_SECONDS):
                self.record.unlink(missing_ok=True)
                return True
        raise EmulatorProblem(f"QEMU (process {pid}) does not end", f"end it with `kill -9 {pid}`")

    def _off_within(self, seconds):
        deadline = time.monotonic() + seconds
        while self.running():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.01)
        if self.process is not None:
            self.process.wait()
            self.process = None
        return True

    # -- flash, with the board off ---------------------------------------------------------

    def program(self, data, progress=None, dry_run=False):
        """Program an application image; the board must be off. See flashing.program_app."""
        if dry_run:
            return flashing.program_app(self.flash, data, dry_run=True)
        with self.powered_off():
            return flashing.program_app(self.flash, data, progress)

    def has_application(self):
        """True unless both slots are blank."""
        with flashing.FlashFile(self.flash) as flash:
            return any(flash.read(slot.offset, 4) != b"\xff" * 4 for slot in flashmap.SLOTS)

    def holds(self, data):
        """True if the loader would start the application of this image (bytes)."""
        with flashing.FlashFile(self.flash) as flash:
            boots = flashing.booting(flash)
        return boots is not None and boots.payload == data[image.HEADER_SIZE :]

    def key_region_hash(self):
        """SHA-256 (hex) of the raw key region; the board must be off."""
        with self.powered_off(), flashing.FlashFile(self.flash) as flash:
            return flash.hash_region(flashmap.KEYS)


def _qemu_escaped(path):
    """A path inside a QEMU option list, where a comma has to be doubled."""
    return str(path).replace(",", ",,")


def wait_for_repl(port, died=lambda: None, seconds=START_SECONDS):
    """Read what the board prints after power-on until it shows the REPL's prompt.

    Nothing is sent: a program started by main.py is not disturbed.  Raises EmulatorProblem if
    the loader refuses the application, QEMU ends or nothing comes.
    """
    deadline = time.monotonic() + seconds
    seen = b""
    line = os.open(port, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        while time.monotonic() < deadline:
            try:
                seen += os.read(line, 4096)
            except BlockingIOError:
                pass
            except OSError:
                break
            if seen.endswith(b">>> ") or LOCKED_HELLO in seen:
                return seen.decode(errors="replace")
            refusal = _loader_refusal(seen)
            if refusal:
                raise EmulatorProblem(
                    refusal, "program an application with `p11board flash IMAGE.p11a`"
                )
            if died():
                break
            time.sleep(0.01)
    finally:
        os.close(line)
    if died():
        raise EmulatorProblem(f"QEMU ended: {died()}", "see qemu.log beside the flash image")
    last = seen.decode(errors="replace").strip().splitlines()[-1:] or ["nothing"]
    raise EmulatorProblem(
        f"the board shows no REPL prompt after {seconds} s; the last it printed: {last[0]}",
        "program a known good application with `p11board flash IMAGE.p11a`",
    )


def _loader_refusal(seen):
    """The loader's line, once complete, if it refused the application."""
    for line in seen.split(b"\n")[:-1]:
        if line.startswith(b"loader: "):
            return line.decode(errors="replace").strip()
    return None
