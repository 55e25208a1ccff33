"""The shell of a device: it connects, runs skills, keeps time and writes the ledger.

What to do is decided by `session`, and done in order by way of the `outbox`.

While the network is away everything goes on; what could not be said is said again after hello.
While the ledger cannot be written nothing that depends on it leaves the process: the device says
that it drains and hears no orders (they are repeated), until writing succeeds again.
"""

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Final, Self, TypeAlias

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
from agents.attempt import NOTHING, Fetched
from agents.calls import CANCELLED_ITSELF, NOT_LOOKED_UP, do, look_up
from agents.draining import ORDER, unpowered
from agents.ledger import Ledger, LedgerError, MemoryLedger
from agents.outbox import Outbox
from agents.prefetching import Prefetching
from agents.reports import encoded
from agents.session import Session
from agents.skills import Context, PermanentError, Skill, Skills, unnamed
from agents.warm.adapters import ResourceKind
from agents.warm.keeper import Keeper, pool_of
from protocol import telemetry, topics
from protocol.background import Background
from protocol.codec import (
    Batches,
    RequestError,
    decode_orders,
    encode_card,
    encode_heartbeat,
    encode_refusal,
)
from protocol.codec.cards import Source, Status
from protocol.errors import LocalProtocolError, NotConnectedError, QueueFullError
from protocol.messages import Heartbeat, Held, Offer
from protocol.telemetry import Level
from protocol.topics import Address
from protocol.transport import Message, Transport
from protocol.types import (
    AttemptId,
    DeviceCard,
    DeviceId,
    Json,
    Outcome,
)

STOP_S: Final = 5.0  # for skills to clean up, and for the last words to leave

