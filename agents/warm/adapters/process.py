"""Servers as child processes: started with a key, used while they are ready, stopped at the end.

A server is ready when a line of its output matches, when a URL answers with a status below 400,
or, where neither is given, when its port takes connections. In the command and the URL `{key}`
stands for the resource's key and `{port}` for the port, a free one unless one is given.
"""

import asyncio
import re
import socket
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from agents.keys import PLAIN, admit, filled
from agents.warm.adapters.children import Child

LOOK_EVERY_S: Final = 0.1  # whether it is ready: nothing tells
ANSWER_S: Final = 5.0
STOP_S: Final = 5.0  # to write what it must not lose


@dataclass(frozen=True, slots=True)
class Server:
    """A running server, as skills see it."""

    key: str
    port: int
    """Where it listens on 127.0.0.1, if it was told the port."""
    child: Child

    @property
    def url(self) -> str:
        """Where it answers, without a path."""
        return f"http://127.0.0.1:{self.port}"


class Servers:
    """The adapter.

    Args:
        command: the program and its arguments.
        ready_line: what a line of its output is searched for.
        ready_url: what must answer.
        port: where it listens; 0: a free one for each.
        environment: of the server, beyond a few common variables.
        folder: where it is started.
        stop_s: how long it may take to end.
        keys: which keys are allowed, as a whole.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        ready_line: re.Pattern[str] | None = None,
        ready_url: str = "",
        port: int = 0,
        environment: Mapping[str, str] | None = None,
        folder: Path | None = None,
        stop_s: float = STOP_S,
        keys: re.Pattern[str] = PLAIN,
    ) -> None:
        self._command = tuple(command)
        self._ready_line = ready_line
        self._ready_url = ready_url
        self._port = port
        self._environment = environment or {}
        self._folder = folder
        self._stop_s = stop_s
        self._keys = keys

    async def load(self, key: str) -> Server:
        """See `Adapter`."""
        admit(key, self._keys)
        port = self._port or _free_port()
        command = [filled(each, key=key, port=port) for each in self._command]
        child = await Child.start(command, environment=self._environment, folder=self._folder)
        server = Server(key, port, child)
        try:
            await self._ready(server)
        except BaseException:
            await child.stop()
            raise
        return server

    async def evict(self, handle: Server) -> None:
        """See `Adapter`."""
        await handle.child.stop(self._stop_s)

    def size(self, handle: Server) -> float | None:  # noqa: ARG002  what was expected counts
        """See `Adapter`."""
        return None

    async def alive(self, handle: Server) -> str:
        """See `Watched`."""
        await handle.child.ended()
        return str(handle.child.died())

    async def _ready(self, server: Server) -> None:
        said = asyncio.Event()

        def heard(tail: str) -> None:
            if self._ready_line and self._ready_line.search(tail):
                said.set()

        child = server.child
        async with asyncio.TaskGroup() as group:
            reading = group.create_task(child.ended(heard), name=f"output of {server.key}")
            reading.add_done_callback(lambda _: said.set())
            waiting = said.wait() if self._ready_line else self._answers(server)
            await waiting
            reading.cancel()
        if not child.running:
            raise child.died()

    async def _answers(self, server: Server) -> None:
        while server.child.running and not await self._is_there(server):  # noqa: ASYNC110  above
            await asyncio.sleep(LOOK_EVERY_S)

    async def _is_there(self, server: Server) -> bool:
        """Tell whether the URL, or else the port, answers."""
        url = urlsplit(filled(self._ready_url, key=server.key, port=server.port) or server.url)
        port = url.port or 80
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout(ANSWER_S):
                reader, writer = await asyncio.open_connection(url.hostname, port)
                try:
                    if not self._ready_url:
                        return True
                    path = (url.path or "/") + (f"?{url.query}" if url.query else "")
                    head = f"GET {path} HTTP/1.0\r\nHost: {url.hostname}:{port}\r\n\r\n"
                    writer.write(head.encode())
                    status = re.match(rb"HTTP/1\.\d ([1-3])\d\d", await reader.read(64))
                    return status is not None
                finally:
                    writer.close()
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
