"""The steps of the model, taken by the code: real engines, sessions and ledgers, real bytes.

`Code` is the shell of all of them. It keeps every message that was sent, as bytes, under the name
that the model has for it; what the code sends beyond what the model does is lost on the way. Where
a device is chosen the model leaves it open and the code decides.

Time is told to each `Coordinator` and `Device` apart.
"""

from collections.abc import Iterable
from dataclasses import replace
from itertools import count

from orchestrator.core import commands as c
from orchestrator.core import events as e
from orchestrator.core import facts as f
from orchestrator.core.lifecycle import TaskState
from orchestrator.core.model import RunLimits
from orchestrator.wire import beat_of, event_of, offer_of, order_of
from protocol import topics
from protocol.codec import (
    PartialOutputs,
    decode_event,
    decode_reply,
    encode_order,
)
from protocol.messages import Held as SaidHeld
from protocol.messages import Hello, Offer, Phase, Refuse, Renew, Report
from protocol.transport import Message
from protocol.types import (
    AttemptId,
    Cancelled,
    Effect,
    Rejected,
    Succeeded,
)
from tests.model import words as m
from tests.model.coordinator import COORDINATOR, LIMITS, Coordinator
from tests.model.device import LEASE_S, NAMES, Device
from tests.support.world import RUN, plan, task


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
