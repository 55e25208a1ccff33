"""Counts what a coordinator sends and hears. A message is one publish, whoever made it.

All messages of the devices go to the coordinator and the other way round, so counting there counts
every one, heartbeats, renewals and acknowledgements included.
"""

from collections import defaultdict

from protocol import topics
from protocol.topics import Kind
from protocol.transport import Message, Peer, Transport


class Counted:
    """A transport, and the peer of the one inside."""

    def __init__(self, inner: Transport) -> None:
        self.sizes: dict[Kind, list[int]] = defaultdict(list)
        """Bytes of each payload, by what its topic is for."""
        self._inner = inner

    @property
    def messages(self) -> int:
        """How many messages passed so far."""
        return sum(map(len, self.sizes.values()))

    async def run(self, peer: Peer) -> None:
        """See `Transport`."""
        self._peer = peer
        await self._inner.run(self)

    def publish(self, message: Message) -> None:
        """See `Transport`."""
        self._count(message)
        self._inner.publish(message)

    async def flush(self) -> None:
        """See `Transport`."""
        await self._inner.flush()

    def will(self) -> Message | None:
        """See `Peer`."""
        return self._peer.will()

    def filters(self) -> tuple[str, ...]:
        """See `Peer`."""
        return self._peer.filters()

    def connected(self) -> None:
        """See `Peer`."""
        self._peer.connected()

    def disconnected(self, reason: str) -> None:
        """See `Peer`."""
        self._peer.disconnected(reason)

    def received(self, message: Message) -> None:
        """See `Peer`."""
        self._count(message)
        self._peer.received(message)

    def _count(self, message: Message) -> None:
        topic = topics.parse(message.topic)
        assert topic is not None
        self.sizes[topic.kind].append(len(message.payload))
