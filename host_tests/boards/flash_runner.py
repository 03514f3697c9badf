# SPDX-License-Identifier: MIT
"""`p11board flash` as the tests run it, with programmers that write down how they were called."""

import stat

import pytest
from click.testing import CliRunner

from p11board import flash_real_stm32
from p11board.cli import cli


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Programmers that write down their arguments; `tools.calls()` reads them."""

    class Tools:
        folder = tmp_path / "bin"
        log = tmp_path / "calls"

        def install(self, name, output="", code=0):
            script = self.folder / name
            script.write_text(
                '#!/bin/sh\nprintf "%%s\\n" "%s $*" >> %s\ncat <<"END"\n%s\nEND\nexit %d\n'
                % (name, self.log, output, code)
            )
            script.chmod(script.stat().st_mode | stat.S_IXUSR)

        def calls(self):
            return self.log.read_text().splitlines() if self.log.exists() else []

    made = Tools()
    made.folder.mkdir()
    monkeypatch.setenv("PATH", "%s:/usr/bin:/bin" % made.folder)
    monkeypatch.setattr(flash_real_stm32.list_ports, "comports", lambda: [])
    for name in ("P11BOARD", "P11BOARD_STATE"):
        monkeypatch.delenv(name, raising=False)
    return made


def run(*arguments, **options):
    """Run the command in this process; returns click's Result."""
    return CliRunner().invoke(cli, ["flash", *map(str, arguments)], **options)
