# SPDX-License-Identifier: MIT
"""The pages of docs/use: their commands, run as written, with Debian's unmodified programs.

Each page is one shell script (its ```sh blocks) and some programs (its ```python blocks); the
commands check themselves. What a person would type at a prompt (PINs) comes from ssh's askpass.
"""

import getpass
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

import pages
import pytest
from harness import BOARDS, Served, background, need

pytestmark = pytest.mark.long
FOLDER = pages.DOCS / "use"
PROGRAMS = {
    "pkcs11-tool": ("pkcs11-tool", "p11tool", "openssl"),
    "openssl": ("openssl", "pkcs11-tool"),
    "openssl-provider": ("openssl", "pkcs11-tool"),
    "curl": ("curl", "openssl", "pkcs11-tool"),
    "gnutls": ("gnutls-cli", "gnutls-serv", "certtool", "p11tool"),
    "ssh": ("ssh", "sshd", "ssh-add", "ssh-agent"),
    "git": ("git", "ssh-keygen", "ssh-agent"),
    "firefox": ("certutil", "modutil", "openssl"),
    "init-token": ("pkcs11-tool",),
}


def environment(served, folder):
    """As a user who evaluated `p11board env`; PINs come from askpass, ssh from our config."""
    bin_folder = pages.p11board_in(folder)
    askpass = bin_folder / "askpass"
    askpass.write_text("#!/bin/sh\necho ${TEST_PIN:-0000}\n")
    ssh = bin_folder / "ssh"
    ssh.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {folder / "ssh_config"} "$@"\n')
    for path in (askpass, ssh):
        path.chmod(0o755)
    exported = served.p11board("env")
    found = dict(re.findall(r"^export (\w+)=(.*)$", exported, re.M))
    assert found["P11_MODULE"] == served.environment()["P11_MODULE"]
    return {
        **served.environment(),
        **found,
        "PATH": f"{bin_folder}:{os.environ['PATH']}:/usr/sbin",
        "SSH_ASKPASS": str(askpass),
        "SSH_ASKPASS_REQUIRE": "force",
        "GIT_CONFIG_NOSYSTEM": "1",
    }


def run_page(served, page, folder, more=None):
    """Run the shell blocks of a page."""
    need(*PROGRAMS[page])
    folder.mkdir(parents=True, exist_ok=True)
    before = "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT\nshopt -s expand_aliases\n"
    script = before + "\n".join(pages.blocks(f"use/{page}.md"))
    return pages.run(script, folder, environment(served, folder))


@pytest.mark.parametrize("page", ["openssl", "curl", "gnutls", "git", "firefox"])
def test_the_commands_of_the_page_work(programs, tmp_path, page):
    run_page(programs, page, tmp_path / "work")


@pytest.mark.parametrize("page", ["pkcs11-tool", "openssl-provider"])
def test_the_commands_of_a_page_that_changes_the_pin_work(programs, tmp_path, page):
    if page == "openssl-provider" and not list(Path("/usr/lib").glob("**/ossl-modules/pkcs11.so")):
        pytest.skip("this distribution has no pkcs11-provider")
    board = BOARDS[programs.board.kind](tmp_path)  # one of its own
    served = Served(board, tmp_path)
    out = run_page(served, page, tmp_path / "work")
    served.stop()
    board.stop()
    assert "Verified OK" in out
    if page == "pkcs11-tool":
        assert "Signature is valid" in out and "No errors" in out


EMULATED = pytest.param("emulated", marks=pytest.mark.emulated)


@pytest.fixture(scope="module", params=["cpython", EMULATED])
def new_token(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("new")
    board = BOARDS[request.param](folder)
    served = Served(board, folder)
    yield served
    served.stop()
    board.stop()


def test_a_token_is_initialised_as_the_page_says(new_token, tmp_path):
    out = run_page(new_token, "init-token", tmp_path / "work")
    assert "my token" in out


def free_port():
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return line.getsockname()[1]


def test_ssh_logs_in_to_a_real_sshd_with_the_boards_key(programs, tmp_path):
    folder = tmp_path / "work"
    folder.mkdir()
    port = free_port()
    programs.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "host_key")
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nUsePAM no\n"
        f"AuthorizedKeysFile {folder}/board.pub\nStrictModes no\nPidFile none\n"
        "PasswordAuthentication no\nKbdInteractiveAuthentication no\nPermitRootLogin yes\n"
    )
    (folder / "ssh_config").write_text(
        f"Host server\nHostname 127.0.0.1\nPort {port}\nUser {getpass.getuser()}\n"
        f"UserKnownHostsFile {folder}/known\nStrictHostKeyChecking accept-new\n"
        "IdentityFile none\n"
    )
    if os.getuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)
    need("sshd")
    with open(folder / "sshd.log", "w") as log:
        command = ["/usr/sbin/sshd", "-D", "-e", "-f", folder / "sshd_config"]
        with background(command, stderr=log, stdin=subprocess.DEVNULL):
            deadline = time.monotonic() + 20
            while "listening" not in (folder / "sshd.log").read_text():
                assert time.monotonic() < deadline
                time.sleep(0.05)
            run_page(programs, "ssh", folder)
    assert (folder / "sshd.log").read_text().count("Accepted publickey") == 2


@pytest.mark.parametrize("number, package", [(0, "pkcs11"), (1, "PyKCS11")])
def test_the_python_programs_work(programs, tmp_path, number, package):
    program = tmp_path / "program.py"
    program.write_text(pages.blocks("use/python.md", "python")[number])
    check = f"import {package}"
    assert programs.run(sys.executable, "-c", check, env={"PYTHONPATH": ""}) == ""
    programs.run(sys.executable, program, env={"PYTHONPATH": ""})


def test_each_page_is_listed_and_tested():
    listed = set(re.findall(r"\]\(([\w-]+)\.md\)", (FOLDER / "README.md").read_text()))
    written = {path.stem for path in FOLDER.glob("*.md")} - {"README"}
    assert written - {"init-token"} == listed - {"../PROTOCOL"}
    assert written - {"python"} == set(PROGRAMS)
