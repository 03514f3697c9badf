# SPDX-License-Identifier: MIT
"""The daemon behind `p11board serve`: one board, one unix socket, many programs.

Promises: the port has one owner; the socket exists exactly while a board is being served, so that
a program without a board sees no token instead of an error; a board that is unplugged, reset or
replaced ends all its connections, and is served again when it is back, if it is the same token.
"""

import asyncio
import contextlib
import fcntl
import json
import os
import signal

from p11board.board_link import BoardLink, Closed, LinkLost, Unsure
from p11board.daemon_client import Client
from p11board.errors import Problem, TokenError, TransportProblem, UsageProblem
from p11board.places import control_path, lock_path, private_directory
from p11board.rpc_bodies import INITIALIZE, OFFERED, TOKEN_INFO, Reader, token_facts

RETRY = 1.0  # seconds between two looks for the board
LAST_WORDS = 1.0  # seconds clients have to be told that the board is gone

WAITING, SERVING, RELEASED = "waiting", "serving", "released"


class WrongToken(TransportProblem):
    """A board, but not the one that is meant."""


class Daemon:
    """path: of the socket. ports(): candidates, best first; raises Problem. token: serial number
    or label of the only token to be served, or None. log(text): one line."""

    def __init__(self, path, ports, token=None, log=print):
        self.path = path
        self.state = WAITING
        self.facts = None  # TokenFacts of the board served last
        self._ports = ports
        self._token = token
        self._serial = None  # of the first token served; another one is not taken for it
        self._log = log
        self._said = None
        self._link = None
        self._clients = {}  # number: task
        self._wanted = asyncio.Event()
        self._wanted.set()
        self._stopping = asyncio.Event()
        self._changed = asyncio.Condition()

    # --- life -----------------------------------------------------------------------------------

    async def run(self):
        """Serve until SIGTERM, SIGINT or `stop`. Raises Problem when it cannot begin."""
        private_directory(self.path)
        with _only_one(self.path):
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, self._stopping.set)
            control = await self._listen(control_path(self.path), self._control)
            try:
                await self._work()
            finally:
                control.close()
                control_path(self.path).unlink(missing_ok=True)

    async def _work(self):
        while not self._stopping.is_set():
            if not self._wanted.is_set():
                await self._set(RELEASED)
                await _first(self._wanted.wait(), self._stopping.wait())
                continue
            await self._set(WAITING)
            try:
                link = await self._attach()
            except UsageProblem:
                raise
            except Problem as problem:
                self._say(problem.line())
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RETRY):
                        await self._stopping.wait()
                continue
            self._said = None
            await self._serve(link)

    def _say(self, text):
        """Log something that would be said again at each attempt once only."""
        if text != self._said:
            self._said = text
            self._log(text)

    async def _set(self, state):
        async with self._changed:
            self.state = state
            self._changed.notify_all()

    # --- the board ------------------------------------------------------------------------------

    async def _attach(self):
        """Open the board's port; returns the link. Raises Problem."""
        problem = None
        for port in self._ports():
            link = BoardLink(port, self._log)
            try:
                await link.open()
                await self._identify(link)
                return link
            except (TransportProblem, LinkLost) as error:
                link.close()
                problem = problem or _as_problem(port, error)
        raise problem or TransportProblem(
            "no board found", "plug it in, or start the emulated one"
        )

    async def _identify(self, link):
        """Read whose token it is; give the board back if it is not the one we serve."""
        facts = None
        try:
            await link.connect(1, OFFERED)
            Reader(await link.request(1, INITIALIZE), 1)
            facts = token_facts(await link.request(1, TOKEN_INFO))
        except TokenError as error:
            self._say(f"{link.port}: the token cannot be opened: {error.line()}")
        except (ValueError, Unsure, Closed):
            self._say(f"{link.port}: the token does not say what it is")
        finally:
            if not link.lost:
                with contextlib.suppress(Unsure, Closed):
                    await link.end(1)
        names = facts.names() if facts else set()
        if self._token and self._token not in names:
            await link.release()
            raise WrongToken(f"{link.port}: not the token {self._token!r}", "waiting for it")
        if self._serial and (not facts or facts.serial != self._serial):
            await link.release()
            raise WrongToken(
                f"{link.port}: another token than before", "waiting for the first one"
            )
        if facts:
            self._serial = facts.serial
        self.facts = facts

    async def _serve(self, link):
        self._link = link
        label = (
            f"token {self.facts.label!r}, serial {self.facts.serial}" if self.facts else "no token"
        )
        server = await self._listen(self.path, self._accept)
        self._log(f"serving {link.hello.name} at {link.port} ({label}) on {self.path}")
        await self._set(SERVING)
        released = asyncio.ensure_future(self._unwanted())
        try:
            await _first(link.gone.wait(), self._stopping.wait(), released)
        finally:
            released.cancel()
            server.close()
            self.path.unlink(missing_ok=True)
            await self._dismiss()
            self._link = None
            if link.lost:
                self._log(f"{link.port}: {link.lost}")
                link.close()
            else:
                await link.release()
                self._log(f"{link.port}: given back")

    async def _unwanted(self):
        async with self._changed:
            while self._wanted.is_set():
                await self._changed.wait()

    async def _dismiss(self):
        """End all clients: those in a call get their answer first."""
        tasks = list(self._clients.values())
        if tasks and self._link.lost:
            await asyncio.wait(tasks, timeout=LAST_WORDS)
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks)

    # --- programs -------------------------------------------------------------------------------

    async def _listen(self, path, handler):
        path.unlink(missing_ok=True)
        mask = os.umask(0o177)
        try:
            return await asyncio.start_unix_server(handler, str(path))
        except OSError as error:
            raise TransportProblem(f"cannot listen on {path}: {error.strerror}") from None
        finally:
            os.umask(mask)

    async def _accept(self, reader, writer):
        link = self._link
        free = [n for n in range(1, link.hello.connections + 1) if n not in self._clients]
        if not free or link.lost:
            self._log(f"more than {link.hello.connections} programs at once, one refused")
            writer.transport.abort()
            return
        number = free[0]
        self._clients[number] = asyncio.current_task()
        try:
            await Client(number, link, reader, writer, self._log).run()
        except asyncio.CancelledError:
            writer.transport.abort()
        finally:
            del self._clients[number]

    # --- control --------------------------------------------------------------------------------

    async def _control(self, reader, writer):
        """One JSON line in, one out: status, release, resume, stop."""
        with contextlib.suppress(ConnectionError, ValueError, asyncio.LimitOverrunError):
            try:
                request = json.loads(await reader.readline())
                command = request.get("cmd") if isinstance(request, dict) else None
            except ValueError:
                command = None
            handler = getattr(self, f"_do_{command}", None) if isinstance(command, str) else None
            answer = await handler() if handler else {"error": f"no command {command!r}"}
            writer.write(json.dumps(answer).encode() + b"\n")
            await writer.drain()
        writer.close()

    async def _do_status(self):
        link = self._link
        return {
            "state": self.state,
            "pid": os.getpid(),
            "socket": str(self.path),
            "port": link.port if link else None,
            "board": link.hello.name if link else None,
            "locked": link.hello.locked if link else None,
            "clients": len(self._clients),
            "line": link.counters() if link else None,
            "token": vars(self.facts) if self.facts else None,
            "waiting_for": self._said if self.state == WAITING else None,
        }

    async def _do_release(self):
        self._wanted.clear()
        await self._until(RELEASED)
        return {"state": self.state}

    async def _do_resume(self):
        self._wanted.set()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(20):
                await self._until(SERVING)
        return await self._do_status()

    async def _do_stop(self):
        self._stopping.set()
        return {"state": "stopping"}

    async def _until(self, state):
        async with self._changed:
            self._changed.notify_all()
            while self.state != state and not self._stopping.is_set():
                await self._changed.wait()


def _as_problem(port, error):
    if isinstance(error, Problem):
        return error
    return TransportProblem(f"{port}: {error}")


async def _first(*waits):
    """Wait for the first of several; cancel the others."""
    tasks = [asyncio.ensure_future(wait) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()


@contextlib.contextmanager
def _only_one(path):
    """Hold the lock that says a daemon serves this socket."""
    with open(
        lock_path(path), "a+", opener=lambda name, flags: os.open(name, flags, 0o600)
    ) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise TransportProblem(
                f"a daemon serves {path} already", "see `p11board serve --status`"
            ) from None
        yield
