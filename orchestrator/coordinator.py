"""The shell around the engine: messages and timers in, journal, then orders out.

One loop owns the engine. State moves on at once; what it orders leaves only after the facts that
led to it are durable. Order of the durable: facts of one event together, events as they came.
"""

import asyncio
import json
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final, Protocol

from orchestrator import telemetry
from orchestrator.clock import loop_clock
from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core.engine import Decision, Engine
from orchestrator.core.errors import OrchestratorError, RequestError
from orchestrator.core.facts import VOLATILE, Fact, RunEnded
from orchestrator.core.model import Now
from orchestrator.core.retention.keeping import BY_INDEX, Keeping
from orchestrator.core.scheduling.improvement import Problem
from orchestrator.core.scheduling.policies import DEFAULT, DEFAULT_PARAMETERS, Parameters, Policy
from orchestrator.core.tuning import Tuning
from orchestrator.forms import check_form, not_json
from orchestrator.improving import Improver, Worker
from orchestrator.journal import Journal, JournalError
from orchestrator.journal.codec import check_json
from orchestrator.journal.contract import ignore
from orchestrator.outbox import Outbox
from orchestrator.planner import Planner
from orchestrator.planning import DEFAULT_SCRUTINY, Planning, Scrutiny
from orchestrator.promises import held_to_promise
from orchestrator.snapshots import Snapshots, recover
from orchestrator.wire import beat_of, event_of
from protocol import topics
from protocol.alarm import Alarm
from protocol.codec import (
    MAX_PAYLOAD_BYTES,
    PartialOutputs,
    decode_card,
    decode_event,
    decode_reply,
    split,
)
from protocol.errors import RemoteProtocolError
from protocol.inbox import Inbox
from protocol.messages import Refused
from protocol.telemetry import Level, write
from protocol.topics import Address, Kind
from protocol.transport import Message, Transport
from protocol.types import DeviceCard, DeviceId, Failed, FailureKind, RunId

ROLE: Final = "muster.role"
COORDINATOR: Final = "coordinator"
"""A card with this label is a coordinator, and no device."""
WAITING: Final = 65_536  # decisions that are not durable yet: about 100 MB
ANSWER_BYTES: Final = MAX_PAYLOAD_BYTES // 2
"""A message carries no more, with what else it says and how that is escaped."""
_FREE: Final = (e.Submit, e.PlanProposed, e.EditRequested, e.AnswerInput, e.SettleUnknown)
"""Events whose values come from a program, and not out of a message."""


class Front(Protocol):
    """Whoever answers requests that reach the coordinator itself."""

    def card(self, *, online: bool) -> Message:
        """Return the retained card."""

    def received(self, message: Message) -> None:
        """Take a request."""


