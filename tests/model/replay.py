"""The steps of the model, taken by the code: real engines, sessions and ledgers, real bytes.

`Code` is the shell of all of them. It keeps every message that was sent, as bytes, under the name
that the model has for it; what the code sends beyond what the model does is lost on the way. Where
a device is chosen the model leaves it open and the code decides.

Time is told to each engine and device apart, with limits so far from each other that what one
action needs to pass (`miss`, `lapse`, `repeat`) brings nothing else with it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import count

from agents.actions import Action, AttemptRow, Beat, CancelSkill, RunRow, Say, StartSkill
from agents.ledger import MemoryLedger
from agents.session import Session
from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.engine import Engine
from orchestrator.core.lifecycle import AttemptState, TaskState
from orchestrator.core.model import Limits, Now, RunLimits
from orchestrator.core.tuning import Tuning
from orchestrator.wire import beat_of, event_of, offer_of, order_of
from protocol import topics
from protocol.codec import (
    PartialOutputs,
    Request,
    decode_event,
    decode_order,
    decode_reply,
    encode_heartbeat,
    encode_order,
    encode_reply,
)
from protocol.messages import Held as SaidHeld
from protocol.messages import Hello, Offer, Phase, Query, Refuse, Renew, Report
from protocol.topics import Address
from protocol.transport import Message
from protocol.types import (
    AttemptId,
    Cancelled,
    DeviceId,
    Effect,
    Incarnation,
    Rejected,
    Succeeded,
)
from tests.model import words as m
from tests.support.world import RUN, card, plan, task

FOREVER_S = 1e9
LEASE_S = 1e5
TUNING = Tuning(
    lost_after_s=1e3, lease_s=LEASE_S, repeat_offer_s=1e-3, backoff_s=1e-4, unmatched_s=FOREVER_S,
    hedge_budget=0.0,
)  # fmt: skip
LIMITS = Limits(FOREVER_S, FOREVER_S, FOREVER_S, FOREVER_S, FOREVER_S, attempts=99)
COORDINATOR = Address("acme", "lab", "coordinator")
NAMES = (DeviceId("d0"), DeviceId("d1"))

TASKS = {
    TaskState.READY: m.Task.READY,
    TaskState.RECOVERING: m.Task.READY,
    TaskState.ACTIVE: m.Task.ACTIVE,
    TaskState.UNKNOWN: m.Task.UNKNOWN,
    TaskState.SUCCEEDED: m.Task.SUCCEEDED,
    TaskState.FAILED: m.Task.FAILED,
}
STAGES = {
    AttemptState.OFFERED: m.Stage.OFFERED,
    AttemptState.STARTED: m.Stage.STARTED,
    AttemptState.LAPSED: m.Stage.LAPSED,
}


class Device:
    """A session, its ledger, and the skills that it has running."""

    def __init__(self, name: int, *, once: bool) -> None:
        self.name = name
        self.address = Address("acme", "lab", NAMES[name])
        self.card = card(NAMES[name], effect=Effect.ONCE if once else Effect.PURE)
        self.once = once
        self.life, self.at, self.starts = 0, 0.0, 0
        self.beats: dict[int, Message] = {}
        self.lose_disk()

    def crash(self) -> None:
        self.running: dict[AttemptId, bool] = {}
        """What runs, and whether it was told to stop."""
        self.session = Session(self.card, self.ledger.incarnation, rows=[*self.ledger.rows()])
        (beat,) = self.session.connected(self.at)
        assert isinstance(beat, Beat)
        self.beats[self.life] = encode_heartbeat(beat.heartbeat, self.address)

    def lose_disk(self) -> None:
        self.life += 1
        self.ledger = MemoryLedger(Incarnation(f"{NAMES[self.name]}-{self.life}"))
        self.crash()

    def take(self, message: Message) -> list[tuple[Message, Report | SaidHeld]]:
        return self.act(self.session.order(decode_order(message), self.at))

    def act(self, actions: Iterable[Action]) -> list[tuple[Message, Report | SaidHeld]]:
        """Do what the session orders; return what it says."""
        said = []
        for action in actions:
            match action:
                case Say(reply, to):
                    if isinstance(reply, Report | SaidHeld):
                        said.append((_encoded(reply, to), reply))
                case StartSkill(offer):
                    assert self.session.begins(offer.attempt, self.at) is None
                    self.running[offer.attempt] = False
                    self.starts += self.once
                case CancelSkill(attempt):
                    self.running[attempt] = True
                case Beat():
                    pass
                case _:
                    self.ledger.write([action], lambda _: None)
        self.session.check()
        return said

    def announce(self, attempt: AttemptId):
        self.session.progress(attempt, 0.5, "", self.at)
        self.at += 0.6
        return self.act(self.session.tick(self.at))

    def finish(self, attempt: AttemptId, end: str):
        del self.running[attempt]
        outcome = Succeeded(1) if end == "DONE" else Cancelled("it stopped")
        return self.act(self.session.finished(attempt, outcome, self.at))

    def expire(self) -> None:
        self.at += LEASE_S
        self.act(self.session.tick(self.at))

    def seen(self, attempts: Iterable[AttemptId], slots: int) -> m.Device:
        """Return the device as the model would have it; floors in force cannot be seen."""
        rows = {row.attempt: row for row in self.ledger.rows() if isinstance(row, AttemptRow)}
        run = next((row for row in self.ledger.rows() if isinstance(row, RunRow)), None)
        holds = [self._hold(attempt, rows.get(attempt)) for attempt in attempts]
        epoch, floor = (run.epoch, run.floor) if run else (1, (-1, -1))
        holds += [None] * (slots - len(holds))
        return m.Device(self.life, epoch, max(floor, (0, 0)), (0, 0), tuple(holds))

    def _hold(self, attempt: AttemptId, row: AttemptRow | None) -> m.Hold | None:
        if attempt in self.running:
            phase = m.Phase.RUNNING
            if self.running[attempt]:
                phase = m.Phase.STOPPING
            elif not self.session.lease_live(attempt, self.at):
                phase = m.Phase.LAPSED
            return m.Hold(phase, 0, recorded=row is not None)
        query = Request(Query(attempt), "nobody", b"", attempt)
        (said,) = self.session.order(query, self.at)
        if not (isinstance(said, Say) and isinstance(said.reply, Report)):
            return None
        phase = m.Phase.LOST
        if row is None:
            phase = m.Phase.ACKED
        elif row.closed:
            phase = m.Phase.REFUSED
        elif isinstance(row.outcome, Succeeded):
            phase = m.Phase.DONE
        return m.Hold(phase, 0, recorded=True)


class Coordinator:
    """An engine, which may write the journal unless a later one does."""

    def __init__(self, journal: list[f.Fact], clock: Callable[[], float]) -> None:
        self.engine = Engine(tuning=TUNING)
        self.journal = journal
        self.at = clock()
        self.clock = clock
        self.owns, self.dead = True, False
        self.orders: list[c.Command] = []
        for fact in journal:
            self.engine.apply(fact)
        self.engine.recovered()
        self.tell(e.Start(self.at, self.at) if journal else e.Start(None, None))

    def tell(self, event: e.Event) -> None:
        """Decide, commit, and order what follows; a commit that is refused is the end."""
        self.at += 1e-6  # so that a hello and what is learned next are at different times
        decision = self.engine.decide(event, now=Now(self.at, self.at))
        self.engine.check()
        facts = [fact for fact in decision.facts if type(fact) not in f.VOLATILE]
        if facts and not self.owns:
            self.dead = True
            return
        self.journal += facts
        self.orders += decision.commands

    def until(self, due: float) -> None:
        """Let time pass; devices that are here go on being heard."""
        while True:
            self._hear()
            timer = self.engine.next_deadline() or due
            soon = min(due, timer, self.at + TUNING.lost_after_s / 2)
            self.at = max(self.at, soon)
            self.tell(e.TimePassed())
            if self.at >= due:
                return

    def silence(self, device: DeviceId) -> None:
        """Let a device's next deadline pass: of its heartbeats, or else of its lease."""
        kind = "device" if self.engine.state.devices[device].online else "lease"
        due = self.engine.state.timers.get((kind, device))
        self.at = max(self.at, due - 1)
        self._hear(but=device)
        self.at = max(self.at, due)
        self.tell(e.TimePassed())

    def _hear(self, *, but: DeviceId | None = None) -> None:
        for name, device in self.engine.state.devices.items():
            if device.online and name != but:
                held = tuple(device.attempts)
                self.tell(e.Beat(name, device.incarnation, device.load, held, connected=False))

    def row(self):
        return self.engine.state.runs[RUN].tasks["t"]

    def seen(self, placed: Sequence[f.TaskPlaced]) -> m.View:
        """Return what the engine holds as the model would have it."""
        known = placed[: self.row().attempts]
        state = self.engine.state
        devices = [state.devices[name] for name in NAMES]
        return m.View(
            state.runs[RUN].epoch,
            TASKS[self.row().state],
            tuple(_attempt(each, state.attempts.get(each.attempt)) for each in known),
            tuple(device.online for device in devices),
            tuple(int(device.incarnation[-1]) for device in devices),
        )


