# SPDX-License-Identifier: MIT
"""One program on the daemon's socket: p11-kit's framing outside, the board's connection inside.

Promises: the program gets an answer to each request or a closed connection, never silence;
whatever ends it (kill -9 too), its connection on the board is finalised; a program that stalls,
lies about lengths or stops reading costs nobody else anything.
"""

import asyncio
import contextlib
import struct

from p11board.board_link import Closed, LinkLost, Unsure
from p11board.rpc_bodies import error_body

CKR_DEVICE_ERROR = 0x30
CKR_DEVICE_REMOVED = 0x32

PATIENCE = 30  # seconds for the rest of a request, and for taking an answer
OPTIONS_MAX = 4096
BODY_MAX = 0x1000000 + 64  # what the board streams, and its head


class Refused(Exception):
    """The program does not speak the protocol; the text says what it did."""


class Client:
    """A connected program. number: its connection on the board."""

    def __init__(self, number, link, reader, writer, log):
        self.number = number
        self._link = link
        self._reader = reader
        self._writer = writer
        self._log = log

    async def run(self):
        """Serve until the program or the board is gone. Never raises but CancelledError."""
        opened = False
        try:
            offered = await self._read(1)
            opened = True
            version = await self._link.connect(self.number, offered[0])
            await self._write(bytes([version]))
            while True:
                await self._one()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # it went away
        except TimeoutError:
            self._log(f"client {self.number}: stalled for {PATIENCE} s, closed")
        except Refused as error:
            self._log(f"client {self.number}: {error}, closed")
        except Unsure:
            pass  # logged by the link; without its version byte the program cannot go on
        except Closed:
            self._log(f"client {self.number}: unknown to the board, closed")
        except LinkLost:
            pass
        finally:
            self._writer.transport.abort()
            if opened and not self._link.lost:
                await asyncio.shield(self._end())

    async def _end(self):
        with contextlib.suppress(Unsure, LinkLost):
            await self._link.end(self.number)

    async def _one(self):
        """One request and its answer."""
        head = await self._reader.readexactly(12)
        code, options, size = struct.unpack(">III", head)
        if options > OPTIONS_MAX or size > BODY_MAX:
            raise Refused(f"a request of {options} and {size} bytes")
        body = (await self._read(options + size))[options:]
        gone = False
        try:
            answer = await self._link.request(self.number, body)
        except Unsure:
            answer = error_body(CKR_DEVICE_ERROR)
        except LinkLost:
            answer = error_body(CKR_DEVICE_REMOVED)
            gone = True
        await self._write(struct.pack(">III", code, 0, len(answer)) + answer)
        if gone:
            raise LinkLost

    async def _read(self, size):
        async with asyncio.timeout(PATIENCE):
            return await self._reader.readexactly(size)

    async def _write(self, data):
        self._writer.write(data)
        async with asyncio.timeout(PATIENCE):
            await self._writer.drain()
