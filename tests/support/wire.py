"""A TCP wire between a client and a broker, which can be cut or fall silent."""

import asyncio
from contextlib import suppress
from typing import Self


class Wire:
    """Carries every connection made to `port` to `far_port`."""

    def __init__(self, far_port: int) -> None:
        self.silent = False
        """Swallow all that comes, while the connections stand."""
        self.carried = 0
        """How many connections were made so far."""
        self.idle = asyncio.Event()
        """Set when a connection has ended and none is left."""
        self._far_port = far_port
        self._ends: list[asyncio.StreamWriter] = []

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        self.cut()

    def cut(self) -> None:
        """End the connections without a word."""
        while self._ends:
            self._ends.pop().transport.abort()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self._far_port)
        except OSError:
            writer.transport.abort()
            return
        self._ends += writer, far_writer
        self.carried += 1
        self.idle.clear()
        async with asyncio.TaskGroup() as group:
            group.create_task(self._pump(reader, far_writer))
            group.create_task(self._pump(far_reader, writer))
        self.idle.set()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                if not self.silent:
                    writer.write(data)
        writer.close()
