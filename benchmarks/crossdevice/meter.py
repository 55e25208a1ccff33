"""How much goes over the broker: a listener to everything counts it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

from protocol.transport import Message, Peer, Transport

P = TypeVar("P", bound=Peer)


class Meter:
    """A `Peer` that only listens."""

    def __init__(self) -> None:
        self.messages = 0
        self.bytes = 0

    def will(self) -> None:
        """Leave without a word."""

    def filters(self) -> tuple[str, ...]:
        """Listen to everything that agents say."""
        return ("$a2a/#",)

    def connected(self) -> None:
        """Count from now on."""

    def disconnected(self, reason: str) -> None:
        """Wait for the next connection."""

    def received(self, message: Message) -> None:
        """Count a message: its topic and its payload."""
        self.messages += 1
        self.bytes += len(message.topic) + len(message.payload)


@asynccontextmanager
async def listening(transport: Transport, peer: P) -> AsyncIterator[P]:
    """Let it listen for as long as the context lasts."""
    async with asyncio.TaskGroup() as group:
        connection = group.create_task(transport.run(peer), name=type(peer).__name__)
        try:
            yield peer
        finally:
            connection.cancel()