class Coordinator:
    """Owns the engine, its journal and its connection. Run it in one task."""

    def __init__(
        self,
        transport: Transport,
        *,
        journal: Journal,
        planner: Planner | None,
        address: Address,
        tuning: Tuning | None = None,
        policy: Policy = DEFAULT,
        parameters: Parameters = DEFAULT_PARAMETERS,
        keeping: Keeping = BY_INDEX,
        clock: Callable[[], Now] = loop_clock,
        ended: Callable[[RunId], None] = ignore,
        scrutiny: Scrutiny = DEFAULT_SCRUTINY,
        improver: Improver | None = None,
    ) -> None:
        """Make one: `ended` hears of a run's end, once, when that is durable; see `Planning`.

        `improver` searches for better plans, where `tuning` wants that: a `Worker` if left out.
        """
        self.engine = Engine(tuning=tuning, policy=policy, parameters=parameters, keeping=keeping)
        self.journal = journal
        self.address = address
        self.front: Front | None = None
        self._planning = Planning(
            self.engine, planner, handle=self.handle, clock=clock, scrutiny=scrutiny
        )
        self._improver = improver or Worker()
        self._transport = transport
        self.clock = clock
        self._ended = ended
        self._outbox = Outbox(
            address,
            publish=transport.publish,
            card=self._card,
            unsayable=self._unsayable,
            clock=lambda: clock().elapsed,
        )
        self._waiting: deque[tuple[int, Decision]] = deque()
        self._awaited: deque[tuple[int, asyncio.Future[None]]] = deque()
        self._watchers: dict[RunId, set[asyncio.Event]] = {}
        self._snapshots = Snapshots(self.engine, journal)
        self._partial = PartialOutputs()
        self._inbox = Inbox()
        self._alarm = Alarm(lambda: self._take(e.TimePassed()))
        self._failed: asyncio.Future[None] | None = None
        self._lost: OrchestratorError | None = None

    # Life

    async def run(self, *, ready: Callable[[], None]) -> None:
        """Recover from the journal (entered by its owner), then serve until cancelled.

        Raises:
            JournalError: the journal failed: nothing more may be promised.
            RefusedLoginError: the broker says no.
        """
        self._failed = asyncio.get_running_loop().create_future()
        self.journal.on_durable = self._committed
        self.journal.on_failure = self._journal_failed
        try:
            async with asyncio.TaskGroup() as self._group:
                await self._recover()
                self._group.create_task(self._transport.run(self), name="connection")
                ready()
                await self._failed
        finally:
            self.journal.on_durable = ignore  # nobody is left to carry out what follows
            self._outbox.close()
            self._improver.close()
            self._snapshots.close()
            self._alarm.close()
            self._forsake(OrchestratorError("the coordinator has stopped"))

    async def _recover(self) -> None:
        recovered = await self.journal.recover()
        recover(self.engine, recovered)
        self._snapshots.recovered(recovered)
        last = recovered.last
        self.handle(e.Start(last.wall if last else None, last.elapsed if last else None))

    def _journal_failed(self, error: JournalError) -> None:
        self._fail(error)
        self._forsake(error)

    def _fail(self, error: Exception) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    def _forsake(self, error: OrchestratorError) -> None:
        """Tell those who wait for something to be durable that it will not be."""
        self._lost = error
        for _, done in self._awaited:
            if not done.done():
                done.set_exception(error)
        self._awaited.clear()

    # Events in

    def handle(self, event: e.Event) -> Decision:
        """Let the engine decide; its orders go out once the facts are durable.

        Raises:
            RequestError: see `Engine.decide`; or the event holds what is not JSON.
            JournalError: the journal has failed.
            OrchestratorError: it does not run yet.
        """
        if self._failed is None:
            raise OrchestratorError("enter it first: async with Orchestrator(...) as …")
        if isinstance(event, _FREE):
            _check(event)  # once it is applied, a fact that cannot be journaled is a gap
        telemetry.log(event)
        now = self.clock()
        decision = self.engine.decide(event, now=now)
        seq = self.journal.append(now, decision.facts)
        if decision.facts or decision.commands:
            self._snapshots.note(decision.facts)
            self._waiting.append((seq, decision))
            if self.journal.durable >= seq:
                self._durable(seq)
        self._alarm.set(self.engine.next_deadline(), now=now.elapsed)
        return decision

    def _durable(self, seq: int) -> None:
        waiting = self._waiting
        while waiting and waiting[0][0] <= seq:
            decision = waiting.popleft()[1]
            for command in decision.commands:
                self._perform(command)
            self._tell(decision.facts)
        self._outbox.flush()
        awaited = self._awaited
        while awaited and awaited[0][0] <= seq:
            done = awaited.popleft()[1]
            if not done.done():
                done.set_result(None)

    def _take(self, event: e.Event) -> None:
        """Handle an event in a callback of the loop: nobody else would hear what it raises."""
        try:
            self.handle(event)
        except Exception as bug:  # noqa: BLE001 - raised again by `run`
            self._fail(bug)

    def _committed(self, seq: int) -> None:
        try:
            self._durable(seq)
        except Exception as bug:  # noqa: BLE001 - raised again by `run`
            self._fail(bug)

    # Orders out

    def _perform(self, command: c.Command) -> None:
        telemetry.log(command)
        if isinstance(command, c.AskPlanner):
            self._group.create_task(self._planning.answer(command), name=f"plan {command.ask}")
        elif isinstance(command, c.ImprovePlan):
            self._group.create_task(self._improve(command.problem), name="improvement")
        else:
            self._outbox.perform(command)

    async def _improve(self, problem: object) -> None:
        assert isinstance(problem, Problem)  # noqa: S101 - nobody hands out anything else
        found = await self._improver.improve(problem)
        if found is not None:
            self.handle(e.PlanImproved(problem.number, tuple(found.order), tuple(found.device)))

    def _unsayable(self, command: c.Command, why: str) -> None:
        """Take an order that no message can carry: its attempt never starts."""
        write(Level.WARNING, "unsayable", command=type(command).__name__, reason=why)
        if isinstance(command, c.Offer):
            failed = Failed(FailureKind.BAD_INPUT, f"its arguments cannot be sent: {why}")
            event = e.AttemptFinished(command.device, command.attempt, failed, None)
            asyncio.get_running_loop().call_soon(self._take, event)

    # The connection's owner (`protocol.transport.Peer`)

    def will(self) -> Message | None:
        """Say that the coordinator is gone."""
        return self.front.card(online=False) if self.front else None

    def filters(self) -> tuple[str, ...]:
        """Listen to cards, events and replies, and to requests if somebody answers them."""
        org, unit = self.address.org, self.address.unit
        own = (topics.request(self.address),) if self.front else ()
        return (
            topics.discovery_filter(org, unit),
            topics.event_filter(org, unit),
            topics.reply_filter(self.address),
            *own,
        )

    def connected(self) -> None:
        """Announce ourselves and reconcile with every device."""
        write(Level.INFO, "connected", coordinator=str(self.address))
        if self.front:
            self._transport.publish(self.front.card(online=True))
        self.handle(e.Connected())

    def disconnected(self, reason: str) -> None:
        """Go on: deadlines decide what that means for each device."""
        write(Level.INFO, "disconnected", coordinator=str(self.address), reason=reason)

    def received(self, message: Message) -> None:
        """Take one message; what makes no sense is counted, and logged once a sender.

        While the journal is `WAITING` decisions behind, messages are lost, as in a network: the
        journal's pace is the pace of all.
        """
        topic = topics.parse(message.topic)
        if topic is None or len(self._waiting) >= WAITING:
            return
        try:
            match topic.kind:
                case Kind.REPLY:
                    for each in split(message):
                        self._reply(each, DeviceId(topic.suffix))
                case Kind.EVENT:
                    if (heartbeat := decode_event(message)) is not None:
                        self.handle(beat_of(heartbeat))
                case Kind.DISCOVERY:
                    self._card_seen(message)
                case Kind.REQUEST:
                    if self.front is not None:
                        self.front.received(message)
        except RemoteProtocolError as error:
            self._malformed(message, error)

    def _malformed(self, message: Message, error: RemoteProtocolError) -> None:
        if self._inbox.malformed(message.topic):
            write(Level.WARNING, "malformed_message", topic=message.topic, reason=str(error))

    def _reply(self, message: Message, device: DeviceId) -> None:
        try:
            reply = decode_reply(message, self._partial)
        except RemoteProtocolError as error:  # the others of its batch may make sense
            self._malformed(message, error)
            return
        if isinstance(reply, Refused):
            reply = replace(reply, request_id=self._outbox.request_of(reply.request_id))
        event = event_of(reply, device)
        if isinstance(event, e.Reconciled):
            asked_at = self._outbox.asked_at(device, message.correlation)
            event = None if asked_at is None else replace(event, asked_at=asked_at)
        elif isinstance(event, e.AttemptFinished):
            event = held_to_promise(event, self.engine.state)
        if event is not None:
            self.handle(event)

    def _card_seen(self, message: Message) -> None:
        seen = decode_card(message)
        if seen.address == self.address:
            return
        device = DeviceId(seen.address.agent)
        if seen.card is None:
            self.handle(e.Unregistered(device))
        elif seen.card.labels.get(ROLE) != COORDINATOR:
            self._outbox.announced(device, streaming=seen.streaming)
            self.handle(e.Announced(seen.card, seen.status == "online"))

    def _card(self, device: DeviceId) -> DeviceCard | None:
        row = self.engine.state.devices.get(device)
        return row.card if row else None

    # Watching

    def malformed(self) -> Mapping[str, int]:
        """Return how many messages made no sense, by topic."""
        return self._inbox.malformed_counts()

    async def durable(self) -> None:
        """Wait until everything decided so far is durable.

        Raises:
            OrchestratorError: it never will be: the journal failed, or the coordinator stopped.
        """
        if not self._waiting:
            return
        if self._lost is not None:
            raise self._lost
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._awaited.append((self._waiting[-1][0], done))
        await done

    def watch(self, run: RunId, changed: asyncio.Event) -> None:
        """Have an event set whenever a fact of the run became durable."""
        self._watchers.setdefault(run, set()).add(changed)

    def unwatch(self, run: RunId, changed: asyncio.Event) -> None:
        """Stop that."""
        watching = self._watchers.get(run, set())
        watching.discard(changed)
        if not watching:
            self._watchers.pop(run, None)

    def _tell(self, facts: tuple[Fact, ...]) -> None:
        for fact in facts:
            if self._watchers and type(fact) not in VOLATILE:
                for changed in self._watchers.get(getattr(fact, "run", RunId("")), ()):
                    changed.set()
            if type(fact) is RunEnded:
                self._ended(fact.run)


def _check(event: e.Event) -> None:
    check_form(event, type(event), type(event).__name__)
    try:
        check_json(event)
    except (TypeError, ValueError) as error:
        raise RequestError(f"{not_json(event) or 'this'}: this is not JSON: {error}") from error
    except RecursionError as error:
        raise RequestError(f"this is not JSON: {error}") from error
    if isinstance(event, e.AnswerInput) and (size := len(json.dumps(event.value))) > ANSWER_BYTES:
        raise RequestError(f"the answer has {size} bytes: write {ANSWER_BYTES} at most")
