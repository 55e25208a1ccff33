"""The shell of a device: it connects, keeps time, and has done what the session decides.

| module | part of the shell |
| --- | --- |
| `outbox` | what `session` decides, in order, each after the rows that precede it |
| `running` | skills at work |
| `sending` | what is said, as messages |
| `warm.keeper` | loads and evictions of what is kept warm |
| `prefetching` | artifacts that are fetched ahead |

While the network is away everything goes on; what could not be said is said again after hello.
While the ledger cannot be written nothing that depends on it leaves the process: the device says
that it drains and hears no orders (they are repeated), until writing succeeds again.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Final, Self

from agents.actions import (
    Action,
    Beat,
    CancelSkill,
    Deed,
    DropArtifacts,
    EvictResource,
    FetchAhead,
    LoadResource,
    ReconcileSkill,
    Resume,
    Say,
    StartSkill,
)
from agents.admission import anyone
from agents.artifacts import Artifacts
from agents.draining import ORDER, unpowered
from agents.given import FORMS
from agents.ledger import Ledger, LedgerError, MemoryLedger
from agents.outbox import Outbox
from agents.prefetching import Prefetching
from agents.running import Running
from agents.sending import Sending
from agents.session import Session
from agents.skills import Skill, Skills
from agents.warm.adapters import ResourceKind
from agents.warm.keeper import Keeper, pool_of
from protocol import telemetry, topics
from protocol.alarm import Alarm
from protocol.background import Background
from protocol.codec import (
    RequestError,
    decode_orders,
)
from protocol.given import check_given
from protocol.messages import Heartbeat
from protocol.telemetry import Level
from protocol.topics import Address
from protocol.transport import Message, Transport
from protocol.types import (
    DeviceCard,
    DeviceId,
)

STOP_S: Final = 5.0  # for skills to clean up, and for the last words to leave


class Agent:
    """A device: skills, a ledger, and a connection to whoever may use them.

    ```python
    async with Agent("laptop", [count_words], transport=broker.transport("laptop")):
        ...
    ```

    Args:
        card: the device, or its id; its skills are taken from `skills`.
        skills: what it can do.
        transport: its connection.
        ledger: what outlives a crash; in memory if left out. Closed by whoever opened it.
        artifacts: what to do with content too big for a message; if left out, refuse it.
        resources: kind → what may be kept warm of it, and how that is loaded.
        org: first part of its address.
        unit: second part of its address.
        allows: whether a caller (`org/unit/agent`) may use a skill.
        powered: adds to heartbeats what is left of a battery.
        clock: elapsed seconds; the loop's clock if left out. One that counts suspended time lets
            leases lapse while a laptop sleeps.

    Raises:
        LocalProtocolError: the id, `org` or `unit` cannot be part of an address.
    """

    def __init__(
        self,
        card: DeviceCard | str,
        skills: Iterable[Skill] | Skills,
        *,
        transport: Transport,
        ledger: Ledger | None = None,
        artifacts: Artifacts | None = None,
        resources: Mapping[str, ResourceKind] | None = None,
        org: str = "muster",
        unit: str = "default",
        allows: Callable[[str, str], bool] = anyone,
        powered: Callable[[Heartbeat], Heartbeat] = unpowered,
        clock: Callable[[], float] | None = None,
    ) -> None:
        check_given(locals(), FORMS)
        self.skills = skills if isinstance(skills, Skills) else Skills(skills)
        card = DeviceCard(DeviceId(card)) if isinstance(card, str) else card
        kinds = dict(resources or {})
        capacity = {kind: each.capacity for kind, each in kinds.items()}
        self.card = replace(
            card,
            skills=self.skills.infos,
            capacity={**card.capacity, **capacity},
            prefetches=artifacts is not None,
        )
        self.address = Address(org, unit, card.device)
        self._transport = transport
        self._ledger = ledger or MemoryLedger()
        self._prefetching = Prefetching(artifacts) if artifacts else None
        self._allows = allows
        self._powered, self._clock = powered, clock
        self._session = Session(
            self.card,
            self._ledger.incarnation,
            rows=self._ledger.rows(),
            permits=self._permits,
            reconciles={name for name, each in self.skills.items() if each.reconcile},
            pool=pool_of(kinds),
        )
        self._keeper = Keeper(kinds, self._session.warming, self._act, self._now)
        self._outbox = Outbox(self._ledger, self._perform, self._troubled)
        self._sending = Sending(self.card, self.address, transport)
        self._running = Running(
            self.skills,
            self._session,
            act=self._act,
            now=self._now,
            artifacts=artifacts,
            handle=self._keeper.handle,
            rests=self._outbox.hurry,  # nothing else can end in this turn
        )
        self._alarm = Alarm(self._ring)  # one, however many attempts there are

    async def run(self) -> None:
        """Be there until cancelled; then cancel the skills, say how they ended, and sign off.

        Raises:
            ExceptionGroup: of `RefusedLoginError`: the broker knows us and says no.

        A bug that a callback of the loop meets ends it too.
        """
        self._loop = asyncio.get_running_loop()  # skills may ask for the time in a thread
        self._failed: asyncio.Future[None] = self._loop.create_future()
        async with asyncio.TaskGroup() as group:
            connecting = self._transport.run(self)
            connection = group.create_task(connecting, name=f"{self.address} connection")
            try:
                async with asyncio.TaskGroup() as self._group:
                    self._keeper.start(self._group)
                    self._act(self._session.resume())
                    try:
                        await self._failed
                    finally:
                        await self._leave()
            finally:
                connection.cancel()
                self._outbox.close()
                self._alarm.close()

    async def __aenter__(self) -> Self:
        self._owner = await Background().__aenter__()
        self._life = self._owner.create_task(self.run(), name=str(self.address))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._life.cancel()
        await self._owner.__aexit__(kind, error, trace)

    # The connection's owner (`protocol.transport.Peer`).

    def will(self) -> Message | None:
        """Say `offline` when the connection is lost."""
        return self._sending.card("offline", "lwt")

    def filters(self) -> tuple[str, ...]:
        """Listen to requests."""
        return (topics.request(self.address),)

    def connected(self) -> None:
        """Announce the device and ask for a hello."""
        telemetry.write(Level.INFO, "connected", device=str(self.address))
        self._act(self._session.connected(self._now()))

    def disconnected(self, reason: str) -> None:
        """Go on without the network."""
        telemetry.write(Level.INFO, "disconnected", device=str(self.address), reason=reason)
        self._session.disconnected()

    def received(self, message: Message) -> None:
        """Take its requests; malformed ones are answered where they say how."""
        if self._outbox.failing:
            return
        actions: list[Action] = []
        for request in decode_orders(message):
            if isinstance(request, RequestError):
                telemetry.write(
                    Level.DEBUG, "request_refused", device=str(self.address), reason=str(request)
                )
                self._sending.refuse(message, request)
            else:
                actions += self._session.order(request, self._now())
        self._act(actions)

    def _now(self) -> float:
        return self._clock() if self._clock else self._loop.time()

    def _permits(self, reply_to: str, skill: str) -> bool:
        topic = topics.parse(reply_to)
        return self._allows(str(topic.address) if topic else "", skill)

    def _act(self, actions: Iterable[Action]) -> None:
        self._outbox.put(actions)
        self._alarm.set(self._session.next_deadline(), now=self._now())

    def _ring(self) -> None:
        try:
            self._act(self._session.tick(self._now()))
        except Exception as bug:  # noqa: BLE001  raised again by `run`
            self._fail(bug)

    def _perform(self, deeds: Iterable[Deed]) -> None:
        try:
            for deed in deeds:
                self._do(deed)
            self._sending.flush()
        except Exception as bug:  # noqa: BLE001  raised again by `run`
            self._fail(bug)

    def _fail(self, bug: Exception) -> None:
        """End with what a callback of the loop met: nobody else would hear of it."""
        if not self._failed.done():
            self._failed.set_exception(bug)

    def _do(self, deed: Deed) -> None:
        match deed:
            case Say():
                self._sending.reply(deed)
            case StartSkill() | ReconcileSkill():
                self._running.start(deed, self._group)
            case Beat(heartbeat, announces):
                self._sending.beat(self._powered(heartbeat), announces=announces)
            case CancelSkill(attempt):
                self._running.cancel(attempt)
            case Resume(attempt, value):
                self._running.resume(attempt, value)
            case LoadResource() | EvictResource():
                self._keeper.do(deed, self._group)
            case FetchAhead() | DropArtifacts():
                if self._prefetching:
                    self._prefetching.do(deed, self._group)

    def _troubled(self, error: LedgerError | None) -> None:
        if error:
            telemetry.write(
                Level.ERROR, "ledger_failed", device=str(self.address), reason=str(error)
            )
        self._act(self._session.suspend(on=error is not None, now=self._now()))

    async def drain(self) -> None:
        """Take no more work, and wait until all that has started is over."""
        self._act(self._session.order(ORDER, self._now()))
        await self._running.idle()

    async def _leave(self) -> None:
        """Stop the skills, say how they ended, sign off; all of it in bounded time."""
        self._act(self._session.stop(self._now()))
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self._outbox.settle()
                while self._running.busy:
                    await self._running.idle()
                    await self._outbox.settle()
        self._running.close()
        self._sending.sign_off()
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                self._keeper.close(self._group)
                await self._transport.flush()
                await self._keeper.settle()
