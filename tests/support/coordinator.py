"""The other side of the wire, as far as an agent's tests need one: it says and hears."""

import asyncio
import itertools
from typing import Self, TypeVar

from protocol import topics
from protocol.codec import (
    Announcement,
    PartialOutputs,
    decode_card,
    decode_event,
    decode_reply,
    encode_order,
    split,
)
from protocol.messages import Heartbeat, Order, Phase, Reply, Report
from protocol.topics import Address, Kind
from protocol.transport import Message, Transport
from protocol.types import Outcome

DEVICE = Address("muster", "default", "laptop")

T = TypeVar("T")


class ScriptedCoordinator:
    """Records what it hears; says only what a test tells it to.

    Args:
        transport: its connection.
        name: its agent id.
        to: the agent it talks to.
    """

    def __init__(
        self, transport: Transport, name: str = "coordinator", to: Address = DEVICE
    ) -> None:
        self.address = Address("muster", "default", name)
        self.replies: list[Reply] = []
        self.heartbeats: list[Heartbeat] = []
        self.cards: list[Announcement] = []
        self.messages: list[Message] = []
        self._to = to
        self._transport = transport
        self._outputs = PartialOutputs()
        self._numbers = itertools.count(1)
        self._news = asyncio.Event()
        self._read = 0

    async def __aenter__(self) -> Self:
        self._group = await asyncio.TaskGroup().__aenter__()
        self._running = self._group.create_task(self._transport.run(self))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        await self._group.__aexit__(None, None, None)

    def say(self, order: Order) -> None:
        """Send an order."""
        self._transport.publish(
            encode_order(
                order,
                to=self._to,
                reply_to=topics.reply(self.address, self._to.agent),
                correlation=b"%d" % next(self._numbers),
            )
        )

    async def reply(self, kind: type[T] = Report) -> T:
        """Return the next reply of this kind that was not returned yet."""
        while True:
            while self._read < len(self.replies):
                self._read += 1
                if isinstance(found := self.replies[self._read - 1], kind):
                    return found
            await self.news()

    async def outcome(self) -> Outcome:
        """Return the outcome of the next finished report."""
        while (report := await self.reply()).phase is not Phase.FINISHED:
            pass
        return report.outcome

    async def beat(self, **wanted: object) -> Heartbeat:
        """Return the next heartbeat with these attributes."""
        seen = len(self.heartbeats)
        while True:
            for each in self.heartbeats[seen:]:
                if all(getattr(each, name) == value for name, value in wanted.items()):
                    return each
            seen = len(self.heartbeats)
            await self.news()

    async def news(self) -> None:
        """Wait for the next message."""
        self._news.clear()
        await self._news.wait()

    def will(self) -> None:
        """See `Peer`."""

    def filters(self) -> tuple[str, ...]:
        """See `Peer`."""
        return (
            topics.reply_filter(self.address),
            topics.event_filter(),
            topics.discovery_filter(),
        )

    def connected(self) -> None:
        """See `Peer`."""
        self._news.set()

    def disconnected(self, reason: str) -> None:
        """See `Peer`."""

    def received(self, message: Message) -> None:
        """See `Peer`."""
        self.messages.append(message)
        match topics.parse(message.topic).kind:
            case Kind.REPLY:
                self.replies += [decode_reply(each, self._outputs) for each in split(message)]
            case Kind.EVENT:
                self.heartbeats.append(decode_event(message))
            case Kind.DISCOVERY:
                self.cards.append(decode_card(message))
        self._news.set()
