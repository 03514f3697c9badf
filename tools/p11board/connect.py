# SPDX-License-Identifier: MIT
"""`p11board connect`: standard input and output to the daemon's socket and back.

For p11-kit's `remote: |p11board connect`, which starts one per program. Promises: ends at once
when either side ends (p11-kit waits for it), and starts the daemon when there is none.
"""

import os
import selectors
import socket

from p11board import control
from p11board.errors import TransportProblem

PIECE = 65536


def open_socket(path, arguments):
    """A connection to the daemon, which is started if missing."""
    for attempt in range(2):
        line = socket.socket(socket.AF_UNIX)
        try:
            line.connect(str(path))
            return line
        except OSError:
            line.close()
        if attempt:
            break
        status = control.ask(path, "status")
        if status is None:
            control.start(path, arguments)
        elif status["state"] == "released":
            raise TransportProblem("the board is lent out", "take it back with `p11board resume`")
    raise TransportProblem(f"no board is served on {path}", "see `p11board doctor`")


def pump(line, source, sink):
    """Copy bytes both ways between a socket and two file descriptors until one side ends."""
    selector = selectors.DefaultSelector()
    selector.register(line, selectors.EVENT_READ)
    try:
        selector.register(source, selectors.EVENT_READ)
    except PermissionError:  # a regular file: always readable
        line.sendall(os.read(source, PIECE))
    while True:
        for key, _ in selector.select():
            try:
                if key.fileobj is line:
                    data = line.recv(PIECE)
                    _write(sink, data)
                else:
                    data = os.read(source, PIECE)
                    line.sendall(data)
            except OSError:
                return
            if not data:
                return


def _write(descriptor, data):
    while data:
        data = data[os.write(descriptor, data) :]
