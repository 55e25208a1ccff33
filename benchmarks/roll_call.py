"""Who is there? Listens to cards, so that nothing has to be asked again and again."""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Final

from protocol import topics
from protocol.codec import decode_card
from protocol.errors import RemoteProtocolError
from protocol.transport import Message, Transport

LIMIT_S: Final = 30.0


class MissingError(Exception):
    """Somebody did not come in time; the message says who."""


class RollCall:
    """The agents that are online, as their cards say (`protocol.transport.Peer`)."""

    def __init__(self) -> None:
        self.online: set[str] = set()
        self._news = asyncio.Event()

    async def present(self, agents: Collection[str]) -> None:
        """Wait until every one of these is online.

        Raises:
            MissingError: they are not, after half a minute.
        """
        try:
            async with asyncio.timeout(LIMIT_S):
                while not self.online.issuperset(agents):
                    await self._change()
        except TimeoutError as error:
            absent = ", ".join(sorted(set(agents) - self.online))
            raise MissingError(f"not online after {LIMIT_S:g} s: {absent}") from error

    async def back(self, agent: str) -> None:
        """Wait until one that has just been killed is seen to be gone, and to be there again."""
        async with asyncio.timeout(LIMIT_S):
            while agent in self.online:
                await self._change()
        await self.present([agent])

    async def _change(self) -> None:
        self._news.clear()
        await self._news.wait()

    def will(self) -> None:
        """Leave without a word."""

    def filters(self) -> tuple[str, ...]:
        """Listen to cards."""
        return (topics.discovery_filter(),)

    def connected(self) -> None:
        """Wait for what is retained."""

    def disconnected(self, reason: str) -> None:
        """Wait for the next connection."""

    def received(self, message: Message) -> None:
        """Take a card."""
        try:
            seen = decode_card(message)
        except RemoteProtocolError:
            return
        if seen.status == "online":
            self.online.add(seen.address.agent)
        else:
            self.online.discard(seen.address.agent)
        self._news.set()


@asynccontextmanager
async def roll_call(transport: Transport) -> AsyncIterator[RollCall]:
    """Listen for as long as the context lasts."""
    roll = RollCall()
    async with asyncio.TaskGroup() as group:
        connection = group.create_task(transport.run(roll), name="roll call")
        try:
            yield roll
        finally:
            connection.cancel()
