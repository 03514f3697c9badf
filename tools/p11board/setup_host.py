# SPDX-License-Identifier: MIT
"""What p11-kit and systemd have to know: one .module file, one user unit.

Promises: shows before it writes; writes only files that carry its own mark; `remove` removes those
and nothing else. p11-kit's files take no variables, so paths in them are absolute.
"""

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

from p11board.errors import Problem, UsageProblem

MARK = "# written by `p11board setup-host`; `p11board setup-host --remove` removes it"
NAME = "p11board"


class Setup:
    """The files for one socket."""

    def __init__(self, socket, board=None, token=None, system=False, on_demand=False):
        self.socket = socket
        self.system = system
        self.on_demand = on_demand
        self._arguments = []
        if board:
            self._arguments += ["--board", board]
        if token:
            self._arguments += ["--token", token]
        if system and on_demand:
            raise UsageProblem("--system and --on-demand do not go together")

    # --- the files ------------------------------------------------------------------------------

    def module_path(self):
        """Where p11-kit looks for modules of this user, or of all."""
        if self.system:
            return Path("/etc/pkcs11/modules") / f"{NAME}.module"
        return config_home() / "pkcs11" / "modules" / f"{NAME}.module"

    def unit_path(self):
        """The systemd unit."""
        return config_home() / "systemd" / "user" / f"{NAME}.service"

    def module_text(self):
        """The module file."""
        remote = f"unix:path={self.socket}"
        if self.on_demand:
            remote = "|" + shlex.join(
                [*program(), "connect", "--socket", str(self.socket), *self._arguments]
            )
        return f"{MARK}\nremote: {remote}\n"

    def unit_text(self):
        """The unit: the daemon waits for its board, so it can always run."""
        command = shlex.join([*program(), "serve", "--socket", str(self.socket), *self._arguments])
        return "\n".join(
            [
                MARK,
                "[Unit]",
                "Description=PKCS#11 token on a MicroPython board",
                "",
                "[Service]",
                f"ExecStart={command}",
                "Restart=on-failure",
                "UMask=0077",
                "",
                "[Install]",
                "WantedBy=default.target",
                "",
            ]
        )

    def files(self):
        """(path, text) of each file."""
        found = [(self.module_path(), self.module_text())]
        if not self.on_demand and not self.system:
            found.append((self.unit_path(), self.unit_text()))
        return found

    # --- doing ----------------------------------------------------------------------------------

    def install(self, write):
        """Write the files, or only show them. Returns lines to print."""
        lines = []
        for path, text in self.files():
            if path.exists() and MARK not in path.read_text(errors="replace"):
                raise Problem(f"{path} is not ours", "move it away or merge it by hand")
            if write:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
                lines.append(f"written: {path}")
            else:
                lines += [f"--- {path}", *text.splitlines(), ""]
        if not write:
            lines.append("Nothing was written. `p11board setup-host --write` writes these files.")
        elif not self.on_demand:
            lines += self._next_steps()
        if os.getuid() == 0 and not self.system:
            lines.append("p11-kit ignores these files for root: see --system.")
        return lines

    def _next_steps(self):
        if self.system:
            return [f"Run the daemon as the user that owns {self.socket.parent}: p11board serve"]
        return ["Start the daemon: systemctl --user enable --now p11board.service"]

    def remove(self, write):
        """Remove what install wrote. Returns lines to print."""
        lines = []
        for path in (self.module_path(), self.unit_path()):
            if path.exists() and MARK in path.read_text(errors="replace"):
                if path == self.unit_path():
                    _systemctl("disable", "--now", path.name)
                if write:
                    path.unlink()
                lines.append(f"removed: {path}")
        return lines or ["Nothing of ours to remove."]


def config_home():
    """The user's configuration directory, as p11-kit and systemd take it."""
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")


def client_module():
    """Path of p11-kit-client.so, the module that needs no configuration; None without p11-kit."""
    folders = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/opt/homebrew/lib")
    for folder in map(Path, folders):
        for pattern in ("pkcs11/p11-kit-client.so", "*/pkcs11/p11-kit-client.so"):
            for path in sorted(folder.glob(pattern)):
                return path
    return None


def program():
    """Command words that start this p11board from anywhere."""
    script = shutil.which("p11board")
    return [os.path.abspath(script)] if script else [sys.executable, "-m", "p11board"]


def _systemctl(*words):
    if shutil.which("systemctl"):
        subprocess.run(["systemctl", "--user", *words], capture_output=True, check=False)
