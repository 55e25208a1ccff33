"""The shell of a device: it connects, runs skills, keeps time and writes the ledger.

What to do is decided by `session`, and done in order by way of the `outbox`.

While the network is away everything goes on; what could not be said is said again after hello.
While the ledger cannot be written nothing that depends on it leaves the process: the device says
that it drains and hears no orders (they are repeated), until writing succeeds again.
"""

import asyncio
import math
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import partial
from types import TracebackType
from typing import Final, Self

from agents.actions import (
    Action,
    Beat,
    CancelSkill,
    Deed,
    Resume,
    Say,
    StartSkill,
)
from agents.ledger import Ledger, LedgerError, MemoryLedger
from agents.outbox import Outbox
from agents.session import Session
from agents.skills import (
    BadInputError,
    BadOutputError,
    Context,
    LeaseLostError,
    PermanentError,
    Skill,
    SkillError,
    Skills,
    TemporaryError,
)
from protocol import telemetry, topics
from protocol.codec import (
    Request,
    RequestError,
    decode_order,
    encode_card,
    encode_heartbeat,
    encode_reply,
)
from protocol.codec.cards import Source, Status
from protocol.errors import LocalProtocolError, NotConnectedError, QueueFullError
from protocol.messages import Offer, Reply, Report
from protocol.telemetry import Level
from protocol.topics import Address
from protocol.transport import Message, Transport
from protocol.types import (
    AttemptId,
    DeviceCard,
    DeviceId,
    Failed,
    FailureKind,
    Json,
    Outcome,
    Succeeded,
)

STOP_S: Final = 5.0  # for skills to clean up, and for the last words to leave

_CANCELLED_ITSELF: Final = Failed(FailureKind.SKILL_ERROR, "the skill cancelled itself")
_KINDS: Final = (
    (BadInputError, FailureKind.BAD_INPUT),
    (BadOutputError, FailureKind.BAD_OUTPUT),
    (LeaseLostError, FailureKind.LEASE_LOST),
    (TemporaryError, FailureKind.TRANSIENT),
    (Exception, FailureKind.SKILL_ERROR),
)


