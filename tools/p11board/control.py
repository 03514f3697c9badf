# SPDX-License-Identifier: MIT
"""Talking to a running daemon: status, release, resume, stop; starting one in the background."""

import json
import os
import socket
import subprocess
import sys
import time

from p11board.errors import TransportProblem
from p11board.places import control_path, log_path, private_directory

SECONDS = 90  # a release waits for the call that is running
START_SECONDS = 40


def ask(path, command):
    """One command to the daemon of a socket; returns its answer (a dict), None without daemon."""
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(SECONDS)
        try:
            line.connect(str(control_path(path)))
            line.sendall(json.dumps({"cmd": command}).encode() + b"\n")
            data = b""
            while not data.endswith(b"\n"):
                part = line.recv(65536)
                if not part:
                    break
                data += part
        except (FileNotFoundError, ConnectionError):
            return None
        except OSError as error:
            raise TransportProblem(f"the daemon does not answer ({error})") from None
    if not data:
        return None  # it is just ending
    try:
        return json.loads(data)
    except ValueError:
        raise TransportProblem("the daemon's answer makes no sense", "restart it") from None


def start(path, arguments):
    """Start a daemon in the background and wait until it serves. Raises TransportProblem."""
    private_directory(path)
    command = [sys.executable, "-m", "p11board", "serve", "--socket", str(path), *arguments]
    log = log_path(path)
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=descriptor,
            stderr=descriptor,
            start_new_session=True,
        )
    finally:
        os.close(descriptor)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        status = ask(path, "status")
        if status and status["state"] == "serving":
            return status
        if process.poll() is not None and not status:
            break
        time.sleep(0.05)
    lines = log.read_text(errors="replace").strip().splitlines()
    raise TransportProblem(
        f"the daemon has no board: {lines[-1] if lines else 'it says nothing'}",
        "see `p11board doctor`",
    )