def _attempt(placed: f.TaskPlaced, row) -> m.Attempt:
    device = NAMES.index(placed.device)
    if row is None:
        return m.Attempt(device, 0, m.Stage.ENDED)
    return m.Attempt(device, 0, STAGES[row.state], row.started_at is not None)


def _encoded(reply: Report | SaidHeld, to: Request) -> Message:
    return encode_reply(
        reply, to=to.reply_to, correlation=to.correlation, request_id=to.request_id, form=to.form
    )


class Code:
    """The world of the model, made of the real thing."""

    def __init__(self, w: m.World) -> None:
        self.w = w
        self.journal: list[f.Fact] = []
        self.devices = [Device(name, once=w.once) for name in m.DEVICES]
        self.owner = Coordinator(self.journal, lambda: 0.0)
        self.old: Coordinator | None = None
        self.orders: dict[m.Order, Message] = {}
        self.reports: dict[m.Report, Message] = {}
        self.answers: dict[m.Held, tuple[Message, Coordinator, float]] = {}
        self._outputs = PartialOutputs()
        self._correlation = count()
        for device in self.devices:
            self.owner.tell(e.Announced(device.card, online=True))
            self._beat(self.owner, device.name, 1)
        effect = Effect.ONCE if w.once else Effect.PURE
        spec = task("t", effect=effect, limits=LIMITS)
        bounds = RunLimits(revisions=0)
        self.owner.tell(e.Submit(RUN, "key", "do", limits=bounds, plan=plan(spec)))
        self._send(self.owner)

    def placed(self) -> list[f.TaskPlaced]:
        """Return how attempts began, by token."""
        return [fact for fact in self.journal if isinstance(fact, f.TaskPlaced)]

    def attempts(self) -> list[AttemptId]:
        """Return all attempts, by token."""
        return [fact.attempt for fact in self.placed()]

    def seen(self) -> m.State:
        """Return all this as the model would have it; what is in flight is not compared."""
        names, placed = self.attempts(), self.placed()
        view = self.owner.seen(placed)
        devices = tuple(device.seen(names, self.w.attempts) for device in self.devices)
        starts = sum(device.starts for device in self.devices)
        old = self.old.seen(placed) if self.old else None
        return m.State(view, view, old, devices, frozenset(), 0, starts)

    def step(self, label: tuple[object, ...]) -> None:
        """Do in the code what a step of the model does."""
        name, *what = label
        getattr(self, f"_{name}")(*what)
        for coordinator in (self.owner, self.old):
            if coordinator is not None:
                self._settle(coordinator)
                self._send(coordinator)
        if self.old is not None and self.old.dead:
            self.old = None

    def sent(self) -> set[m.Message]:
        """Return all that was sent, under the model's names."""
        return {*self.orders, *self.reports, *self.answers}

    def device_of_last(self) -> int:
        """Return the device that was chosen last."""
        return NAMES.index(self.placed()[-1].device)

    # The actions

    def _deliver(self, *what: object) -> None:
        match what:
            case [m.Order() as order]:
                device = self.devices[order.device]
                self._say(device, device.take(self.orders[order]))
            case [role, m.Report() as report]:
                self._hear(self._at(role), report.device, self.reports[report])
            case [role, m.Held() as held]:
                message, asker, asked_at = self.answers[held]
                if asker is self._at(role):
                    self._hear(asker, held.device, message, asked_at=asked_at)

    def _hello(self, role: object, name: int) -> None:
        asker, device = self._at(role), self.devices[name]
        asker.tell(e.Connected())
        epochs = next(o.epochs for o in asker.orders if isinstance(o, c.SayHello))
        asked = tuple(
            n
            for n, each in enumerate(asker.seen(self.placed()).attempts)
            if each.stage is m.Stage.STARTED
        )
        at = asker.at
        message = self._order(name, Hello(str(COORDINATOR), epochs))
        said = device.take(message)
        self._say(device, said)
        for encoded, reply in said:
            if isinstance(reply, SaidHeld):
                names = self.attempts()
                held = tuple(sorted(names.index(each) for each in reply.attempts))
                key = m.Held(name, device.life, epochs[RUN], held, asked)
                self.answers[key] = encoded, asker, at

    def _beat(self, role: object, name: int, life: int) -> None:
        heartbeat = decode_event(self.devices[name].beats[life])
        assert heartbeat is not None
        coordinator = role if isinstance(role, Coordinator) else self._at(role)
        coordinator.tell(beat_of(heartbeat))

    def _repeat(self, role: object, _attempt: int) -> None:
        coordinator = self._at(role)
        due = coordinator.engine.state.timers.get(coordinator.row().key)
        assert due is not None
        coordinator.until(due)

    def _miss(self, role: object, name: int) -> None:
        self._at(role).silence(NAMES[name])

    def _lapse(self, role: object, name: int) -> None:
        self._at(role).silence(NAMES[name])

    def _restart(self) -> None:
        at = self.owner.at
        self.owner = Coordinator(self.journal, lambda: at)

    def _adopt(self) -> None:
        self.owner.owns, self.old = False, self.owner
        self._restart()

    def _announce(self, name: int, attempt: int) -> None:
        device = self.devices[name]
        self._say(device, device.announce(self.attempts()[attempt]))

    def _finish(self, name: int, attempt: int, end: str) -> None:
        device = self.devices[name]
        self._say(device, device.finish(self.attempts()[attempt], end))

    def _expire(self, name: int, _attempt: int) -> None:
        self.devices[name].expire()

    def _crash(self, name: int) -> None:
        self.devices[name].crash()

    def _lose_disk(self, name: int) -> None:
        self.devices[name].lose_disk()

    # The network

    def _at(self, role: object) -> Coordinator:
        coordinator = self.owner if role == "owner" else self.old
        assert coordinator is not None
        return coordinator

    def _hear(
        self, coordinator: Coordinator, name: int, message: Message, *, asked_at: float = 0.0
    ) -> None:
        event = event_of(decode_reply(message, self._outputs), NAMES[name])
        if isinstance(event, e.Reconciled):
            event = replace(event, asked_at=asked_at)
        if event is not None:
            coordinator.tell(event)

    def _say(self, device: Device, said: Iterable[tuple[Message, Report | SaidHeld]]) -> None:
        names = self.attempts()
        for message, reply in said:
            if isinstance(reply, Report):
                what = _what(reply)
                key = m.Report(what, names.index(reply.attempt), device.name, device.life)
                self.reports[key] = message

    def _settle(self, coordinator: Coordinator) -> None:
        """Let a back-off pass: the model knows none."""
        while not coordinator.dead and coordinator.row().state is TaskState.RECOVERING:
            due = coordinator.engine.state.timers.get(coordinator.row().key)
            assert due is not None
            coordinator.until(due)

    def _send(self, coordinator: Coordinator) -> None:
        names = self.attempts()
        state = coordinator.engine.state
        for order in coordinator.orders:
            if isinstance(order, c.SayHello | c.RenewLeases):
                continue
            name = NAMES.index(order.device)
            life, epoch = 0, state.runs[RUN].epoch
            match order:
                case c.Offer(attempt=attempt):
                    life = int(str(state.devices[order.device].incarnation)[-1])
                    kind, said = "offer", offer_of(order)
                case c.Acknowledge(attempt=attempt):
                    kind, said = "ack", Renew({RUN: epoch}, (), LEASE_S, (attempt,))
                case c.RefuseAttempts(attempts=attempts):
                    (attempt,) = attempts
                    kind, said = "refuse", order_of(order)
                case c.CancelAttempt(attempt=attempt):
                    kind, said = "cancel", order_of(order)
                case _:
                    continue
            key = m.Order(kind, names.index(attempt), name, epoch, life)
            self.orders[key] = self._order(name, said)
        coordinator.orders.clear()

    def _order(self, name: int, order: Offer | Refuse | Renew | Hello) -> Message:
        return encode_order(
            order,
            to=self.devices[name].address,
            reply_to=topics.reply(COORDINATOR, NAMES[name]),
            correlation=f"{next(self._correlation)}".encode(),
        )


def _what(report: Report) -> str:
    if report.phase is not Phase.FINISHED:
        return "started"
    if isinstance(report.outcome, Succeeded):
        return "done"
    buried = report.run_s is None and isinstance(report.outcome, Rejected | Cancelled)
    return "refused" if buried else "lost"


def compared(s: m.State) -> m.State:
    """Return what the code can show of a state of the model."""
    return s._replace(
        journal=_view(s.owner),
        owner=_view(s.owner),
        old=_view(s.old) if s.old else None,
        devices=tuple(
            device._replace(
                floor=(0, 0), holds=tuple(h and h._replace(epoch=0) for h in device.holds)
            )
            for device in s.devices
        ),
        sent=frozenset(),
        crashes=0,
    )


def _view(view: m.View) -> m.View:
    attempts = tuple(each._replace(life=0) for each in view.attempts)
    return view._replace(attempts=attempts)
