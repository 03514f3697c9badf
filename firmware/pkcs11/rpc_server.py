# SPDX-License-Identifier: MIT
"""The RPC server: connections on one line (docs/PROTOCOL.md).

Promises: one Application per connection, finalised when the connection ends; every frame gets
exactly one answer, in the order the frames came; nothing is ever printed. Assumes: one thread.
`pkcs11.rpc.serve` puts this on the board's serial line.
"""

from struct import pack_into

from micropython import const
from p11crypto import random

from .errors import P11Error
from .rpc_dispatch import ROOM, Dispatcher
from .rpc_line import BAD_TYPE, END, HEADER, HELLO, MORE, PART, RPC, Line
from .rpc_stream import LongRequest

LINE_VERSION = const(1)
RPC_VERSION = const(2)
CHUNK = const(1024)  # bytes of payload in one frame from the host
CONNECTIONS = const(16)

LOCKED = const(1)  # flags of HELLO
DEVELOPMENT = const(2)

_FIXED = const(10)  # bytes of HELLO before the name


class Connection:
    """A client: its number, Application, offered version, and width of a CK_ULONG (bytes)."""

    def __init__(self, number, application, offered):
        self.number = number
        self.application = application
        self.offered = offered
        self.new = offered > 1  # mechanisms in the new encoding
        self.wide = 8


class Server:
    """Serves one line.

    source, sink: see rpc_line. application: function that returns a new Application. flags: of
    HELLO. name: board and firmware version, bytes.
    """

    def __init__(self, source, sink, application, flags, name):
        self._line = Line(source, sink, CHUNK, ROOM)
        self._dispatcher = Dispatcher(self._line)
        self._request = self._dispatcher.request
        self._long = LongRequest(self._line, self._dispatcher)
        self._connections = [None] * (CONNECTIONS + 1)
        self._application = application
        self._flags = flags
        self._name = name
        self._boot = bytearray(4)
        random(self._boot)

    def serve(self):
        """Serve until END on connection 0 comes."""
        line = self._line
        self._greet()
        while True:
            size = line.receive()
            try:
                if self._handle(line.frame[1], line.frame[2], size):
                    return
            except Exception as error:  # no memory for another connection
                self._dispatcher.log(type(error).__name__ + " in the server")
                line.send(END, line.frame[2], 0)
            line.abandoned = False

    def _handle(self, kind, number, size):
        """Answer one frame; return whether it was the last one."""
        line = self._line
        if line.abandoned or not kind & PART:
            self._long.drop()
        if number > CONNECTIONS or (not number and kind & ~(MORE | PART) == RPC):
            line.bad(BAD_TYPE)
        elif kind == HELLO:
            self._hello(number, size)
        elif kind == END:
            self._close(number)
            line.send(END, number, 0)
            return not number
        else:
            connection = self._connections[number]
            if connection is None:
                line.send(END, number, 0)
            elif kind == RPC:
                request = self._request  # points at the frame already
                request.at = HEADER
                request.end = HEADER + size
                self._dispatcher.execute(connection)
            else:
                self._long.take(kind, connection, size)
        return False

    def _hello(self, number, size):
        self._close(number)
        line = self._line
        if not number:
            self._greet()
            return
        offered = line.frame[HEADER] if size else 0
        self._connections[number] = Connection(number, self._application(), offered)
        line.out[HEADER] = min(offered, RPC_VERSION)
        line.send(HELLO, number, 1)

    def _greet(self):
        """Send HELLO for the line itself."""
        line = self._line
        name = self._name
        pack_into(
            ">BBHBB4s",
            line.out,
            HEADER,
            LINE_VERSION,
            RPC_VERSION,
            CHUNK,
            CONNECTIONS,
            self._flags,
            self._boot,
        )
        end = HEADER + _FIXED + len(name)
        line.out_view[HEADER + _FIXED : end][:] = name
        line.send(HELLO, 0, _FIXED + len(name))

    def _close(self, number):
        """Finalise a connection, all of them for number 0."""
        connections = self._connections
        for which in (number,) if number else range(1, CONNECTIONS + 1):
            connection = connections[which]
            if connection is not None:
                connections[which] = None
                try:
                    connection.application.C_Finalize()
                except P11Error:  # it was not initialised
                    pass
