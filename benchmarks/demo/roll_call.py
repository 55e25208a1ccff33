"""Who is there? Waits for cards, so that nothing has to be asked again and again."""

import asyncio
from collections.abc import Iterable
from typing import Final

from protocol import topics
from protocol.codec import decode_card
from protocol.errors import RemoteProtocolError
from protocol.transport import Message, Transport

LIMIT_S: Final = 30.0


async def complete(transport: Transport, agents: Iterable[str]) -> None:
    """Wait until every one of these agents is online.

    Raises:
        TimeoutError: somebody did not come; the message says who.
    """
    roll = _Roll(agents)
    async with asyncio.TaskGroup() as group:
        connection = group.create_task(transport.run(roll), name="roll call")
        try:
            async with asyncio.timeout(LIMIT_S):
                await roll.complete.wait()
        except TimeoutError as error:
            raise TimeoutError(f"not online: {', '.join(sorted(roll.absent))}") from error
        finally:
            connection.cancel()


class _Roll:
    """Listens to cards (`protocol.transport.Peer`)."""

    def __init__(self, agents: Iterable[str]) -> None:
        self.absent = set(agents)
        self.complete = asyncio.Event()

    def will(self) -> None:
        """Leave without a word."""

    def filters(self) -> tuple[str, ...]:
        return (topics.discovery_filter(),)

    def connected(self) -> None:
        """Wait for what is retained."""

    def disconnected(self, reason: str) -> None:
        """Go on waiting."""

    def received(self, message: Message) -> None:
        try:
            seen = decode_card(message)
        except RemoteProtocolError:
            return
        if seen.status == "online":
            self.absent.discard(seen.address.agent)
        if not self.absent:
            self.complete.set()