Call: TypeAlias = Callable[[Skill, Context, Mapping[str, Json]], Awaitable[Outcome]]


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
        self._artifacts = artifacts
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
        self._tasks: dict[AttemptId, asyncio.Task[None]] = {}
        self._questions: dict[AttemptId, asyncio.Future[Json]] = {}
        self._outbox = Outbox(self._ledger, self._perform, self._troubled)
        self._replies = Batches(self._publish)
        self._idle = asyncio.Event()
        self._left = False
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = math.inf

    async def run(self) -> None:
        """Be there until cancelled; then cancel the skills, say how they ended, and sign off.

        Raises:
            ExceptionGroup: of `RefusedLoginError`: the broker knows us and says no.
        """
        self._loop = asyncio.get_running_loop()  # skills may ask for the time in a thread
        async with asyncio.TaskGroup() as group:
            connecting = self._transport.run(self)
            connection = group.create_task(connecting, name=f"{self.address} connection")
            try:
                async with asyncio.TaskGroup() as self._group:
                    self._keeper.start(self._group)
                    self._act(self._session.resume())
                    try:
                        await asyncio.Event().wait()
                    finally:
                        await self._leave()
            finally:
                connection.cancel()
                self._outbox.close()
                if self._alarm:
                    self._alarm.cancel()

    async def __aenter__(self) -> Self:
        self._owner = await Background().__aenter__()
        self._running = self._owner.create_task(self.run(), name=str(self.address))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.cancel()
        await self._owner.__aexit__(kind, error, trace)

    # The connection's owner (`protocol.transport.Peer`).

    def will(self) -> Message | None:
        """Say `offline` when the connection is lost."""
        return self._announcement("offline", "lwt")

    def filters(self) -> tuple[str, ...]:
        """Listen to requests."""
        return (topics.request(self.address),)

    def connected(self) -> None:
        """Announce the device and ask for a hello."""
        telemetry.write(Level.INFO, "connected", device=str(self.address))
        self._publish(self._announcement("online", "agent"))
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
                self._refuse(message, request)
            else:
                actions += self._session.order(request, self._now())
        self._act(actions)

    def _refuse(self, message: Message, error: RequestError) -> None:
        telemetry.write(
            Level.DEBUG, "request_refused", device=str(self.address), reason=str(error)
        )
        if refusal := encode_refusal(error, message):
            self._publish(refusal)

    def _now(self) -> float:
        return self._clock() if self._clock else self._loop.time()

    def _permits(self, reply_to: str, skill: str) -> bool:
        topic = topics.parse(reply_to)
        return self._allows(str(topic.address) if topic else "", skill)

    def _announcement(self, status: Status, source: Source) -> Message:
        return encode_card(self.card, address=self.address, status=status, source=source)

    def _act(self, actions: Iterable[Action]) -> None:
        self._outbox.put(actions)
        self._set_alarm()

    def _set_alarm(self) -> None:
        """Wake up for the session's next deadline: one timer, however many attempts there are."""
        due = self._session.next_deadline()
        if due < self._alarm_at:
            if self._alarm:
                self._alarm.cancel()
            self._alarm_at = due
            loop = asyncio.get_running_loop()
            self._alarm = loop.call_later(max(0, due - self._now()), self._ring)

    def _ring(self) -> None:
        self._alarm_at = math.inf
        self._act(self._session.tick(self._now()))

    def _perform(self, deeds: Iterable[Deed]) -> None:
        for deed in deeds:
            self._do(deed)
        self._replies.flush()

    def _do(self, deed: Deed) -> None:
        match deed:
            case Say(reply, to):
                # Whoever said hello knows the answer by its correlation.
                gathers = to.extension and not isinstance(reply, Held)
                send = self._replies.add if gathers else self._replies.send
                send(encoded(reply, to))
            case StartSkill(offer):
                self._start(offer, do, CANCELLED_ITSELF)
            case ReconcileSkill(offer):
                self._start(offer, look_up, NOT_LOOKED_UP)
            case Beat(heartbeat):
                self._publish(encode_heartbeat(self._powered(heartbeat), self.address))
            case CancelSkill(attempt):
                self._cancel(attempt)
            case Resume(attempt, value):
                self._resume(attempt, value)
            case LoadResource() | EvictResource():
                self._keeper.do(deed, self._group)
            case FetchAhead() | DropArtifacts():
                if self._prefetching:
                    self._prefetching.do(deed, self._group)

    def _publish(self, message: Message) -> None:
        """Send, or do not: what matters is kept by the session, and said again when asked for.

        A reply address that no broker takes is the caller's own loss.
        """
        try:
            self._transport.publish(message)
        except (NotConnectedError, QueueFullError, LocalProtocolError) as error:
            telemetry.write(
                Level.DEBUG,
                "unsent",
                device=str(self.address),
                topic=message.topic,
                reason=str(error),
            )

    def _start(self, offer: Offer, call: Call, stopped: Outcome) -> None:
        attempt = offer.attempt
        if self._left:
            return  # the ledger knows of it
        if late := self._session.begins(attempt, self._now()):
            self._act(self._session.finished(attempt, late, self._now()))
            return
        self._set_alarm()
        context = Context(
            attempt=attempt,
            run=offer.run,
            task=offer.task,
            token=offer.token,
            epoch=offer.epoch,
            on_progress=partial(self._progress, attempt),
            on_ask=partial(self._ask, attempt),
            lease_live=partial(self._lease_live, attempt),
            artifacts=self._artifacts,
            on_resource=partial(self._keeper.handle, offer) if offer.pins else unnamed,
        )
        running = self._attempt(
            attempt, partial(call, self.skills[offer.skill], context, offer.args)
        )
        task = self._group.create_task(running, name=f"{offer.skill} {attempt}")
        self._tasks[attempt] = task
        task.add_done_callback(partial(self._done, attempt, stopped))

    def _cancel(self, attempt: AttemptId) -> None:
        if attempt in self._tasks:
            self._tasks[attempt].cancel()

    async def _attempt(self, attempt: AttemptId, call: Callable[[], Awaitable[Outcome]]) -> None:
        self._ended(attempt, await call())

    def _done(self, attempt: AttemptId, stopped: Outcome, task: asyncio.Task[None]) -> None:
        if self._tasks.get(attempt) is task:  # cancelled, perhaps before it began
            self._ended(attempt, stopped)

    def _ended(self, attempt: AttemptId, outcome: Outcome) -> None:
        del self._tasks[attempt]
        cost = self._artifacts.cost(attempt) if self._artifacts else None
        fetched = Fetched(cost.size_bytes, cost.fetch_s, cost.waited_s) if cost else NOTHING
        self._act(self._session.finished(attempt, outcome, self._now(), fetched))
        if not self._tasks:
            self._outbox.hurry()  # nothing else can end in this turn
            self._idle.set()

    def _progress(self, attempt: AttemptId, share: float, note: str) -> None:
        if attempt in self._tasks:
            self._session.progress(attempt, share, note, self._now())
            self._set_alarm()

    async def _ask(self, attempt: AttemptId, question: str) -> Json:
        if attempt not in self._tasks or attempt in self._questions:
            raise PermanentError("a skill asks one question at a time, while it runs")
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._questions[attempt] = answer
        self._act(self._session.asked(attempt, question))
        try:
            return await answer
        finally:
            self._questions.pop(attempt, None)

    def _resume(self, attempt: AttemptId, answer: Json) -> None:
        question = self._questions.pop(attempt, None)
        if question and not question.done():
            question.set_result(answer)

    def _lease_live(self, attempt: AttemptId) -> bool:
        return attempt in self._tasks and self._session.lease_live(attempt, self._now())

    def _troubled(self, error: LedgerError | None) -> None:
        if error:
            telemetry.write(
                Level.ERROR, "ledger_failed", device=str(self.address), reason=str(error)
            )
        self._act(self._session.suspend(on=error is not None, now=self._now()))

    async def drain(self) -> None:
        """Take no more work, and wait until all that has started is over."""
        self._act(self._session.order(ORDER, self._now()))
        while self._tasks:
            self._idle.clear()
            await self._idle.wait()

    async def _leave(self) -> None:
        """Stop the skills, say how they ended, sign off; all of it in bounded time."""
        self._act(self._session.stop(self._now()))
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self._outbox.settle()
                while self._tasks:
                    self._idle.clear()
                    await self._idle.wait()
                    await self._outbox.settle()
        self._left = True
        self._publish(self._announcement("offline", "agent"))
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                self._keeper.close(self._group)
                await self._transport.flush()
                await self._keeper.settle()
