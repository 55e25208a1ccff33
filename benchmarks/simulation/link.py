"""A party's way to the broker: through a bad network, and shut where the party is frozen or dead.

A message leaves in nobody's name, so that the network goes on while its sender is frozen. What
comes in is handed to the party, which may hold it.
"""

import asyncio
from collections.abc import Callable
from contextvars import Context
from dataclasses import fields, replace
from typing import Any, Final, cast

from benchmarks.simulation.party import Party
from protocol.errors import NotConnectedError
from protocol.transport import Message, Peer
from protocol.transport.faults import FaultPlan, FaultyTransport, NetworkFault
from protocol.transport.memory import MemoryBroker

PERFECT: Final = FaultPlan()


class Access:
    """A party's place in the network: what it suffers outlives its connections.

    Args:
        party: whose it is.
        broker: where it connects.
        client_id: as whom.
        seed: of its luck.
        told: hears of each fault that a message of its suffers.
    """

    def __init__(
        self,
        party: Party,
        broker: MemoryBroker,
        *,
        client_id: str,
        seed: str,
        told: Callable[[Party, NetworkFault], None],
    ) -> None:
        self.party = party
        self.client_id = client_id
        self.plan = PERFECT
        self.overheard: Callable[[str, Message], None] | None = None
        """Whoever listens in on what the party says and hears."""
        self.link: Link | None = None
        self._broker = broker
        self._seed = seed
        self._told = told
        self._lives = 0
        self._cut = False

    def connect(self) -> "Link":
        """Make the connection of a new life."""
        self._lives += 1
        network = FaultyTransport(
            self._broker.transport(self.client_id),
            self.plan,
            seed=f"{self._seed}/{self._lives}",
            told=lambda fault: self._told(self.party, fault),
        )
        network.partitioned = self._cut
        self.link = Link(self, network)
        return self.link

    def follow(self, former: "Access") -> None:
        """Take the place of a former party, and suffer what it suffered."""
        self.suffer(**{each.name: getattr(former.plan, each.name) for each in fields(FaultPlan)})
        self.cut(off=former._cut)  # noqa: SLF001 - another of the same class

    def suffer(self, **changes: Any) -> None:  # noqa: ANN401 - fields of a `FaultPlan`
        """Change what its messages suffer from now on."""
        self.plan = replace(self.plan, **changes)
        if self.link is not None:
            self.link.network.suffer(self.plan)

    def cut(self, *, off: bool) -> None:
        """Cut the party off from the network, unnoticed, or let it back in."""
        self._cut = off
        if self.link is not None:
            self.link.network.partitioned = off


class Link:
    """The transport of one life of a party."""

    def __init__(self, access: Access, network: FaultyTransport) -> None:
        self.network = network
        self.dead = False
        """Set it when the process is gone: nothing gets in or out any more."""
        self.access = access

    async def run(self, peer: Peer) -> None:
        """See `Transport`."""
        task = cast("asyncio.Task[None]", asyncio.current_task())
        await self.network.run(_Door(peer, self, task))

    def publish(self, message: Message) -> None:
        """See `Transport`."""
        if self.dead:
            raise NotConnectedError("the process is gone")
        if self.access.overheard is not None:
            self.access.overheard("says", message)
        Context().run(self.network.publish, message)

    async def flush(self) -> None:
        """See `Transport`."""
        if not self.dead:
            await self.network.flush()


class _Door:
    """Stands before the peer."""

    def __init__(self, peer: Peer, link: Link, running: asyncio.Task[None]) -> None:
        self._peer = peer
        self._link = link
        self._running = running
        self._party = link.access.party

    def will(self) -> Message | None:
        return self._peer.will()

    def filters(self) -> tuple[str, ...]:
        return self._peer.filters()

    def connected(self) -> None:
        self._enter(self._peer.connected)

    def disconnected(self, reason: str) -> None:
        self._enter(self._peer.disconnected, reason)

    def received(self, message: Message) -> None:
        if self._link.access.overheard is not None:
            self._link.access.overheard("hears", message)
        self._enter(self._peer.received, message)

    def _enter(self, method: Callable[..., None], *args: object) -> None:
        if not self._link.dead:
            if self._party.frozen:
                self._party.enter(self._late, method, args)
            else:
                self._party.enter(method, *args)

    def _late(self, method: Callable[..., None], args: tuple[object, ...]) -> None:
        """Do what was held; what the peer raises must end `run`, as it would have in time."""
        if self._link.dead:  # it died in its sleep
            return
        try:
            method(*args)
        except Exception as bug:  # noqa: BLE001 - raised again by `run`
            self._link.network.fail(bug)
            self._running.cancel()
