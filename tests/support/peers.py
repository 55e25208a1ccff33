"""A peer that records what it hears, for tests of transports."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from protocol.transport import Message, Transport


class RecordingPeer:
    """Subscribes to `filters` and keeps what arrives; `on_connect` and `on_message` may react."""

    def __init__(self, *filters: str, will: Message | None = None) -> None:
        self.messages: list[Message] = []
        self.reasons: list[str] = []
        self.connections = 0
        self.on_connect: Callable[[], None] = lambda: None
        self.on_message: Callable[[Message], None] = lambda _: None
        self._filters = filters
        self._will = will
        self._news = asyncio.Event()

    @property
    def payloads(self) -> list[bytes]:
        return [message.payload for message in self.messages]

    def will(self) -> Message | None:
        return self._will

    def filters(self) -> tuple[str, ...]:
        return self._filters

    def connected(self) -> None:
        self.connections += 1
        self._news.set()
        self.on_connect()

    def disconnected(self, reason: str) -> None:
        self.reasons.append(reason)
        self._news.set()

    def received(self, message: Message) -> None:
        self.messages.append(message)
        self._news.set()
        self.on_message(message)

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not condition():
                self._news.clear()
                await self._news.wait()

    async def got(self, count: int) -> list[bytes]:
        """Wait for `count` messages in all; return the payloads of all there are."""
        await self.until(lambda: len(self.messages) >= count)
        return self.payloads


@contextlib.asynccontextmanager
async def connected(transport: Transport, peer: RecordingPeer) -> AsyncIterator[asyncio.Task]:
    """Run `transport` for `peer` inside the block, which begins once it is connected."""
    async with asyncio.TaskGroup() as group:
        running = group.create_task(transport.run(peer))
        await peer.until(lambda: peer.connections > 0)
        try:
            yield running
        finally:
            running.cancel()
