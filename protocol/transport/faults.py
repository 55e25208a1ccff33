"""A bad network around any transport: what it does follows from the plan, the seed and the clock.

Each direction is a lane. A message on a lane may be dropped, doubled or late; late messages keep
their order, except the reordered ones, which are held back while others overtake. A partition
drops everything both ways and leaves the connection standing: only the silence tells.
"""

import asyncio
import math
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import cast

from protocol.errors import NotConnectedError, TransportError
from protocol.transport import Message, Peer, Transport


class NetworkFault(StrEnum):
    """What can happen to a message."""

    DROP = "drop"
    DUPLICATE = "duplicate"
    DELAY = "delay"
    REORDER = "reorder"
    PARTITION = "partition"


def _unheard(_fault: NetworkFault) -> None:
    pass


@dataclass(frozen=True, slots=True)
class FaultPlan:
    """How bad the network is, in each direction. Rates are shares of the messages, 0 to 1."""

    drop: float = 0.0
    duplicate: float = 0.0
    delay_s: tuple[float, float] = (0.0, 0.0)
    """The least and the most that a message takes, drawn uniformly."""
    reorder: float = 0.0
    reorder_s: float = 0.1
    """How much longer a reordered message takes at most."""
    partitions: tuple[tuple[float, float], ...] = ()
    """Half-open intervals, in seconds since `run` began, in which nothing passes."""


class _Lane:
    """One direction. `deliver` is called at once where nothing is late, else from a timer."""

    def __init__(
        self, plan: FaultPlan, rng: random.Random, told: Callable[[NetworkFault], None]
    ) -> None:
        self.plan = plan
        self._rng = rng
        self._told = told
        self._last_due = 0.0
        self._count = 0
        self._late: dict[int, asyncio.TimerHandle] = {}
        self.idle = asyncio.Event()
        self.idle.set()

    def carry(self, message: Message, deliver: Callable[[Message], None]) -> None:
        """Deliver one message now, late, twice or not at all."""
        # As many draws for every message: a change of one rate leaves the luck of the others.
        drop, double, reorder = (self._rng.random() for _ in range(3))
        if drop < self.plan.drop:
            self._told(NetworkFault.DROP)
            return
        self._carry_once(message, deliver, reordered=reorder < self.plan.reorder)
        if double < self.plan.duplicate:
            self._told(NetworkFault.DUPLICATE)
            self._carry_once(message, deliver, reordered=False)

    def clear(self) -> None:
        """Lose what is under way."""
        for timer in self._late.values():
            timer.cancel()
        self._late.clear()
        self.idle.set()

    def _carry_once(
        self, message: Message, deliver: Callable[[Message], None], *, reordered: bool
    ) -> None:
        loop = asyncio.get_running_loop()
        now = loop.time()
        due = now + self._rng.uniform(*self.plan.delay_s)
        if due > now:
            self._told(NetworkFault.DELAY)
        if reordered:
            self._told(NetworkFault.REORDER)
            due += self._rng.uniform(0.0, self.plan.reorder_s)
        elif self._late:  # stay behind them: timers that are due together fire in no order
            due = max(due, math.nextafter(self._last_due, math.inf))
        if due <= now:
            deliver(message)
            return
        if not reordered:
            self._last_due = due
        self._count += 1
        self.idle.clear()
        timer = loop.call_at(due, self._arrive, self._count, message, deliver)
        self._late[self._count] = timer

    def _arrive(self, number: int, message: Message, deliver: Callable[[Message], None]) -> None:
        del self._late[number]
        if not self._late:
            self.idle.set()
        with suppress(TransportError):  # nobody is left to tell: the message is lost
            deliver(message)


class FaultyTransport:
    """A transport whose messages suffer a `FaultPlan`, both ways.

    Args:
        inner: the transport underneath.
        plan: what goes wrong.
        seed: the same seed, traffic and clock give the same faults.
        told: hears of every fault, once for each message that suffers it.
    """

    def __init__(
        self,
        inner: Transport,
        plan: FaultPlan,
        *,
        seed: int | str,
        told: Callable[[NetworkFault], None] = _unheard,
    ) -> None:
        self.partitioned = False
        """Set it to cut the network by hand, whatever the plan says."""
        self._inner = inner
        self._plan = plan
        self._told = told
        self._out = _Lane(plan, random.Random(f"{seed}/out"), told)
        self._in = _Lane(plan, random.Random(f"{seed}/in"), told)
        self._began = 0.0
        self._connected = False
        self._bug: Exception | None = None

    async def run(self, peer: Peer) -> None:
        """Run the transport underneath; see `Transport`."""
        self._began = asyncio.get_running_loop().time()
        self._bug = None
        task = cast("asyncio.Task[None]", asyncio.current_task())
        try:
            await self._inner.run(_Between(peer, self, task))
        except asyncio.CancelledError:
            if self._bug is None:
                raise
            raise self._bug from None
        finally:
            self.turn(connected=False)

    def publish(self, message: Message) -> None:
        """Send a message through the faults; see `Transport`."""
        if not self._connected:
            raise NotConnectedError("not connected")
        if not self._cut():
            self._out.carry(message, self._inner.publish)

    async def flush(self) -> None:
        """Wait until what was published was handed over underneath, or lost."""
        await self._out.idle.wait()
        await self._inner.flush()

    def suffer(self, plan: FaultPlan) -> None:
        """Go on under another plan; what is under way stays so."""
        self._plan = self._out.plan = self._in.plan = plan

    def turn(self, *, connected: bool) -> None:
        """Note that the connection came or went; what is under way goes with it."""
        self._connected = connected
        self._out.clear()
        self._in.clear()

    def bring(self, message: Message, deliver: Callable[[Message], None]) -> None:
        """Take a message from the transport underneath through the faults."""
        if not self._cut():
            self._in.carry(message, deliver)

    def fail(self, bug: Exception) -> None:
        """Let `run`, which is about to be cancelled, raise what the peer raised."""
        self._bug = bug
        self._in.clear()

    def _cut(self) -> bool:
        elapsed_s = asyncio.get_running_loop().time() - self._began
        planned = any(start <= elapsed_s < end for start, end in self._plan.partitions)
        if planned or self.partitioned:
            self._told(NetworkFault.PARTITION)
            return True
        return False


@dataclass(frozen=True, slots=True)
class _Between:
    """Stands before the peer at the transport underneath."""

    peer: Peer
    link: FaultyTransport
    running: asyncio.Task[None]

    def will(self) -> Message | None:
        return self.peer.will()

    def filters(self) -> tuple[str, ...]:
        return self.peer.filters()

    def connected(self) -> None:
        self.link.turn(connected=True)
        self.peer.connected()

    def disconnected(self, reason: str) -> None:
        self.link.turn(connected=False)
        self.peer.disconnected(reason)

    def received(self, message: Message) -> None:
        self.link.bring(message, self._hand_over)

    def _hand_over(self, message: Message) -> None:
        # A late message comes from a timer: what the peer raises there must end `run` as well.
        try:
            self.peer.received(message)
        except Exception as bug:  # noqa: BLE001 - raised again by `run`
            self.link.fail(bug)
            self.running.cancel()
