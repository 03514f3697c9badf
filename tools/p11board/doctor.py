# SPDX-License-Identifier: MIT
"""`p11board doctor`: what lies between a program and the key, link by link.

Promises: changes nothing, costs no PIN attempt, and for each thing that is wrong names one next
step. The order is the order in which a program's call travels backwards: board first.
"""

import ctypes
import ctypes.util
import os
import re
import shutil
import stat
import subprocess
from dataclasses import dataclass

from p11board import control, rpc_bodies, selection
from p11board.errors import Problem
from p11board.places import default_socket
from p11board.rpc_bodies import DaemonClient
from p11board.setup_host import MARK, Setup
from p11board.transport import check_port

OK, WARN, FAIL = "ok", "warn", "fail"
ENTROPY_BYTES = 16


@dataclass
class Finding:
    """One thing looked at: its name, its state, what was found, what to do next."""

    name: str
    state: str
    text: str
    next: str = ""

    def line(self):
        """For a person."""
        mark = {OK: "ok  ", WARN: "note", FAIL: "FAIL"}[self.state]
        return f"{mark}  {self.name:<12} {self.text}" + (f": {self.next}" if self.next else "")


class Doctor:
    """Looks at everything once."""

    def __init__(self, path, session):
        self.path = path
        self.session = session
        self.findings = []
        self.status = None

    def examine(self):
        """Return the list of findings."""
        self._daemon()
        self._port()
        self._socket()
        self._library()
        self._module_file()
        if self.status and self.status["state"] == "serving":
            self._token()
        return self.findings

    def _add(self, name, state, text, following=""):
        self.findings.append(Finding(name, state, text, following))

    # --- the board's side -----------------------------------------------------------------------

    def _daemon(self):
        try:
            self.status = control.ask(self.path, "status")
        except Problem as problem:
            self._add("daemon", FAIL, problem.what, "end its process and start it again")
            return
        if self.status is None:
            self._add("daemon", FAIL, "not running", "start it with `p11board serve`")
        elif self.status["state"] == "released":
            self._add("daemon", WARN, "has lent the board out", "`p11board resume`")
        elif self.status["state"] == "waiting":
            reason = self.status.get("waiting_for") or "no board yet"
            self._add("daemon", FAIL, "waits for its board", reason)
        else:
            clients = self.status["clients"]
            self._add("daemon", OK, f"process {self.status['pid']}, programs connected: {clients}")

    def _port(self):
        if self.status and self.status["port"]:
            kind = "locked build" if self.status["locked"] else "development build (has a REPL)"
            self._add("port", OK, f"{self.status['port']}, in the daemon's hands")
            self._add("firmware", OK, f"{self.status['board']}, {kind}")
            return
        try:
            port = selection.choose(self.session.board_name, self.session.emulator)
            check_port(port)
        except Problem as problem:
            self._add("port", FAIL, problem.what, problem.next_step)
        else:
            self._add("port", OK, port)

    # --- the host's side ------------------------------------------------------------------------

    def _socket(self):
        folder = self.path.parent
        try:
            mode = os.lstat(folder)
        except OSError:
            self._add("socket", FAIL, f"no directory {folder}", "`p11board serve` makes it")
            return
        if mode.st_uid != os.getuid() or stat.S_IMODE(mode.st_mode) & 0o077:
            self._add("socket", FAIL, f"{folder} is open to others", f"chmod 700 {folder}")
        elif not self.path.exists():
            self._add(
                "socket", FAIL, f"{self.path} does not exist", "it does while a board is served"
            )
        else:
            self._add("socket", OK, str(self.path))

    def _library(self):
        version = p11_kit_version()
        if version is None:
            self._add("p11-kit", FAIL, "not installed", "install your distribution's p11-kit")
            return
        note = ""
        if version and version < (0, 25):
            note = "before 0.25 its client cannot use ECDSA with hash, ECDH or AES on any token"
        self._add(
            "p11-kit", WARN if note else OK, ".".join(map(str, version)) or "installed", note
        )

    def _module_file(self):
        found = False
        for system in (False, True):
            path = Setup(self.path, system=system).module_path()
            if not path.exists():
                continue
            found = True
            text = path.read_text(errors="replace")
            if os.getuid() == 0 and not system:
                self._add("module file", WARN, str(path), "p11-kit ignores it for root: --system")
            elif str(self.path) not in text and "connect" not in text:
                self._add(
                    "module file", FAIL, f"{path} names another socket", "setup-host --write"
                )
            else:
                self._add("module file", OK, str(path) + ("" if MARK in text else " (not ours)"))
        if not found:
            address = f"P11_KIT_SERVER_ADDRESS=unix:path={self.path}"
            text = "p11-kit does not know the board"
            self._add("module file", WARN, text, f"`p11board setup-host --write`, or {address}")
        if self.path != default_socket():
            self._add("module file", OK, f"socket by option: {self.path}")

    # --- through the socket, as a program does --------------------------------------------------

    def _token(self):
        try:
            with DaemonClient(self.path) as module:
                module.initialize()
                facts = module.token()
                self._login(facts)
                self._entropy(module)
                module.finalize()
        except (Problem, ValueError) as error:
            self._add("token", FAIL, str(error), "see the daemon's log and `p11board info`")

    def _login(self, facts):
        self._add("token", OK, f"{facts.label!r}, serial {facts.serial}")
        flags = facts.flags
        if flags & rpc_bodies.CKF_USER_PIN_LOCKED:
            self._add(
                "login", FAIL, "the user PIN is locked", "the security officer sets a new one"
            )
        elif not flags & rpc_bodies.CKF_USER_PIN_INITIALIZED:
            self._add("login", FAIL, "no user PIN yet", "`pkcs11-tool --init-pin`")
        elif flags & rpc_bodies.CKF_USER_PIN_FINAL_TRY:
            self._add("login", WARN, "one try left for the user PIN", "be sure before you type")
        elif flags & rpc_bodies.CKF_USER_PIN_COUNT_LOW:
            self._add("login", WARN, "wrong user PINs were tried", "a right one resets the count")
        elif flags & rpc_bodies.CKF_USER_PIN_TO_BE_CHANGED:
            self._add(
                "login", WARN, 'the user PIN is the default "0000"', "`pkcs11-tool --change-pin`"
            )
        else:
            self._add("login", OK, "a user PIN is set")

    def _entropy(self, module):
        try:
            value = module.random(module.open(), ENTROPY_BYTES)
        except Problem as problem:
            self._add("entropy", FAIL, problem.what, "see the entropy lines of `p11board info`")
            return
        if len(set(value)) < 2:
            self._add("entropy", FAIL, "the generator repeats itself", "do not use this board")
        else:
            self._add("entropy", OK, "the generator answers")


def p11_kit_version():
    """Version of the installed p11-kit as a tuple, () when it will not say, None without it."""
    for command in (
        ["p11-kit", "--version"],
        ["dpkg-query", "-W", "-f", "${Version}", "libp11-kit0"],
        ["rpm", "-q", "--qf", "%{VERSION}", "p11-kit"],
    ):
        if shutil.which(command[0]):
            run = subprocess.run(command, capture_output=True, text=True, check=False)
            match = re.search(r"(\d+)\.(\d+)(?:\.(\d+))?", run.stdout)
            if match and not run.returncode:
                return tuple(int(part) for part in match.groups() if part)
    return () if ctypes.util.find_library("p11-kit") else None
