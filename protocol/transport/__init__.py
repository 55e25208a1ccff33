"""The ways a message can travel, behind one `Transport`.

Guarantee, the same for every implementation and proved by one contract suite: **an unreliable,
at-least-once datagram layer**. A published message reaches each matching subscriber that is
connected zero, one or more times; messages of one publisher on one topic arrive in order unless
the connection was lost in between; nothing else is ordered. Retained messages and wills behave as
in MQTT 5. What must not be lost is kept by its sender until the receiver's own word for it.
"""

from dataclasses import dataclass
from typing import Protocol

__all__ = ["Message", "Peer", "Transport"]


@dataclass(frozen=True, slots=True)
class Message:
    """One MQTT 5 application message."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False
    response_topic: str | None = None
    correlation: bytes | None = None
    properties: tuple[tuple[str, str], ...] = ()
    """User properties, in order."""
    content_type: str | None = None


class Peer(Protocol):
    """The owner of a connection. Its methods are called on the loop, must not block or raise."""

    def will(self) -> Message | None:
        """Return the last will for the next connection."""

    def filters(self) -> tuple[str, ...]:
        """Return the topic filters to subscribe; they must not overlap."""

    def connected(self) -> None:
        """Be told that the subscriptions stand: announce, say hello, resend from the outbox."""

    def disconnected(self, reason: str) -> None:
        """Be told, once an outage, that there is no connection; a retry is under way."""

    def received(self, message: Message) -> None:
        """Take one message; none comes before `connected`."""


class Transport(Protocol):
    """One connection that keeps itself alive. It starts clean each time: no broker-side queue."""

    async def run(self, peer: Peer) -> None:
        """Connect and reconnect with back-off until cancelled.

        Raises:
            RefusedLoginError: the broker knows us and says no; retrying cannot help.

        What the peer itself raises is a bug, and ends `run` as it is.
        """

    def publish(self, message: Message) -> None:
        """Queue a message for sending and return at once.

        Raises:
            NotConnectedError: nothing was queued, the connection is down.
            QueueFullError: nothing was queued, the bounded queue is full.
            LocalProtocolError: nothing was queued, MQTT cannot carry it (say, a wildcard topic).
        """

    async def flush(self) -> None:
        """Wait until everything published so far was handed to the broker, or was lost."""