def _anyone(_caller: str, _skill: str) -> bool:
    return True


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
        org: first part of its address.
        unit: second part of its address.
        allows: whether a caller (`org/unit/agent`) may use a skill.
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
        org: str = "muster",
        unit: str = "default",
        allows: Callable[[str, str], bool] = _anyone,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.skills = skills if isinstance(skills, Skills) else Skills(skills)
        card = DeviceCard(DeviceId(card)) if isinstance(card, str) else card
        self.card = replace(card, skills=self.skills.infos)
        self.address = Address(org, unit, card.device)
        self._transport = transport
        self._ledger = ledger or MemoryLedger()
        self._allows = allows
        self._clock = clock
        self._session = Session(
            self.card, self._ledger.incarnation, rows=self._ledger.rows(), permits=self._permits
        )
        self._tasks: dict[AttemptId, asyncio.Task[None]] = {}
        self._questions: dict[AttemptId, asyncio.Future[Json]] = {}
        self._outbox = Outbox(self._ledger, self._perform, self._troubled)
        self._idle = asyncio.Event()
        self._alarm: asyncio.TimerHandle | None = None
        self._alarm_at = math.inf

    async def run(self) -> None:
        """Be there until cancelled; then cancel the skills, say how they ended, and sign off.

        Raises:
            ExceptionGroup: of `RefusedLoginError`: the broker knows us and says no.
        """
        async with asyncio.TaskGroup() as group:
            connecting = self._transport.run(self)
            connection = group.create_task(connecting, name=f"{self.address} connection")
            try:
                async with asyncio.TaskGroup() as self._group:
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
        self._owner = await asyncio.TaskGroup().__aenter__()
        self._running = self._owner.create_task(self.run(), name=str(self.address))
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._running.cancel()
        if not isinstance(error, asyncio.CancelledError):
            kind = error = trace = None  # an error of the body stays as it is, outside any group
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
        """Take a request; malformed ones are answered where they say how."""
        if self._outbox.failing:
            return
        try:
            request = decode_order(message)
        except RequestError as error:
            telemetry.write(
                Level.DEBUG, "request_refused", device=str(self.address), reason=str(error)
            )
            if message.response_topic:
                self._publish(
                    encode_reply(
                        error.refused,
                        to=message.response_topic,
                        correlation=message.correlation,
                        request_id=error.request_id,
                    )
                )
        else:
            self._act(self._session.order(request, self._now()))

    def _now(self) -> float:
        return self._clock() if self._clock else asyncio.get_running_loop().time()

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

    def _perform(self, action: Deed) -> None:
        match action:
            case Say(reply, to):
                self._publish(_message(reply, to))
            case StartSkill(offer):
                self._start(offer)
            case Beat(heartbeat):
                self._publish(encode_heartbeat(heartbeat, self.address))
            case CancelSkill(attempt):
                if attempt in self._tasks:
                    self._tasks[attempt].cancel()
            case Resume(attempt, value):
                question = self._questions.pop(attempt, None)
                if question and not question.done():
                    question.set_result(value)

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

    def _start(self, offer: Offer) -> None:
        attempt = offer.attempt
        context = Context(
            attempt=attempt,
            run=offer.run,
            task=offer.task,
            token=offer.token,
            epoch=offer.epoch,
            on_progress=partial(self._progress, attempt),
            on_ask=partial(self._ask, attempt),
            lease_live=partial(self._lease_live, attempt),
        )
        running = self._attempt(self.skills[offer.skill], context, offer.args)
        task = self._group.create_task(running, name=f"{offer.skill} {attempt}")
        self._tasks[attempt] = task
        task.add_done_callback(partial(self._done, attempt))

    async def _attempt(self, skill: Skill, context: Context, args: Mapping[str, Json]) -> None:
        self._ended(context.attempt, await _outcome(skill, context, args))

    def _done(self, attempt: AttemptId, _task: asyncio.Task[None]) -> None:
        if attempt in self._tasks:  # cancelled, perhaps before it began
            self._ended(attempt, _CANCELLED_ITSELF)

    def _ended(self, attempt: AttemptId, outcome: Outcome) -> None:
        del self._tasks[attempt]
        self._act(self._session.finished(attempt, outcome, self._now()))
        if not self._tasks:
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

    def _lease_live(self, attempt: AttemptId) -> bool:
        return attempt in self._tasks and self._session.lease_live(attempt, self._now())

    def _troubled(self, error: LedgerError | None) -> None:
        if error:
            telemetry.write(
                Level.ERROR, "ledger_failed", device=str(self.address), reason=str(error)
            )
        self._act(self._session.suspend(on=error is not None, now=self._now()))

    async def _leave(self) -> None:
        """Stop the skills, say how they ended, sign off; all of it in bounded time."""
        self._act(self._session.stop())
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self._outbox.settle()
                while self._tasks:
                    self._idle.clear()
                    await self._idle.wait()
                await self._outbox.settle()
        self._publish(self._announcement("offline", "agent"))
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_S):
                await self._transport.flush()


async def _outcome(skill: Skill, context: Context, args: Mapping[str, Json]) -> Outcome:
    """Run a skill; whatever it raises is data from here on."""
    try:
        return Succeeded(await skill.call(context, args))
    except Exception as error:  # noqa: BLE001  the boundary of an attempt: its bug fails it alone
        telemetry.write(
            Level.DEBUG,
            "skill_failed",
            skill=skill.info.name,
            attempt=context.attempt,
            exc_info=error,
        )
        kind = next(kind for cls, kind in _KINDS if isinstance(error, cls))
        detail = (
            str(error) if isinstance(error, SkillError) else f"{type(error).__name__}: {error}"
        )
        retry_after_s = error.retry_after_s if isinstance(error, TemporaryError) else None
        return Failed(kind, detail.encode(errors="replace").decode(), retry_after_s)


def _message(reply: Reply, to: Request) -> Message:
    try:
        return encode_reply(
            reply,
            to=to.reply_to,
            correlation=to.correlation,
            request_id=to.request_id,
            form=to.form,
        )
    except LocalProtocolError as error:
        # A skill that bypasses the output check: its coordinator still learns that it is over.
        if not isinstance(reply, Report):
            raise
        return _message(replace(reply, outcome=Failed(FailureKind.BAD_OUTPUT, str(error))), to)
